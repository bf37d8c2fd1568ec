"""Patch: task tokens that behave as on AWS.

They are long, contain `+ / =` and accept one outcome. They expire when their task times out or fails, or their
execution ends. Every try of a retried task has a new one. The errors are those in the API reference of
SendTaskSuccess, SendTaskFailure and SendTaskHeartbeat.
"""

import base64
import json
import os

from moto.core.exceptions import AWSError
from moto.stepfunctions import responses
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.asl.component.common.retry.retry_outcome import RetryOutcome
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service_callback import (
    StateTaskServiceCallback,
)
from moto.stepfunctions.parser.asl.eval import states

ISSUED: set[str] = set()
"""Every token ever issued. No log and no message may contain one."""


class TaskTimedOut(AWSError):
    """The token's task ended: by timeout, with an outcome, or with its execution."""

    TYPE, STATUS = "TaskTimedOut", 400

    def __init__(self):
        super().__init__("Task Timed Out: 'Provided task does not exist anymore'")


class InvalidOutput(AWSError):
    """The outcome is not JSON."""

    TYPE, STATUS = "InvalidOutput", 400

    def __init__(self):
        super().__init__("Invalid Output: 'Invalid JSON'")


class InvalidToken(AWSError):
    """This token was never issued."""

    TYPE, STATUS = "InvalidToken", 400

    def __init__(self):
        super().__init__("Invalid Token: 'Invalid token'")


def install() -> None:
    """Applies the patch."""
    backend = models.StepFunctionsParserBackend
    succeed, fail, beat = backend.send_task_success, backend.send_task_failure, backend.send_task_heartbeat

    def send_task_success(self, task_token, outcome):
        _usable(self, task_token)
        try:
            json.loads(outcome)
        except ValueError:
            raise InvalidOutput from None
        return succeed(self, task_token, outcome)

    def send_task_failure(self, task_token, error=None, cause=None):
        _usable(self, task_token)
        return fail(self, task_token, error, cause)

    def send_task_heartbeat(self, task_token):
        endpoint = _usable(self, task_token)
        # AWS accepts a heartbeat even for a task without a heartbeat timeout.
        return beat(self, task_token) if endpoint._heartbeat_endpoint else None

    backend.send_task_success = send_task_success
    backend.send_task_failure = send_task_failure
    backend.send_task_heartbeat = send_task_heartbeat
    responses.StepFunctionResponse.send_task_failure = _answer_failure
    states.ContextObject.update_task_token = _new_token
    handle = StateTaskServiceCallback._handle_retry

    def handle_retry(self, env, failure_event):
        # Before the pause, because the token of a failed try expires immediately.
        task = env.states.context_object.context_object_data.get("Task")
        endpoint = task and env.callback_pool_manager.get(task["Token"])
        if endpoint:
            endpoint.interrupt_all()
        outcome = handle(self, env, failure_event)
        if outcome == RetryOutcome.CanRetry and "Task" in env.states.context_object.context_object_data:
            env.callback_pool_manager.add(env.states.context_object.update_task_token())
        return outcome

    StateTaskServiceCallback._handle_retry = handle_retry


def execution_of(backend, token):
    """Returns a token's execution, environment and endpoint. `None` if it was never issued."""
    for machine in backend.state_machines:
        for execution in machine.executions:
            worker = getattr(execution, "exec_worker", None)
            for env in (*getattr(execution, "earlier_runs", ()), getattr(worker, "env", None)):
                endpoint = env.callback_pool_manager.get(token) if env else None
                if endpoint:
                    return execution, env, endpoint
    return None


def _usable(backend, token):
    found = execution_of(backend, token)
    if found is None:
        raise InvalidToken
    execution, env, endpoint = found
    over = endpoint.get_outcome() is not None or endpoint._notify_event.is_set() or endpoint.consumer_error is not None
    current = execution.exec_worker.env is env and env.is_running() and execution.status == "RUNNING"
    if over or not current:
        raise TaskTimedOut
    return endpoint


def _answer_failure(self):
    # moto forgets the cause.
    backend = self.stepfunction_backend
    backend.send_task_failure(self._get_param("taskToken"), self._get_param("error"), self._get_param("cause"))
    return responses.EmptyResult()


def _new_token(self) -> str:
    token = "AQCEAAAAKgAAAAMAAAAA" + base64.b64encode(os.urandom(540)).decode()
    ISSUED.add(token)
    self.context_object_data["Task"] = states.TaskData(Token=token)
    return token
