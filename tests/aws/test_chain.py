"""The whole chain: signed deliveries, HTTP API, the Lambda zips, the table, Step Functions, SNS.

`scripts/test-aws` creates the world and runs these tests; `setting` holds what they share. Tests move the clock instead
of sleeping. They run in the order of their names, in one world. The clock only moves forward, so no test relies on its
start.
"""

import base64
import json
import unittest

import github
import leaks
import policy
import setting
from running import call, until

MINUTE = 60
HOUR = 3600


class ChainTests(unittest.TestCase):
    """What a pipeline, its approvers and its channels see."""

    @classmethod
    def setUpClass(cls):
        cls.world = setting.world()
        cls.host, cls.peer = cls.world.host, cls.world.peer

    def pull(self):
        """Opens a pull request for this test."""
        return self.host.pull_request(f"Change for {self._testMethodName.removeprefix('test_')[:60]}")

    def waiting(self, environment: str = "production"):
        """Returns a pull request, and an execution that waits for its approval."""
        pull = self.pull()
        return pull, self.world.start(environment, pull).waits()

    # People decide.

    def test_an_approval_releases_the_execution_and_its_output_says_who_gave_it(self):
        pull, execution = self.waiting()
        self.world.notified(pull, "requested")
        pull.review("pia")
        output = execution.releases()
        self.assertEqual((output["enforced"], output["decision"]["counts"]), (True, ["pia"]))
        self.assertEqual(output["decision"]["pull_request"], pull.name)
        self.world.notified(pull, "approved")

    def test_an_approval_reaches_the_gate_even_if_the_api_encodes_it_in_base64(self):
        pull, execution = self.waiting()
        self.peer.ask("encode", base64=True)
        self.addCleanup(self.peer.ask, "encode", base64=False)
        pull.review("pat")
        execution.releases()

    def test_a_comment_by_the_author_and_a_review_by_a_stranger_release_nothing(self):
        pull, execution = self.waiting()
        pull.review("lee")
        pull.review("dave", "COMMENT", "/approve")
        self.host.drained()
        self.world.sweep()
        self.assertTrue(execution.runs())
        pull.review("pia")
        self.assertEqual(execution.releases()["decision"]["counts"], ["pia"])

    def test_changes_requested_fail_the_execution_as_rejected(self):
        pull, execution = self.waiting()
        pull.review("pat", "REQUEST_CHANGES")
        cause = execution.fails("Countersign.Rejected")
        self.assertEqual(cause["verdict"], "rejected")
        self.world.notified(pull, "rejected")

    def test_a_redrive_after_a_rejection_stays_rejected(self):
        pull, execution = self.waiting()
        pull.review("pat", "REQUEST_CHANGES")
        execution.fails("Countersign.Rejected")
        self.world.states.redrive_execution(executionArn=execution.arn)
        execution.fails("Countersign.Rejected")
        other = self.world.start("production", pull)
        other.fails("Countersign.Rejected")

    def test_an_execution_that_nobody_approves_in_time_expires_and_notifies_once(self):
        pull, execution = self.waiting("brief")
        self.world.advance(61)
        execution.fails("Countersign.Expired")
        self.world.sweep()
        self.world.notified(pull, "expired")

    # Decided without people.

    def test_a_target_that_requires_nothing_is_released_at_once(self):
        output = self.world.start("staging", None).releases()
        self.assertEqual(output["decision"]["verdict"], "approved")

    def test_a_frozen_target_is_denied(self):
        cause = self.world.start("frozen", None).fails("Countersign.Denied")
        self.assertIn("frozen", [reason["code"] for reason in cause["reasons"]])

    def test_an_unknown_target_is_denied_and_an_incomplete_input_is_invalid(self):
        self.world.start("nowhere", None).fails("Countersign.Denied")
        cause = self.world.start("production", None).fails("Countersign.InvalidInput")
        self.assertIn("pullRequest", json.dumps(cause))

    # Several pipelines, and nested executions.

    def test_two_pipelines_on_one_pull_request_are_released_by_one_review(self):
        pull, first = self.waiting("production")
        second = self.world.start("europe", pull).waits()
        pull.review("pia")
        requests = {first.releases()["request_id"], second.releases()["request_id"]}
        self.assertEqual(len(requests), 2)

    def test_a_pipeline_waits_for_the_gate_that_it_calls_and_goes_on_with_its_output(self):
        if self.world.installation.caller is None:
            self.skipTest("examples/caller-pipeline is applied by Terraform only")
        pull = self.pull()
        pipeline = self.world.start("production", pull, machine=self.world.installation.caller)
        self.world.notified(pull, "requested")
        pull.review("pia")
        self.assertEqual(pipeline.ended()["status"], "SUCCEEDED")
        refused = self.pull()
        pipeline = self.world.start("production", refused, machine=self.world.installation.caller)
        self.world.notified(refused, "requested")
        refused.review("pat", "REQUEST_CHANGES")
        self.assertEqual(pipeline.ended()["status"], "FAILED")

    # Time passes.

    def test_people_are_reminded_once_and_a_stand_ins_approval_counts_from_the_escalation_on(self):
        pull, execution = self.waiting("canary")
        self.world.advance(HOUR)
        self.world.sweep()
        self.world.notified(pull, "reminded")
        self.world.sweep()
        self.world.notified(pull, "reminded")
        pull.review("sam")
        self.host.drained()
        self.assertTrue(execution.runs(), "nobody stands in yet")
        self.world.advance(HOUR)
        self.world.sweep()
        self.assertEqual(execution.releases()["decision"]["counts"], ["sam"])

    def test_an_unanswered_request_is_escalated_and_the_stand_in_may_then_approve(self):
        pull, execution = self.waiting("canary")
        self.world.advance(2 * HOUR)
        self.world.sweep()
        self.world.notified(pull, "escalated")
        pull.review("sam")
        self.assertEqual(execution.releases()["decision"]["counts"], ["sam"])

    def test_a_wait_timer_holds_an_approved_release_which_is_then_verified_again(self):
        pull, execution = self.waiting("timed")
        pull.review("pia")
        execution.enters("Wait")
        self.world.advance(10 * MINUTE)
        self.assertEqual(execution.releases()["decision"]["counts"], ["pia"])

    def test_a_rate_limit_at_release_is_waited_for(self):
        pull, execution = self.waiting("timed")
        pull.review("pia")
        execution.enters("Wait")
        self.host.drained()
        self.host.control("PATCH", "host", rate_limit=0)
        self.addCleanup(self.host.control, "PATCH", "host", rate_limit=5000)
        self.world.advance(10 * MINUTE)
        until(
            "it waits for the end of the limit",
            lambda: [event["type"] for event in execution.history()].count("WaitStateEntered") == 2,
        )
        self.host.control("PATCH", "host", rate_limit=5000)
        self.world.advance(61 * MINUTE)
        self.assertEqual(execution.releases()["decision"]["counts"], ["pia"])

    def test_an_approval_withdrawn_while_a_timer_holds_it_is_not_released(self):
        pull, execution = self.waiting("timed")
        pull.review("pia")
        execution.enters("Wait")
        pull.review("pia", "REQUEST_CHANGES")
        self.host.drained()
        self.world.advance(10 * MINUTE)
        self.assertEqual(execution.fails("Countersign.Rejected")["verdict"], "rejected")

    def test_z_after_a_freeze_a_request_is_opened_and_the_execution_is_released(self):
        pull = self.pull()
        execution = self.world.start("later", pull).enters("Wait")
        self.assertEqual(self.world.events_of(pull), [])
        self.world.advance(policy.LAUNCH)
        execution.waits()
        self.world.notified(pull, "requested")
        pull.review("pia")
        execution.releases()

    # Things go wrong.

    def lost_review(self, pull: github.PullRequest) -> str:
        """Submits a review by pia whose delivery fails. Returns the delivery's id."""
        self.peer.ask("reachable", api=False)
        try:
            pull.review("pia")
            self.host.drained()
        finally:
            self.peer.ask("reachable", api=True)
        return [sent["guid"] for sent in self.host.deliveries() if sent["event"] == "pull_request_review"][-1]

    def test_the_sweep_recovers_a_lost_delivery(self):
        pull, execution = self.waiting()
        lost = self.lost_review(pull)
        self.assertTrue(execution.runs())
        self.world.advance(600)
        self.world.sweep()
        execution.releases()
        self.world.taken(lost)

    def test_a_lost_delivery_is_redelivered_even_if_no_request_is_due(self):
        pull = self.pull()
        lost = self.lost_review(pull)
        self.world.advance(600)
        self.world.sweep()
        self.world.taken(lost)

    def test_a_review_that_comes_between_two_runs_of_the_waiting_step_is_taken_by_the_second(self):
        self.peer.ask("lose", step="request-approval")
        self.addCleanup(self.peer.ask, "release")
        pull = self.pull()
        execution = self.world.start("production", pull).tried_in_vain()
        self.assertIn(pull.name, self.open_requests())
        pull.review("pia")
        self.host.drained()
        self.assertTrue(execution.runs())
        self.assertIn(pull.name, self.open_requests())
        self.peer.ask("release")
        self.assertEqual(execution.releases()["decision"]["counts"], ["pia"])
        self.world.notified(pull, "approved")

    def test_a_repeated_delivery_changes_nothing(self):
        pull, execution = self.waiting()
        pull.review("pia")
        execution.releases()
        self.world.notified(pull, "approved")
        delivery = [
            line
            for line in self.peer.lines("api.jsonl")
            if line["headers"].get("x-github-event") == "pull_request_review"
        ][-1]
        before = len(self.world.notifications())
        body = base64.b64decode(delivery["body"])
        status, _ = call("POST", f"{self.peer.front}{delivery['path']}", body, delivery["headers"])
        self.assertEqual(status, 200)
        self.assertEqual(len(self.world.notifications()), before)

    def test_a_delivery_with_a_wrong_signature_or_without_one_is_refused(self):
        delivery = [line for line in self.peer.lines("api.jsonl") if line["status"] == 200][-1]
        body, url = base64.b64decode(delivery["body"]), f"{self.peer.front}{delivery['path']}"
        wrong = {**delivery["headers"], "x-hub-signature-256": "sha256=" + "0" * 64, "x-github-delivery": "another"}
        self.assertEqual(call("POST", url, body, wrong)[0] // 100, 4)
        none = {name: value for name, value in wrong.items() if name != "x-hub-signature-256"}
        self.assertEqual(call("POST", url, body, none)[0] // 100, 4)

    def test_a_token_that_somebody_else_used_releases_nothing_and_the_request_ends(self):
        pull, execution = self.waiting()
        self.world.states.send_task_success(taskToken=execution.token(), output='{"approved": true}')
        self.assertEqual(execution.ended()["status"], "FAILED")
        pull.review("pia")
        self.host.drained()
        self.world.sweep()
        self.assertEqual(execution.describe()["status"], "FAILED")
        until("the request is over", lambda: pull.name not in self.open_requests())

    def test_an_execution_that_is_stopped_by_hand_has_its_request_canceled(self):
        pull, execution = self.waiting()
        self.world.states.stop_execution(executionArn=execution.arn)
        self.assertEqual(execution.ended()["status"], "ABORTED")
        self.peer.ask("settle")
        self.world.notified(pull, "canceled")
        self.assertNotIn(pull.name, self.open_requests())

    def test_a_redrive_of_a_stopped_execution_asks_anew_and_can_be_approved(self):
        pull, execution = self.waiting()
        self.world.states.stop_execution(executionArn=execution.arn)
        execution.ended()
        self.peer.ask("settle")
        self.world.states.redrive_execution(executionArn=execution.arn)
        execution.waits(2)
        pull.review("pia")
        execution.releases()

    def test_github_that_is_down_keeps_a_request_waiting(self):
        pull, execution = self.waiting()
        self.host.control("PATCH", "host", unavailable=True)
        try:
            self.world.sweep()
            self.assertTrue(execution.runs())
        finally:
            self.host.control("PATCH", "host", unavailable=False)
        pull.review("pia")
        execution.releases()

    def test_y_a_policy_that_became_stricter_while_a_request_waited_denies_it_at_release(self):
        pull, execution = self.waiting()
        setting.redeploy(production="2 of payments")
        self.addCleanup(setting.redeploy, production="1 of payments")
        pull.review("pia")
        cause = execution.fails("Countersign.Denied")
        self.assertIn("policy-changed", [reason["code"] for reason in cause["reasons"]])

    # What subscribers receive.

    def test_a_message_has_a_text_for_people_and_a_decision_for_machines(self):
        pull, _ = self.waiting()
        self.world.notified(pull, "requested")
        sent = next(
            sent
            for sent in self.world.notifications()
            if sent.event == "requested" and sent.body.get("pull_request") == pull.name
        )
        self.assertEqual(sent.subject, "checkout to production: approval needed")
        self.assertEqual((sent.attributes["service"], sent.attributes["environment"]), ("checkout", "production"))
        posted = [
            json.loads(line["body"]) for line in self.peer.lines("http.jsonl") if line["endpoint"] == policy.ENDPOINT
        ]
        messages = [json.loads(post["Message"]) for post in posted]
        self.assertIn(sent.body, messages)

    # At the end: checks over everything that happened.

    def test_zz_no_token_and_no_secret_leaked(self):
        secrets = [leaks.Secret.of("a task token", token) for token in self.peer.tokens()]
        secrets += [leaks.Secret.of(what, text) for what, text in setting.secrets().items()]
        places = {"the logs": self.world.logs(), "the messages": "\n".join(self.world.raw), **setting.files()}
        places |= {name: (self.peer.data / name).read_text() for name in ("http.jsonl", "events.jsonl")}
        places["the table"] = json.dumps(
            [{name: value for name, value in item.items() if name != "token"} for item in self.world.items()]
        )
        self.assertEqual(leaks.found(secrets, places), [])
        for place, text in places.items():
            self.assertTrue(text.strip(), f"{place} is empty: nothing was searched")
        # Proves that the search works: it finds each secret in a prepared text, and tokens in their field of the table.
        for secret in secrets:
            self.assertEqual(leaks.found([secret], {"here": f"x{secret.parts[0]}x"}), [f"{secret.what} in here"])
        self.waiting()
        self.assertTrue(
            leaks.found(
                [leaks.Secret.of("a task token", token) for token in self.peer.tokens()],
                {"the table": json.dumps(self.world.items())},
            )
        )

    def test_zz_every_call_was_allowed_and_every_event_was_taken(self):
        if not setting.roles_are_the_modules():
            self.skipTest("the roles are not the module's")
        self.assertEqual(self.peer.denied(), [])
        allowed = [line.split()[1] for line in (self.peer.data / "iam.log").read_text().splitlines()]
        for caller in ("gate-function", "webhook-function", "sweep-function", "state-machine", "pipeline"):
            self.assertTrue(any(role.endswith(caller) for role in allowed), f"nothing was asked as {caller}")
        self.assertEqual([line for line in self.peer.lines("events.jsonl") if "failure" in line], [])

    def test_zzz_no_function_may_change_audit_records_or_write_under_a_key_that_it_does_not_need(self):
        if not setting.roles_are_the_modules():
            self.skipTest("the roles are not the module's")
        table = self.world.installation.table
        audit = next(item for item in self.world.items() if item["pk"]["S"].startswith("AUDIT#"))
        key = {name: audit[name] for name in ("pk", "sk")}
        for function in ("gate", "webhook", "sweep"):
            store = self.peer.client("dynamodb", f"ROLE.{self.world.installation.functions[function]}-function")
            self.assertEqual(store.get_item(TableName=table, Key=key)["Item"], audit)
            change = {"UpdateExpression": "SET body = :b", "ExpressionAttributeValues": {":b": {"S": "forged"}}}
            for refused in (
                lambda: store.delete_item(TableName=table, Key=key),
                lambda: store.update_item(TableName=table, Key=key, **change),
                lambda: store.transact_write_items(
                    TransactItems=[{"Delete": {"TableName": table, "Key": key}}],
                ),
                lambda: store.put_item(TableName=table, Item={**key, "pk": {"S": "HOLD#checkout:production"}}),
            ):
                with self.assertRaisesRegex(Exception, "AccessDenied"):
                    refused()
        self.assertIn(audit, self.world.items())

    def test_zz_every_alarm_is_about_a_metric_that_the_functions_write(self):
        if not setting.roles_are_the_modules():
            self.skipTest("there are no alarms")
        self.world.sweep()
        alarms = self.peer.client("cloudwatch").describe_alarms()["MetricAlarms"]
        watched = [
            metric for alarm in alarms for metric in _metrics(alarm) if not metric["Namespace"].startswith("AWS/")
        ]
        wanted = {
            (m["Namespace"], m["MetricName"], tuple(sorted((d["Name"], d["Value"]) for d in m["Dimensions"])))
            for m in watched
        }
        self.assertTrue(wanted)
        filters = self.peer.client("logs").describe_metric_filters()["metricFilters"]
        counted = {made["metricName"] for filter in filters for made in filter["metricTransformations"]}
        unseen = {name for _, name, _ in wanted - self.world.metrics()} - counted
        # Points are known once GitHub has answered a query of GraphQL.
        self.assertLessEqual(unseen, {"GitHubPointsLeft"})

    def open_requests(self) -> list[str]:
        """Returns the pull requests with an open approval request."""
        keys = [(item["pk"]["S"], item["sk"]["S"]) for item in self.world.items()]
        return [pk.removeprefix("PULL#") for pk, sk in keys if sk.startswith("OPEN#")]


def _metrics(alarm: dict) -> list[dict]:
    """Returns the metrics of an alarm, including those in metric math."""
    if "MetricName" in alarm:
        return [{"Dimensions": [], **alarm}]
    return [query["MetricStat"]["Metric"] for query in alarm.get("Metrics", ()) if "MetricStat" in query]


if __name__ == "__main__":
    unittest.main()
