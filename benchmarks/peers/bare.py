"""Nothing: what Lambda's runtime and the machine cost by themselves."""


def handler(event, context):
    return {"statusCode": 200}
