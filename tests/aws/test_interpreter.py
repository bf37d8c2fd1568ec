"""Step Functions on the peer behaves as AWS documents and moto alone does not. Each test fails without its patch."""

import json
import time
import unittest

from probe import PeerTestCase, machine, waiting
from running import until


class InterpreterTests(PeerTestCase):
    """Tokens and executions."""

    # Tokens.

    def test_a_token_is_long_and_good_for_one_outcome(self):
        execution = self.start(
            machine("A", A=waiting(TimeoutSeconds=60, Next="W"), W={"Type": "Wait", "Seconds": 60, "End": True})
        )
        token = self.handed(execution)[0]["token"]
        self.assertGreater(len(token), 700)
        self.assertEqual(
            self.refused(self.states.send_task_success, taskToken=token, output="{no json"), "InvalidOutput"
        )
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
            machine(
                "A",
                A=waiting(TimeoutSecondsPath="$.t", Catch=caught, End=True),
                W={"Type": "Wait", "Seconds": 9000, "End": True},
            ),
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
        self.assertEqual(
            self.refused(self.states.send_task_success, taskToken=first["token"], output="{}"), "TaskTimedOut"
        )
        self.states.send_task_success(taskToken=second["token"], output='{"n": 2}')
        self.assertEqual(json.loads(self.ended(execution)["output"]), {"n": 2})

    def test_the_token_of_a_run_whose_function_failed_is_over_before_the_next_run_begins(self):
        again = [{"ErrorEquals": ["Try"], "MaxAttempts": 1, "IntervalSeconds": 900}]
        failing = waiting(TimeoutSeconds=60, Retry=again, End=True)
        failing["Parameters"]["Payload"] |= {"do": "fail", "error": "Try"}
        execution = self.start(machine("A", A=failing))

        def happened() -> dict[str, dict]:
            events = self.states.get_execution_history(executionArn=execution)["events"]
            return {event["type"]: event for event in events}

        events = until("its function fails", lambda: "TaskFailed" in (events := happened()) and events)
        token = json.loads(events["TaskScheduled"]["taskScheduledEventDetails"]["parameters"])["Payload"]["token"]
        until("it is over", lambda: self.refused(self.states.send_task_heartbeat, taskToken=token) == "TaskTimedOut")
        self.assertEqual(self.refused(self.states.send_task_success, taskToken=token, output="{}"), "TaskTimedOut")
        self.assertEqual(self.describe(execution)["status"], "RUNNING")

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
            machine(
                "P",
                P={"Type": "Pass", "Result": 1, "ResultPath": "$.p", "Next": "A"},
                A=waiting(TimeoutSeconds=60, ResultPath="$.r", End=True),
            ),
            x=5,
        )
        first = self.handed(execution)[0]
        self.assertEqual(self.refused(self.states.redrive_execution, executionArn=execution), "ExecutionNotRedrivable")
        self.states.send_task_failure(taskToken=first["token"], error="E", cause="")
        self.ended(execution)
        self.states.redrive_execution(executionArn=execution)
        second = self.handed(execution, 2)[1]
        self.assertEqual((first["redrive"], second["redrive"], second["retry"]), (0, 1, 0))
        self.assertEqual(first["started"], second["started"])
        self.assertRegex(first["started"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertEqual(
            self.refused(self.states.send_task_success, taskToken=first["token"], output="{}"), "TaskTimedOut"
        )
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
        self.assertEqual(
            self.refused(self.states.start_execution, stateMachineArn=arn, input=large), "InvalidExecutionInput"
        )

    def test_what_the_provider_asks_about_a_state_machine_is_answered(self):
        definition = machine("P", P={"Type": "Pass", "End": True})
        self.assertEqual(
            self.states.validate_state_machine_definition(definition=json.dumps(definition))["result"], "OK"
        )
        self.assertEqual(
            self.states.list_state_machine_versions(stateMachineArn=self.make(definition))["stateMachineVersions"], []
        )

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
        call_child = {
            "Type": "Task",
            "Resource": "arn:aws:states:::states:startExecution.sync:2",
            "Parameters": {"StateMachineArn": child},
            "End": True,
        }
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


if __name__ == "__main__":
    unittest.main()
