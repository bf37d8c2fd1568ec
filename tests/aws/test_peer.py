"""The peer does what AWS documents where moto alone does not; a test here fails where a patch is taken away."""

import base64
import concurrent.futures
import io
import json
import pathlib
import sys
import tempfile
import time
import unittest
import zipfile

from botocore.exceptions import ClientError

from peer import ACCOUNT, REGION
from running import Peer, call, until

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
        answer = {{"policy": open(os.environ["COUNTERSIGN_POLICY"]).read(), "now": time.time(), "set": dict(os.environ)}}
    elif do == "exit":
        os._exit(3)
    elif do == "sleep":
        time.sleep(given["seconds"])
    elif isinstance(given, dict) and "rawPath" in given:
        answer = {{"statusCode": 202, "body": json.dumps(given)}}
    request = event.headers["Lambda-Runtime-Aws-Request-Id"]
    urllib.request.urlopen(urllib.request.Request(api + f"invocation/{{request}}/{{path}}", json.dumps(answer).encode()))
"""
FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:probe"
MACHINE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/machine"
LOGS = {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/probe:*"}
INVOKE = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": FUNCTION}
MANAGED = {"Effect": "Allow", "Action": ["events:PutTargets", "events:PutRule", "events:DescribeRule"], "Resource": "*"}
NESTED = {"Effect": "Allow", "Action": ["states:StartExecution", "states:DescribeExecution"], "Resource": "*"}


def zipped(files: dict[str, str]) -> bytes:
    """A zip of files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def role(peer: Peer, name: str, *statements: dict) -> str:
    """A role with one policy."""
    iam = peer.client("iam")
    arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    if statements:
        iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=json.dumps(document))
    return arn


def waiting(**more) -> dict:
    """A state that waits for its token."""
    payload = {"token.$": "$$.Task.Token", "retry.$": "$$.State.RetryCount", "redrive.$": "$$.Execution.RedriveCount"}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke.waitForTaskToken",
        "Parameters": {"FunctionName": FUNCTION, "Payload": payload},
        **more,
    }


def machine(start: str, **states: dict) -> dict:
    """A definition."""
    return {"StartAt": start, "States": states}


