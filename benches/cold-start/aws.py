"""The part of AWS that the functions call: a table without indexes, topics, secrets, answers to executions.

It treats every condition as true, which is correct because nothing else writes. It refuses unknown calls, so that no
failing function is measured. It counts every call by name.
"""

import collections
import json
import threading
import urllib.parse

from serve import Handler, serve

ACCOUNT = "123456789012"
REGION = "eu-central-1"


class Aws:
    """All services behind one address."""

    def __init__(self, secrets: dict[str, dict]):
        self.secrets, self.items, self.calls = secrets, {}, collections.Counter()
        self._one_at_a_time = threading.Lock()
        self.server = serve(_handler(self))
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def call(self, name: str, body: dict) -> dict:
        """Counts a call and performs it."""
        with self._one_at_a_time:
            self.calls[name] += 1
            return getattr(self, f"_{name}")(body)

    def _GetItem(self, body: dict) -> dict:
        item = self.items.get(_key(body["Key"]))
        return {"Item": item} if item else {}

    def _PutItem(self, body: dict) -> dict:
        self.items[_key(body["Item"])] = body["Item"]
        return {}

    def _UpdateItem(self, body: dict) -> dict:
        key = _key(body["Key"])
        item = self.items.setdefault(key, dict(body["Key"]))
        names, values = body["ExpressionAttributeNames"], body["ExpressionAttributeValues"]
        for part in body["UpdateExpression"].removeprefix("SET ").split(", #"):
            name, value = part.split(" = ")
            name = names["#" + name.removeprefix("#")]
            if not (value.startswith("if_not_exists(") and name in item):
                item[name] = values[":" + value.split(":")[1].rstrip(")")]
        return {"Attributes": item}

    def _Query(self, body: dict) -> dict:
        if body["KeyConditionExpression"] != "pk = :pk AND begins_with(sk, :sk)" or "IndexName" in body:
            raise NotImplementedError(body["KeyConditionExpression"])
        pk, sk = (body["ExpressionAttributeValues"][name]["S"] for name in (":pk", ":sk"))
        found = sorted(key for key in self.items if key[0] == pk and key[1].startswith(sk))
        return {"Items": [self.items[key] for key in found], "Count": len(found), "ScannedCount": len(found)}

    def _BatchGetItem(self, body: dict) -> dict:
        asked = {table: [_key(key) for key in keys["Keys"]] for table, keys in body["RequestItems"].items()}
        found = {table: [self.items[key] for key in keys if key in self.items] for table, keys in asked.items()}
        return {"Responses": found, "UnprocessedKeys": {}}

    def _TransactWriteItems(self, body: dict) -> dict:
        for part in body["TransactItems"]:
            for kind, given in part.items():
                if kind == "Delete":
                    self.items.pop(_key(given["Key"]), None)
                elif kind == "Put":
                    self._PutItem(given)
                else:
                    raise NotImplementedError(kind)
        return {}

    def _GetSecretValue(self, body: dict) -> dict:
        return {"ARN": body["SecretId"], "SecretString": json.dumps(self.secrets[body["SecretId"]])}

    def _SendTaskSuccess(self, _: dict) -> dict:
        return {}

    def _Publish(self, _: dict) -> dict:
        return {}


def _key(item: dict) -> tuple[str, str]:
    """Returns our two keys, or the tutorial's single key."""
    name = ("pk", "sk") if "pk" in item else ("id", "id")
    return item[name[0]]["S"], item[name[1]]["S"]


PUBLISHED = b"""<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult>
<MessageId>567910cd-659e-55d4-8ccb-5aaf14679dc0</MessageId></PublishResult><ResponseMetadata>
<RequestId>d74b8436-ae13-5ab4-a9ff-ce54dfea72a0</RequestId></ResponseMetadata></PublishResponse>"""


def _handler(aws: Aws):
    class Service(Handler):
        """JSON with the operation in a header, or SNS's form with the operation in a field."""

        def do_POST(self):
            body, target = self.body(), self.headers.get("X-Amz-Target")
            if target is None:
                aws.call(dict(urllib.parse.parse_qsl(body.decode()))["Action"], {})
                self.answer(200, PUBLISHED, {"Content-Type": "text/xml"})
                return
            try:
                status, said = 200, aws.call(target.split(".")[-1], json.loads(body))
            except (AttributeError, KeyError, NotImplementedError) as unknown:
                status, said = 400, {"__type": "ValidationException", "message": f"not here: {unknown!r}"}
            self.answer(status, json.dumps(said).encode(), {"Content-Type": "application/x-amz-json-1.0"})

    return Service
