"""Patch: timeouts, heartbeats, Wait states and pauses before a retry use the peer's clock.

A stopped execution stops waiting.
"""

import datetime
import types

from moto.stepfunctions.parser.asl.component.common.retry import retrier_decl
from moto.stepfunctions.parser.asl.component.state.exec import execute_state
from moto.stepfunctions.parser.asl.component.state.wait.wait_function import timestamp, wait_function
from moto.stepfunctions.parser.asl.eval.callback import callback

from . import clock


def install() -> None:
    """Applies the patch."""
    execute_state.threading = types.SimpleNamespace(Event=clock.Event)
    callback.Event = clock.Event
    retrier_decl.time = types.SimpleNamespace(sleep=lambda seconds: clock.Event().wait(seconds))
    wait_function.WaitFunction._wait_interval = _wait
    timestamp.Timestamp._get_wait_seconds = _seconds_until


def _wait(self, env, wait_seconds) -> None:
    end = clock.the.now() + wait_seconds
    while env.is_running() and clock.the.now() < end:
        env.program_state_event.wait(clock.SLICE)


def _seconds_until(self, env) -> float:
    # moto compares a UTC time with the machine's local time, and truncates it to seconds.
    self.string.eval(env=env)
    text = env.stack.pop()
    if not self._is_valid_timestamp_pattern(text):
        raise timestamp.FailureEventException(self._create_failure_event(env, text))
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() - clock.the.now()
