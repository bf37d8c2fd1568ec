"""The tutorial's first function: stores the task token and sends a link by e-mail."""

import os
import uuid

import boto3

table = boto3.client("dynamodb")
sns = boto3.client("sns")


def handler(event, context):
    """Called by the state machine, which waits with a token."""
    request = str(uuid.uuid4())
    table.put_item(TableName=os.environ["TABLE"], Item={"id": {"S": request}, "token": {"S": event["token"]}})
    link = f"{os.environ['API']}/answer?id={request}&action="
    sns.publish(
        TopicArn=os.environ["TOPIC"],
        Subject="Approval needed",
        Message=f"Deploy {event['input']['service']}?\n\nApprove: {link}approve\nReject: {link}reject\n",
    )
    return {"id": request}