class PeerTests(unittest.TestCase):
    """One peer for all of them."""

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
        """A function's answer, and the kind of its failure."""
        answer = self.functions.invoke(FunctionName="probe", Payload=json.dumps(event))
        return json.loads(answer["Payload"].read()), answer.get("FunctionError")

    def make(self, definition: dict) -> str:
        """A state machine."""
        name = f"m{next(self.names)}"
        made = self.states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=MACHINE_ROLE)
        return made["stateMachineArn"]

    def start(self, definition: dict, **given) -> str:
        """An execution of a new state machine."""
        arn = self.make(definition)
        return self.states.start_execution(stateMachineArn=arn, input=json.dumps(given))["executionArn"]

    def describe(self, execution: str) -> dict:
        return self.states.describe_execution(executionArn=execution)

    def ended(self, execution: str) -> dict:
        """An execution that is over."""
        return until("it ends", lambda: (d := self.describe(execution))["status"] != "RUNNING" and d)

    def handed(self, execution: str, count: int = 1) -> list[dict]:
        """What the function was given with a token, each time."""

        def scheduled():
            events = self.states.get_execution_history(executionArn=execution)["events"]
            given = [json.loads(e["taskScheduledEventDetails"]["parameters"])["Payload"] for e in events if e["type"] == "TaskScheduled"]
            submitted = sum(e["type"] == "TaskSubmitted" for e in events)
            return given if len(given) >= count and submitted >= count else None

        return until("a token is handed out", scheduled)

    def refused(self, ask, **given) -> str:
        """The code of a refusal, or nothing."""
        try:
            ask(**given)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return ""

    # Tokens.

    def test_a_token_is_long_and_good_for_one_outcome(self):
        execution = self.start(machine("A", A=waiting(TimeoutSeconds=60, Next="W"), W={"Type": "Wait", "Seconds": 60, "End": True}))
        token = self.handed(execution)[0]["token"]
        self.assertGreater(len(token), 700)
        self.assertEqual(self.refused(self.states.send_task_success, taskToken=token, output="{no json"), "InvalidOutput")
        self.assertEqual(self.refused(self.states.send_task_success, taskToken=token, output="{}"), "")
        self.assertEqual(self.refused(self.states.send_task_success, taskToken=token, output="{}"), "TaskTimedOut")
        self.assertEqual(self.refused(self.states.send_task_failure, taskToken=token, error="E"), "TaskTimedOut")
        self.assertEqual(self.describe(execution)["status"], "RUNNING")
        self.assertEqual(self.refused(self.states.send_task_success, taskToken="made up", output="{}"), "InvalidToken")
        self.assertIn(token, self.peer.tokens())

    def test_a_failure_keeps_its_error_and_its_cause(self):
        execution = self.start(machine("A", A=waiting(TimeoutSeconds=60, End=True)))
        token = self.handed(execution)[0]["token"]
        self.states.send_task_failure(taskToken=token, error="Countersign.Rejected", cause="why")
        ended = self.ended(execution)
        self.assertEqual((ended["status"], ended["error"], ended["cause"]), ("FAILED", "Countersign.Rejected", "why"))

    def test_a_token_is_over_once_its_task_timed_out_by_the_moved_clock(self):
        caught = [{"ErrorEquals": ["States.Timeout"], "ResultPath": "$.e", "Next": "W"}]
        execution = self.start(
            machine("A", A=waiting(TimeoutSecondsPath="$.t", Catch=caught, End=True), W={"Type": "Wait", "Seconds": 9000, "End": True}),
            t=3600,
        )
        token = self.handed(execution)[0]["token"]
        began = time.monotonic()
        self.peer.ask("clock", advance=3600)
        until("it times out", lambda: self.refused(self.states.send_task_heartbeat, taskToken=token) == "TaskTimedOut")
        self.assertLess(time.monotonic() - began, 5)
        self.assertEqual(self.refused(self.states.send_task_success, taskToken=token, output="{}"), "TaskTimedOut")
        self.assertEqual(self.describe(execution)["status"], "RUNNING")

    def test_a_try_again_has_a_token_of_its_own_and_says_which_it_is(self):
        again = [{"ErrorEquals": ["Try"], "MaxAttempts": 1, "IntervalSeconds": 900}]
        execution = self.start(machine("A", A=waiting(TimeoutSeconds=60, Retry=again, End=True)))
        first = self.handed(execution)[0]
        self.states.send_task_failure(taskToken=first["token"], error="Try", cause="")
        time.sleep(0.3)
        self.peer.ask("clock", advance=900)
        second = self.handed(execution, 2)[1]
        self.assertNotEqual(first["token"], second["token"])
        self.assertEqual((first["retry"], second["retry"]), (0, 1))
        self.assertEqual(self.refused(self.states.send_task_success, taskToken=first["token"], output="{}"), "TaskTimedOut")
        self.states.send_task_success(taskToken=second["token"], output='{"n": 2}')
        self.assertEqual(json.loads(self.ended(execution)["output"]), {"n": 2})

    # Executions.

    def test_a_stopped_execution_is_aborted_at_once_and_its_token_is_over(self):
        execution = self.start(machine("A", A=waiting(TimeoutSeconds=60, End=True)))
        token = self.handed(execution)[0]["token"]
        self.states.stop_execution(executionArn=execution, error="Stopped", cause="by hand")
        self.assertEqual(self.refused(self.states.send_task_success, taskToken=token, output="{}"), "TaskTimedOut")
        ended = self.ended(execution)
        self.assertEqual((ended["status"], ended["error"], ended["cause"]), ("ABORTED", "Stopped", "by hand"))

    def test_a_redrive_runs_the_failed_state_again_with_its_input_and_a_new_token(self):
        execution = self.start(
            machine("P", P={"Type": "Pass", "Result": 1, "ResultPath": "$.p", "Next": "A"}, A=waiting(TimeoutSeconds=60, ResultPath="$.r", End=True)),
            x=5,
        )
        first = self.handed(execution)[0]
        self.assertEqual(self.refused(self.states.redrive_execution, executionArn=execution), "ExecutionNotRedrivable")
        self.states.send_task_failure(taskToken=first["token"], error="E", cause="")
        self.ended(execution)
        self.states.redrive_execution(executionArn=execution)
        second = self.handed(execution, 2)[1]
        self.assertEqual((first["redrive"], second["redrive"], second["retry"]), (0, 1, 0))
        self.assertEqual(self.refused(self.states.send_task_success, taskToken=first["token"], output="{}"), "TaskTimedOut")
        self.states.send_task_success(taskToken=second["token"], output="2")
        ended = self.ended(execution)
        self.assertEqual((json.loads(ended["output"]), ended["redriveCount"]), ({"x": 5, "p": 1, "r": 2}, 1))
        self.assertEqual(self.refused(self.states.redrive_execution, executionArn=execution), "ExecutionNotRedrivable")

    def test_a_redrive_of_a_stopped_execution_waits_anew(self):
        execution = self.start(machine("A", A=waiting(TimeoutSeconds=60, End=True)))
        self.handed(execution)
        self.states.stop_execution(executionArn=execution)
        self.ended(execution)
        self.states.redrive_execution(executionArn=execution)
        self.states.send_task_success(taskToken=self.handed(execution, 2)[1]["token"], output="{}")
        self.assertEqual(self.ended(execution)["status"], "SUCCEEDED")

    def test_executions_without_a_name_get_one_and_a_large_input_is_refused(self):
        arn = self.make(machine("P", P={"Type": "Pass", "End": True}))
        first, second = (self.states.start_execution(stateMachineArn=arn)["executionArn"] for _ in range(2))
        self.assertNotEqual(first, second)
        large = json.dumps("x" * 262_144)
        self.assertEqual(self.refused(self.states.start_execution, stateMachineArn=arn, input=large), "InvalidExecutionInput")

    def test_what_the_provider_asks_about_a_state_machine_is_answered(self):
        definition = machine("P", P={"Type": "Pass", "End": True})
        self.assertEqual(self.states.validate_state_machine_definition(definition=json.dumps(definition))["result"], "OK")
        self.assertEqual(self.states.list_state_machine_versions(stateMachineArn=self.make(definition))["stateMachineVersions"], [])

    def test_a_nested_execution_is_waited_for_and_its_output_is_json(self):
        child = self.make(machine("A", A=waiting(TimeoutSeconds=60, End=True)))
        call_child = {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": child, "Input": {"x.$": "$.x"}},
            "ResultSelector": {"answer.$": "$.Output", "status.$": "$.Status"},
            "End": True,
        }
        parent = self.start(machine("N", N=call_child), x=5)
        inner = until("it starts", lambda: self.states.list_executions(stateMachineArn=child)["executions"])[0]
        self.assertEqual(json.loads(self.describe(inner["executionArn"])["input"]), {"x": 5})
        self.states.send_task_success(taskToken=self.handed(inner["executionArn"])[0]["token"], output='{"ok": true}')
        self.assertEqual(json.loads(self.ended(parent)["output"]), {"answer": {"ok": True}, "status": "SUCCEEDED"})

    def test_a_nested_execution_that_fails_is_a_failed_task_with_its_error_in_the_cause(self):
        child = self.make(machine("F", F={"Type": "Fail", "Error": "Countersign.Rejected", "Cause": "no"}))
        call_child = {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Parameters": {"StateMachineArn": child}, "End": True}
        ended = self.ended(self.start(machine("N", N=call_child)))
        self.assertEqual(ended["error"], "States.TaskFailed")
        self.assertEqual(json.loads(ended["cause"])["Error"], "Countersign.Rejected")

    def test_a_wait_ends_when_the_clock_has_been_moved_past_it(self):
        now = time.time() + self.peer.ask("clock", advance=0)["offset"]
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now + 7200))
        execution = self.start(machine("W", W={"Type": "Wait", "TimestampPath": "$.at", "End": True}), at=at)
        time.sleep(0.3)
        self.assertEqual(self.describe(execution)["status"], "RUNNING")
        self.peer.ask("clock", advance=7200)
        self.assertEqual(self.ended(execution)["status"], "SUCCEEDED")

    # Functions.

    def test_a_function_sees_its_layer_its_environment_and_the_moved_clock(self):
        answer, failed = self.invoke(do="look")
        self.assertIsNone(failed)
        self.assertEqual((answer["policy"], answer["set"]["GIVEN"]), ("prepared", "yes"))
        offset = self.peer.ask("clock", advance=60)["offset"]
        answer, _ = self.invoke(do="look")
        self.assertAlmostEqual(answer["now"], time.time() + offset, delta=5)

    def test_a_function_that_fails_exits_or_is_slow_says_so_and_the_next_call_works(self):
        self.assertEqual(self.invoke(do="fail", error="Countersign.Denied"), ({"errorType": "Countersign.Denied", "errorMessage": "as asked"}, "Unhandled"))
        self.assertEqual(self.invoke(do="exit")[0]["errorType"], "Runtime.ExitError")
        self.assertEqual(self.invoke(do="sleep", seconds=30)[0]["errorType"], "Sandbox.Timedout")
        self.assertEqual(self.invoke(x=1), ({"x": 1}, None))

    # HTTP APIs, schedules, events, subscribers.

    def test_an_http_api_passes_on_what_its_routes_name_in_text_or_base64_and_nothing_unpermitted(self):
        gateway = self.peer.client("apigatewayv2")
        api = gateway.create_api(Name="a", ProtocolType="HTTP")["ApiId"]
        integration = gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0", IntegrationUri=FUNCTION
        )["IntegrationId"]
        gateway.create_route(ApiId=api, RouteKey="POST /webhooks/github", Target=f"integrations/{integration}")
        gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        url = f"{self.peer.front}/{api}/webhooks/github"
        self.assertEqual(call("POST", url, b"x")[0], 500)
        self.functions.add_permission(
            FunctionName="probe", StatementId="api", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com",
            SourceArn=f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/POST/webhooks/github",
        )
        status, event = call("POST", url, b'{"a": 1}', {"X-GitHub-Event": "ping"})
        self.assertEqual((status, event["body"], event["isBase64Encoded"]), (202, '{"a": 1}', False))
        self.assertEqual(event["headers"]["x-github-event"], "ping")
        self.peer.ask("encode", base64=True)
        _, event = call("POST", url, b'{"a": 1}')
        self.peer.ask("encode", base64=False)
        self.assertEqual((base64.b64decode(event["body"]), event["isBase64Encoded"]), (b'{"a": 1}', True))
        self.assertEqual(call("GET", url)[0], 404)
        self.assertEqual(call("POST", f"{self.peer.front}/{api}/other", b"x")[0], 404)

    def test_schedules_fire_when_asked_and_changes_of_status_reach_the_rules_that_match(self):
        events = self.peer.client("events")
        arn = self.make(machine("P", P={"Type": "Pass", "End": True}))
        pattern = {"source": ["aws.states"], "detail": {"stateMachineArn": [arn], "status": ["SUCCEEDED"]}}
        every = events.put_rule(Name="every", ScheduleExpression="rate(1 minute)")["RuleArn"]
        ends = events.put_rule(Name="ends", EventPattern=json.dumps(pattern))["RuleArn"]
        for name in ("every", "ends"):
            events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": FUNCTION}])
        self.assertIn("does not let", self.peer.ask("tick")[0]["failure"])
        for name, rule in (("every", every), ("ends", ends)):
            self.functions.add_permission(
                FunctionName="probe", StatementId=name, Action="lambda:InvokeFunction", Principal="events.amazonaws.com", SourceArn=rule
            )
        self.assertEqual(json.loads(self.peer.ask("tick")[0]["answer"])["detail-type"], "Scheduled Event")
        execution = self.states.start_execution(stateMachineArn=arn)["executionArn"]
        self.ended(execution)
        self.peer.ask("settle")
        told = [line for line in self.peer.lines("events.jsonl") if line["rule"] == "ends"]
        self.assertEqual([(line["detail"]["executionArn"], line["detail"]["status"]) for line in told], [(execution, "SUCCEEDED")])
        self.assertNotIn("failure", told[0])
        events.remove_targets(Rule="ends", Ids=["1"])

    def test_an_http_subscriber_of_any_host_is_told_on_loopback(self):
        sns = self.peer.client("sns")
        topic = sns.create_topic(Name="t")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://hooks.acme.example/x")
        sns.publish(TopicArn=topic, Message=json.dumps({"default": "d", "https": "h"}), MessageStructure="json")
        told = self.peer.lines("http.jsonl")
        self.assertEqual(told[-1]["endpoint"], "https://hooks.acme.example/x")
        self.assertEqual(json.loads(told[-1]["body"])["Message"], "h")

    # IAM.

    def test_a_missing_permission_is_found_and_a_given_one_is_enough(self):
        table = {"TableName": "t", "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}], "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}], "BillingMode": "PAY_PER_REQUEST"}
        self.peer.client("dynamodb").create_table(**table)
        may = {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t"}
        role(self.peer, "reader", may)
        limited, before = self.peer.client("dynamodb", "ROLE.reader"), len(self.peer.denied())
        key = {"pk": {"S": "a"}}
        self.assertEqual(self.refused(limited.get_item, TableName="t", Key=key), "")
        self.assertEqual(self.refused(limited.delete_item, TableName="t", Key=key), "AccessDeniedException")
        self.assertEqual(self.refused(limited.get_item, TableName="other", Key=key), "AccessDeniedException")
        delete = [{"Put": {"TableName": "t", "Item": key}}, {"Delete": {"TableName": "t", "Key": {"pk": {"S": "b"}}}}]
        self.assertEqual(self.refused(limited.transact_write_items, TransactItems=delete), "AccessDeniedException")
        self.assertEqual([line.split()[1:3] for line in self.peer.denied()[before:]], [["reader", "dynamodb:DeleteItem"], ["reader", "dynamodb:GetItem"], ["reader", "dynamodb:DeleteItem"]])

    def test_a_state_machine_acts_with_its_role_and_one_that_nests_needs_the_managed_rule(self):
        bare = role(self.peer, "bare")
        definition = json.dumps(machine("A", A=waiting(TimeoutSeconds=60, End=True)))
        arn = self.states.create_state_machine(name="bare", definition=definition, roleArn=bare)["stateMachineArn"]
        execution = self.states.start_execution(stateMachineArn=arn)["executionArn"]
        self.assertIn("AccessDenied", self.ended(execution)["error"])
        nested = json.dumps(machine("N", N={"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Parameters": {"StateMachineArn": arn}, "End": True}))
        self.assertEqual(self.refused(self.states.create_state_machine, name="n", definition=nested, roleArn=bare), "AccessDeniedException")

    def test_a_deny_outweighs_an_allow(self):
        may, must_not = {"Effect": "Allow", "Action": "sns:*", "Resource": "*"}, {"Effect": "Deny", "Action": "sns:Publish", "Resource": "*"}
        role(self.peer, "torn", may, must_not)
        topic = self.peer.client("sns").create_topic(Name="torn")["TopicArn"]
        torn = self.peer.client("sns", "ROLE.torn")
        self.assertEqual("AuthorizationError", self.refused(torn.publish, TopicArn=topic, Message="x"))

    # The table.

    def table(self, name: str):
        """A table with one index."""
        names = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "gsi1pk")]
        index = {"IndexName": "due", "KeySchema": [{"AttributeName": "gsi1pk", "KeyType": "HASH"}], "Projection": {"ProjectionType": "ALL"}}
        dynamodb = self.peer.client("dynamodb")
        dynamodb.create_table(
            TableName=name, KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}], AttributeDefinitions=names,
            GlobalSecondaryIndexes=[index], BillingMode="PAY_PER_REQUEST",
        )
        return dynamodb

    def test_of_many_writers_on_one_condition_one_wins(self):
        dynamodb = self.table("race")

        def claim(_):
            return self.refused(dynamodb.put_item, TableName="race", Item={"pk": {"S": "a"}}, ConditionExpression="attribute_not_exists(pk)")

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(claim, range(12)))
        self.assertEqual((answers.count(""), answers.count("ConditionalCheckFailedException")), (1, 11))

    def test_what_the_service_refuses_in_a_call_is_refused(self):
        dynamodb = self.table("strict")
        put = {"TableName": "strict", "Item": {"pk": {"S": "a"}}}
        refused = [
            {**put, "ConditionExpression": "attribute_not_exists(pk) OR state = :s", "ExpressionAttributeValues": {":s": {"S": "x"}}},
            {**put, "ConditionExpression": "attribute_not_exists(pk)", "ExpressionAttributeNames": {"#state": "state"}},
            {**put, "Item": {"pk": {"S": "a"}, "gsi1pk": {"S": ""}}},
            {**put, "Item": {"pk": {"S": "a"}, "gsi1pk": {"N": "1"}}},
        ]
        self.assertEqual({self.refused(dynamodb.put_item, **call) for call in refused}, {"ValidationException"})
        self.assertEqual(self.refused(dynamodb.transact_write_items, TransactItems=[{"Put": refused[0]}]), "ValidationException")
        query = {"TableName": "strict", "IndexName": "due", "KeyConditionExpression": "gsi1pk = :x", "ExpressionAttributeValues": {":x": {"S": "x"}}}
        self.assertEqual(self.refused(dynamodb.query, **query, ConsistentRead=True), "ValidationException")
        self.assertEqual(self.refused(dynamodb.query, **query), "")
        named = {"ConditionExpression": "attribute_not_exists(pk) OR #state = :s", "ExpressionAttributeNames": {"#state": "state"}}
        self.assertEqual(self.refused(dynamodb.put_item, **put, **named, ExpressionAttributeValues={":s": {"S": "x"}}), "")


if __name__ == "__main__":
    unittest.main()
