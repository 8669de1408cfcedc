"""What AWS's quick start for Stripe's webhooks does, written anew: the same clients, checks and calls.

Source: https://github.com/aws-samples/serverless-patterns/tree/main/eventbridge-webhooks/1-stripe. Its
clients are made at import, its secret is fetched once and cached (by a package that is not used here, which
makes this one lighter than the original), each event is one PutEvents.
"""

import base64
import hashlib
import hmac
import json
import os
from datetime import UTC, datetime, timedelta

import boto3
import botocore.session

secrets_manager = botocore.session.get_session().create_client("secretsmanager")
events = boto3.client("events")
kept_secrets: dict[str, str] = {}


def handler(event, context):
    body = event["body"]
    if event["isBase64Encoded"]:
        body = base64.b64decode(body).decode()
    if event["headers"].get("content-type", "").split(";")[0].strip() != "application/json":
        return {"statusCode": 400, "body": "Unsupported content-type"}
    payload = json.loads(body)
    timestamp, signatures = parse(event["headers"]["stripe-signature"])
    if datetime.now(UTC) - datetime.fromtimestamp(int(timestamp), UTC) >= timedelta(minutes=5):
        return {"statusCode": 400, "body": "Invalid timestamp"}
    expected = hmac.new(secret().encode(), f"{timestamp}.{body}".encode(), hashlib.sha256).hexdigest()
    if not any(hmac.compare_digest(signature, expected) for signature in signatures):
        return {"statusCode": 401, "body": "Invalid Signature"}
    entry = {
        "Source": "stripe.com",
        "DetailType": payload["type"],
        "Detail": body,
        "EventBusName": os.environ["CAUSEWAY_BUS"],
    }
    if events.put_events(Entries=[entry])["FailedEntryCount"]:
        return {"statusCode": 500, "body": "FailedEntry Error"}
    return {"statusCode": 202, "body": "Message forwarded to Amazon EventBridge"}


def parse(header):
    pairs = [part.split("=") for part in header.split(",")]
    timestamp = next(value for name, value in pairs if name == "t")
    return timestamp, [value for name, value in pairs if name == "v1"]


def secret():
    name = os.environ["CAUSEWAY_SECRETS_PREFIX"]
    if name not in kept_secrets:
        kept_secrets[name] = secrets_manager.get_secret_value(SecretId=name)["SecretString"]
    return kept_secrets[name]
