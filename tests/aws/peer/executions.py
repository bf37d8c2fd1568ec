"""Patch: stopping, redriving and describing executions, and reporting changes of their status."""

import datetime
import json
from collections.abc import Callable

from moto.core.exceptions import AWSError
from moto.stepfunctions import responses
from moto.stepfunctions.models import StepFunctionBackend
from moto.stepfunctions.parser.api import ExecutionStatus, HistoryEventType
from moto.stepfunctions.parser.asl.component.state.state import CommonStateField
from moto.stepfunctions.parser.asl.eval.environment import Environment
from moto.stepfunctions.parser.asl.eval.event.event_detail import EventDetails
from moto.stepfunctions.parser.asl.eval.program_state import ProgramStopped
from moto.stepfunctions.parser.asl.eval.states import ContextObjectData
from moto.stepfunctions.parser.backend import execution as executions
from moto.stepfunctions.parser.backend.execution_worker import ExecutionWorker

from . import clock

RUNNING = ExecutionStatus.RUNNING


class ExecutionNotRedrivable(AWSError):
    """The execution is running or has succeeded."""

    TYPE, STATUS = "ExecutionNotRedrivable", 400


def install(report: Callable[[dict], None]) -> None:
    """Applies the patch. Calls `report` with each change of an execution's status (`_status_change`)."""
    _stopping()
    _redriving(report)
    _reporting(report)
    _describing()


def _stopping() -> None:
    stop = executions.Execution.stop

    def stopped(self, stop_date, error=None, cause=None):
        # moto would leave tasks waiting for their callback.
        stop(self, stop_date, error, cause)
        self.error, self.cause = error or None, cause or None
        env = self.exec_worker.env if self.exec_worker else None
        for endpoint in list(env.callback_pool_manager._pool.values()) if env else ():
            endpoint.interrupt_all()

    executions.Execution.stop = stopped
    fail = Environment.set_error

    def set_error(self, error):
        # A state that ends because the execution was stopped has not failed.
        if not isinstance(self.program_state(), ProgramStopped):
            fail(self, error)

    Environment.set_error = set_error

    def stop_execution(self):
        arn = self._get_param("executionArn")
        execution = self.stepfunction_backend.describe_execution(arn)
        now = _now()
        execution.stop(stop_date=now, error=self._get_param("error"), cause=self._get_param("cause"))
        return responses.ActionResult({"stopDate": now})

    responses.StepFunctionResponse.stop_execution = stop_execution


class _Again(ExecutionWorker):
    """Runs again from the failed state, with that state's input."""

    def __init__(self, before: ExecutionWorker, redrives: int):
        super().__init__(
            evaluation_details=before._evaluation_details,
            exec_comm=before._execution_communication,
            cloud_watch_logging_session=None,
            activity_store=before._activity_store,
        )
        self._before = before.env
        self._redrives = redrives

    def _execution_logic(self) -> None:
        state, given = self._before.entered
        program = self._get_evaluation_entrypoint()
        program.start_at.start_at_name = state
        self.env = self._get_evaluation_environment()
        self.env.event_manager = self._before.event_manager
        self.env.variable_store = self._before.variable_store
        self.env.states.reset(input_value=given)
        self.env.states.context_object.context_object_data["Execution"]["RedriveCount"] = self._redrives
        self.env.event_manager.add_event(
            context=self.env.event_history_context,
            event_type=HistoryEventType.ExecutionRedriven,
            event_details=EventDetails(executionRedrivenEventDetails={"redriveCount": self._redrives}),
            update_source_event_id=False,
        )
        program.eval(self.env)
        self._execution_communication.terminated()


def _redriving(report: Callable[[dict], None]) -> None:
    enter = CommonStateField._eval_body

    def eval_body(self, env):
        if not env.is_frame():
            env.entered = (self.name, env.states.get_input())
        return enter(self, env)

    CommonStateField._eval_body = eval_body
    environment = ExecutionWorker._get_evaluation_environment

    def with_redrive_count(self):
        env = environment(self)
        context: ContextObjectData = env.states.context_object.context_object_data
        context["Execution"]["RedriveCount"] = 0
        started = self._evaluation_details.execution_details.start_time
        if isinstance(started, datetime.datetime):
            context["Execution"]["StartTime"] = started.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return env

    ExecutionWorker._get_evaluation_environment = with_redrive_count

    def redrive_execution(self):
        execution = self.stepfunction_backend.describe_execution(self._get_param("executionArn"))
        if execution.exec_status in (RUNNING, ExecutionStatus.SUCCEEDED):
            raise ExecutionNotRedrivable(f"Execution is {execution.status} and cannot be redriven")
        before = execution.exec_worker
        execution.earlier_runs = (*getattr(execution, "earlier_runs", ()), before.env)
        execution.redrives = getattr(execution, "redrives", 0) + 1
        execution.error = execution.cause = execution.stop_date = None
        execution.exec_status = RUNNING
        execution.exec_worker = _Again(before, execution.redrives)
        report(_status_change(execution))
        execution.exec_worker.start()
        return responses.ActionResult({"redriveDate": datetime.datetime.now(datetime.UTC)})

    responses.StepFunctionResponse.redrive_execution = redrive_execution


def _reporting(report: Callable[[dict], None]) -> None:
    start = executions.Execution.start

    def started(self):
        now = _now()
        # AWS counts in milliseconds, and says the same in each of its reports.
        self.exec_status, self.start_date = RUNNING, now.replace(microsecond=now.microsecond // 1000 * 1000)
        report(_status_change(self))
        start(self)

    executions.Execution.start = started
    communication = executions.BaseExecutionWorkerCommunication
    reflect = communication._reflect_execution_status

    def reflected(self):
        reflect(self)
        if self.execution.exec_status != RUNNING:
            self.execution.stop_date = _now()
        report(_status_change(self.execution))

    communication._reflect_execution_status = reflected


def _now() -> datetime.datetime:
    return datetime.datetime.fromtimestamp(clock.the.now(), datetime.UTC)


def _describing() -> None:
    describe = responses.StepFunctionResponse.describe_execution

    def describe_execution(self):
        answer = describe(self)
        execution: executions.Execution = StepFunctionBackend.describe_execution(
            self.stepfunction_backend, self._get_param("executionArn")
        )
        answer._result["redriveCount"] = getattr(execution, "redrives", 0)
        if execution.stop_date is not None:
            answer._result["stopDate"] = execution.stop_date
        return answer

    responses.StepFunctionResponse.describe_execution = describe_execution


def _status_change(execution: executions.Execution) -> dict:
    """The detail of a "Step Functions Execution Status Change" event.

    Omits fields that are not in AWS's own type definitions, such as the number of redrives. A receiver must not need
    them.
    """
    stopped = execution.stop_date.timestamp() * 1000 if execution.stop_date else None
    succeeded = execution.exec_status == ExecutionStatus.SUCCEEDED
    return {
        "executionArn": execution.exec_arn,
        "stateMachineArn": execution.state_machine.arn,
        "name": execution.name,
        "status": execution.status,
        "startDate": round(execution.start_date.timestamp() * 1000),
        "stopDate": int(stopped) if stopped else None,
        "input": execution.execution_input,
        "inputDetails": {"included": True},
        "output": json.dumps(execution.output) if succeeded else None,
        "outputDetails": {"included": True} if succeeded else None,
        "error": execution.error,
        "cause": execution.cause,
    }
