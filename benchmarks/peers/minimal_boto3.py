"""One queue call with boto3 and nothing else: what the official client costs by itself."""

import os

import boto3

sqs = boto3.client("sqs")


def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["CAUSEWAY_DELIVERIES_URL"], MessageBody=event["body"])
    return {"statusCode": 200}
