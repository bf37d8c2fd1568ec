"""The tutorial's second function: opening the link resumes the execution."""

import json
import os

import boto3

table = boto3.client("dynamodb")
states = boto3.client("stepfunctions")


def handler(event, context):
    """Called by API Gateway."""
    asked = event["queryStringParameters"]
    found = table.get_item(TableName=os.environ["TABLE"], Key={"id": {"S": asked["id"]}})
    token = found["Item"]["token"]["S"]
    if asked["action"] == "approve":
        states.send_task_success(taskToken=token, output=json.dumps({"approved": True}))
    else:
        states.send_task_failure(taskToken=token, error="Rejected")
    return {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "Thank you.\n"}
