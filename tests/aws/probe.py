"""A peer with one function that follows instructions in its input, and helpers for the peer's own tests."""

import io
import json
import pathlib
import sys
import tempfile
import unittest
import zipfile

from botocore.exceptions import ClientError

from peer import ACCOUNT, REGION
from running import Peer, until

BOOTSTRAP = f"""#!{sys.executable}
import json, os, time, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/"
while True:
    event = urllib.request.urlopen(api + "invocation/next")
    given, path = json.loads(event.read()), "response"
    print("given", sorted(given) if isinstance(given, dict) else given, flush=True)
    answer = given
    do = given.get("do") if isinstance(given, dict) else None
    if do == "fail":
        path, answer = "error", {{"errorType": given["error"], "errorMessage": "as asked"}}
    elif do == "look":
        policy = open(os.environ["COUNTERSIGN_POLICY"]).read()
        answer = {{"policy": policy, "now": time.time(), "set": dict(os.environ)}}
    elif do == "exit":
        os._exit(3)
    elif do == "sleep":
        time.sleep(given["seconds"])
    elif isinstance(given, dict) and "rawPath" in given:
        answer = {{"statusCode": 202, "body": json.dumps(given)}}
    request = event.headers["Lambda-Runtime-Aws-Request-Id"]
    answered = urllib.request.Request(api + f"invocation/{{request}}/{{path}}", json.dumps(answer).encode())
    urllib.request.urlopen(answered)
"""
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:probe"
MACHINE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/machine"
LOGS = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/probe:*",
}
INVOKE = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": FUNCTION}
MANAGED = {"Effect": "Allow", "Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"], "Resource": "*"}
NESTED = {"Effect": "Allow", "Action": ["states:StartExecution", "states:DescribeExecution"], "Resource": "*"}


def zipped(files: dict[str, str]) -> bytes:
    """Returns a zip with these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def role(peer: Peer, name: str, *statements: dict) -> str:
    """Creates a role with one policy."""
    iam = peer.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    return arn


def waiting(**more) -> dict:
    """Returns a state that waits for its token."""
    payload = {"token.$": "$$.Task.Token", "retry.$": "$$.State.RetryCount", "redrive.$": "$$.Execution.RedriveCount"}
    payload["started.$"] = "$$.Execution.StartTime"
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": FUNCTION, "Payload": payload},
        **more,
    }


def machine(start: str, **states: dict) -> dict:
    """Returns a state machine's definition."""
    return {"StartAt": start, "States": states}


class PeerTestCase(unittest.TestCase):
    """Starts one peer for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.folder.cleanup)
        cls.peer = Peer(pathlib.Path(cls.folder.name) / "peer")
        cls.addClassCleanup(cls.peer.stop)
        role(cls.peer, "probe", LOGS)
        role(cls.peer, "machine", INVOKE, MANAGED, NESTED)
        cls.functions, cls.states = cls.peer.client("lambda"), cls.peer.client("stepfunctions")
        layer = cls.functions.publish_layer_version(
            LayerName="policy", Content={"ZipFile": zipped({"countersign/policy.json": "prepared"})}
        )
        cls.functions.create_function(
            FunctionName="probe",
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=f"arn:aws:iam::{ACCOUNT}:role/probe",
            Code={"ZipFile": zipped({"bootstrap": BOOTSTRAP})},
            Layers=[layer["LayerVersionArn"]],
            Environment={"Variables": {"GIVEN": "yes"}},
            Timeout=5,
        )
        cls.names = iter(range(1000))

    def invoke(self, **event) -> tuple[object, str | None]:
        """Invokes a function. Returns its answer, and the error type if it failed."""
        answer = self.functions.invoke(FunctionName="probe", Payload=json.dumps(event))
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def make(self, definition: dict) -> str:
        """Creates a state machine."""
        name = f"m{next(self.names)}"
        made = self.states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=MACHINE_ROLE)
        return made["stateMachineArn"]

    def start(self, definition: dict, **given) -> str:
        """Starts an execution of a new state machine."""
        arn = self.make(definition)
        return self.states.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"]

    def describe(self, execution: str) -> dict:
        return self.states.describe_execution(executionArn=execution)

    def ended(self, execution: str) -> dict:
        """Waits for the end of an execution and returns it."""
        return until("it ends", lambda: (d := self.describe(execution))["status"] != "RUNNING" and d)

    def handed(self, execution: str, count: int = 1) -> list[dict]:
        """Returns every input that the function received with a token."""

        def scheduled():
            events = self.states.get_execution_history(executionArn=execution)["events"]
            given = [
                json.loads(e["taskScheduledEventDetails"]["parameters"])["Payload"]
                for e in events
                if e["type"] == "TaskScheduled"
            ]
            submitted = sum(e["type"] == "TaskSubmitted" for e in events)
            return given if len(given) >= count and submitted >= count else None

        return until("a token is handed out", scheduled)

    def refused(self, ask, **given) -> str:
        """Returns the error code of a refused call, otherwise nothing."""
        try:
            ask(**given)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return ""
