"""The other parts that the peer adds to moto: functions, HTTP APIs, events, subscribers, IAM, a stricter table."""

import base64
import concurrent.futures
import json
import time
import unittest

from peer import ACCOUNT, REGION
from probe import FUNCTION, PeerTestCase, machine, role, waiting
from running import call


class ServiceTests(PeerTestCase):
    """Each behaves as AWS documents it."""

    # Functions.

    def test_a_function_sees_its_layer_its_environment_and_the_moved_clock(self):
        answer, failed = self.invoke(do="look")
        self.assertIsNone(failed)
        self.assertEqual((answer["policy"], answer["set"]["GIVEN"]), ("prepared", "yes"))
        offset = self.peer.ask("clock", advance=60)["offset"]
        answer, _ = self.invoke(do="look")
        self.assertAlmostEqual(answer["now"], time.time() + offset, delta=5)

    def test_a_function_that_fails_exits_or_is_slow_says_so_and_the_next_call_works(self):
        self.assertEqual(
            self.invoke(do="fail", error="Countersign.Denied"),
            ({"errorType": "Countersign.Denied", "errorMessage": "as asked"}, "Unhandled"),
        )
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
            FunctionName="probe",
            StatementId="api",
            Action="lambda:InvokeFunction",
            Principal="apigateway.amazonaws.com",
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
                FunctionName="probe",
                StatementId=name,
                Action="lambda:InvokeFunction",
                Principal="events.amazonaws.com",
                SourceArn=rule,
            )
        self.assertEqual(json.loads(self.peer.ask("tick")[0]["answer"])["detail-type"], "Scheduled Event")
        execution = self.states.start_execution(stateMachineArn=arn)["executionArn"]
        self.ended(execution)
        self.peer.ask("settle")
        changes = [line for line in self.peer.lines("events.jsonl") if line["rule"] == "ends"]
        self.assertEqual(
            [(line["detail"]["executionArn"], line["detail"]["status"]) for line in changes], [(execution, "SUCCEEDED")]
        )
        self.assertNotIn("failure", changes[0])
        events.remove_targets(Rule="ends", Ids=["1"])

    def test_messages_for_an_http_subscriber_of_any_host_stay_on_loopback(self):
        sns = self.peer.client("sns")
        topic = sns.create_topic(Name="t")["TopicArn"]
        sns.subscribe(TopicArn=topic, Protocol="https", Endpoint="https://hooks.acme.example/x")
        sns.publish(TopicArn=topic, Message=json.dumps({"default": "d", "https": "h"}), MessageStructure="json")
        posted = self.peer.lines("http.jsonl")
        self.assertEqual(posted[-1]["endpoint"], "https://hooks.acme.example/x")
        self.assertEqual(json.loads(posted[-1]["body"])["Message"], "h")

    # IAM.

    def test_a_missing_permission_is_found_and_a_given_one_is_enough(self):
        table = {
            "TableName": "t",
            "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
            "BillingMode": "PAY_PER_REQUEST",
        }
        self.peer.client("dynamodb").create_table(**table)
        may = {
            "Effect": "Allow",
            "Action": ["dynamodb:GetItem", "dynamodb:PutItem"],
            "Resource": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/t",
        }
        role(self.peer, "reader", may)
        limited, before = self.peer.client("dynamodb", "ROLE.reader"), len(self.peer.denied())
        key = {"pk": {"S": "a"}}
        self.assertEqual(self.refused(limited.get_item, TableName="t", Key=key), "")
        self.assertEqual(self.refused(limited.delete_item, TableName="t", Key=key), "AccessDeniedException")
        self.assertEqual(self.refused(limited.get_item, TableName="other", Key=key), "AccessDeniedException")
        delete = [{"Put": {"TableName": "t", "Item": key}}, {"Delete": {"TableName": "t", "Key": {"pk": {"S": "b"}}}}]
        self.assertEqual(self.refused(limited.transact_write_items, TransactItems=delete), "AccessDeniedException")
        self.assertEqual(
            [line.split()[1:3] for line in self.peer.denied()[before:]],
            [["reader", "dynamodb:DeleteItem"], ["reader", "dynamodb:GetItem"], ["reader", "dynamodb:DeleteItem"]],
        )

    def test_a_condition_on_the_partition_key_holds_for_every_write_and_an_unknown_condition_is_refused(self):
        self.peer.client("dynamodb").create_table(
            TableName="keyed",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        may = {"Effect": "Allow", "Action": ["dynamodb:PutItem", "dynamodb:Scan"], "Resource": "*"}
        below = {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": ["A#*"]}, "Null": {"dynamodb:LeadingKeys": "false"}}
        role(self.peer, "keyed", {**may, "Condition": below})
        role(self.peer, "strange", {**may, "Condition": {"StringEquals": {"dynamodb:LeadingKeys": "A#1"}}})
        keyed, strange = self.peer.client("dynamodb", "ROLE.keyed"), self.peer.client("dynamodb", "ROLE.strange")
        of = {key: {"pk": {"S": key}} for key in ("A#1", "B#1")}
        denied = "AccessDeniedException"
        self.assertEqual(self.refused(keyed.put_item, TableName="keyed", Item=of["A#1"]), "")
        self.assertEqual(self.refused(keyed.put_item, TableName="keyed", Item=of["B#1"]), denied)
        both = [{"Put": {"TableName": "keyed", "Item": item}} for item in of.values()]
        self.assertEqual(self.refused(keyed.transact_write_items, TransactItems=both), denied)
        self.assertEqual(self.refused(keyed.scan, TableName="keyed"), denied)
        self.assertEqual(self.refused(strange.put_item, TableName="keyed", Item=of["A#1"]), denied)

    def test_a_state_machine_acts_with_its_role_and_one_that_nests_needs_the_managed_rule(self):
        bare = role(self.peer, "bare")
        definition = json.dumps(machine("A", A=waiting(TimeoutSeconds=60, End=True)))
        arn = self.states.create_state_machine(name="bare", definition=definition, roleArn=bare)["stateMachineArn"]
        execution = self.states.start_execution(stateMachineArn=arn)["executionArn"]
        self.assertIn("AccessDenied", self.ended(execution)["error"])
        nested = json.dumps(
            machine(
                "N",
                N={
                    "Type": "Task",
                    "Resource": "arn:aws:states:::states:startExecution.sync:2",
                    "Parameters": {"StateMachineArn": arn},
                    "End": True,
                },
            )
        )
        self.assertEqual(
            self.refused(self.states.create_state_machine, name="n", definition=nested, roleArn=bare),
            "AccessDeniedException",
        )

    def test_a_deny_outweighs_an_allow(self):
        may, must_not = (
            {"Effect": "Allow", "Action": "sns:*", "Resource": "*"},
            {"Effect": "Deny", "Action": "sns:Publish", "Resource": "*"},
        )
        role(self.peer, "torn", may, must_not)
        topic = self.peer.client("sns").create_topic(Name="torn")["TopicArn"]
        torn = self.peer.client("sns", "ROLE.torn")
        self.assertEqual("AuthorizationError", self.refused(torn.publish, TopicArn=topic, Message="x"))

    # The table.

    def table(self, name: str):
        """Creates a table with one index."""
        names = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "gsi1pk")]
        index = {
            "IndexName": "due",
            "KeySchema": [{"AttributeName": "gsi1pk", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        dynamodb = self.peer.client("dynamodb")
        dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=names,
            GlobalSecondaryIndexes=[index],
            BillingMode="PAY_PER_REQUEST",
        )
        return dynamodb

    def test_of_many_writers_on_one_condition_one_wins(self):
        dynamodb = self.table("race")

        def claim(_):
            return self.refused(
                dynamodb.put_item,
                TableName="race",
                Item={"pk": {"S": "a"}},
                ConditionExpression="attribute_not_exists(pk)",
            )

        with concurrent.futures.ThreadPoolExecutor(12) as pool:
            answers = list(pool.map(claim, range(12)))
        self.assertEqual((answers.count(""), answers.count("ConditionalCheckFailedException")), (1, 11))

    def test_what_the_service_refuses_in_a_call_is_refused(self):
        dynamodb = self.table("strict")
        put = {"TableName": "strict", "Item": {"pk": {"S": "a"}}}
        refused = [
            {
                **put,
                "ConditionExpression": "attribute_not_exists(pk) OR state = :s",
                "ExpressionAttributeValues": {":s": {"S": "x"}},
            },
            {**put, "ConditionExpression": "attribute_not_exists(pk)", "ExpressionAttributeNames": {"#state": "state"}},
            {**put, "Item": {"pk": {"S": "a"}, "gsi1pk": {"S": ""}}},
            {**put, "Item": {"pk": {"S": "a"}, "gsi1pk": {"N": "1"}}},
        ]
        self.assertEqual({self.refused(dynamodb.put_item, **call) for call in refused}, {"ValidationException"})
        self.assertEqual(
            self.refused(dynamodb.transact_write_items, TransactItems=[{"Put": refused[0]}]), "ValidationException"
        )
        query = {
            "TableName": "strict",
            "IndexName": "due",
            "KeyConditionExpression": "gsi1pk = :x",
            "ExpressionAttributeValues": {":x": {"S": "x"}},
        }
        self.assertEqual(self.refused(dynamodb.query, **query, ConsistentRead=True), "ValidationException")
        self.assertEqual(self.refused(dynamodb.query, **query), "")
        named = {
            "ConditionExpression": "attribute_not_exists(pk) OR #state = :s",
            "ExpressionAttributeNames": {"#state": "state"},
        }
        self.assertEqual(
            self.refused(dynamodb.put_item, **put, **named, ExpressionAttributeValues={":s": {"S": "x"}}), ""
        )

    def test_an_item_and_a_transaction_have_the_limits_of_the_service(self):
        dynamodb = self.table("limits")

        def item(key, size):
            return {"TableName": "limits", "Item": {"pk": {"S": key}, "body": {"S": "é" * ((size - 6 - len(key)) // 2)}}}

        self.assertEqual(self.refused(dynamodb.put_item, **item("ab", 400_000)), "")
        self.assertEqual(self.refused(dynamodb.put_item, **item("ab", 409_602)), "ValidationException")

        def written(count, size):
            puts = [{"Put": item(f"{number:04}", size)} for number in range(count)]
            return self.refused(dynamodb.transact_write_items, TransactItems=puts)

        self.assertEqual((written(100, 100), written(101, 100)), ("", "ValidationException"))
        self.assertEqual((written(16, 262_144), written(17, 262_144)), ("", "ValidationException"))
        self.assertEqual(written(1, 409_602), "ValidationException")


if __name__ == "__main__":
    unittest.main()
