"""EventBridge: fires schedules on request, and delivers events to the functions of matching rules.

moto stores rules but delivers neither. Deliveries are logged in `events.jsonl`.
"""

import datetime
import json
import pathlib
import threading
import uuid

from moto.awslambda.models import lambda_backends
from moto.events.models import events_backends

from . import ACCOUNT, REGION, clock
from .permissions import may_invoke

_lock = threading.Lock()
_log: pathlib.Path
_under_way: list[threading.Thread] = []


def install(folder: pathlib.Path) -> None:
    """Creates the log of deliveries."""
    global _log
    _log = folder / "events.jsonl"
    _log.touch()


def execution_changed(detail: dict) -> None:
    """Delivers a change of an execution's status to the rules, in the background."""
    event = _event("aws.states", "Step Functions Execution Status Change", [detail["executionArn"]], detail)
    thread = threading.Thread(target=_publish, args=(event,), daemon=True)
    _under_way.append(thread)
    thread.start()


def settled() -> None:
    """Returns when every event has been delivered."""
    while _under_way:
        _under_way.pop().join()


def tick() -> list[dict]:
    """Fires every enabled schedule once. Returns what the functions answered."""
    answers = []
    for rule in _enabled():
        if rule.scheduled_expression:
            event = _event("aws.events", "Scheduled Event", [rule.arn], {})
            answers += [_deliver(rule, target, event) for target in rule.targets]
    return answers


def _event(source: str, kind: str, resources: list[str], detail: dict) -> dict:
    now = datetime.datetime.fromtimestamp(int(clock.the.now()), datetime.UTC)
    return {
        "version": "0",
        "id": str(uuid.uuid4()),
        "detail-type": kind,
        "source": source,
        "account": ACCOUNT,
        "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": resources,
        "detail": detail,
    }


def _enabled():
    buses = events_backends[ACCOUNT][REGION].event_buses.values()
    return [rule for bus in buses for rule in list(bus.rules.values()) if rule.state == "ENABLED"]


def _publish(event: dict) -> None:
    for rule in _enabled():
        if not rule.scheduled_expression and rule.event_pattern.matches_event(event):
            for target in rule.targets:
                _deliver(rule, target, event)


def _deliver(rule, target: dict, event: dict) -> dict:
    function = target["Arn"]
    said = {"rule": rule.name, "target": function, "detail-type": event["detail-type"], "detail": event["detail"]}
    if target.get("InputTransformer") or target.get("InputPath"):
        said["failure"] = "the peer knows neither InputTransformer nor InputPath"
    elif not may_invoke(function, "events.amazonaws.com", rule.arn):
        said["failure"] = "the function's policy does not let the rule invoke it"
    else:
        parts = function.split(":")
        backend = lambda_backends[ACCOUNT][REGION]
        headers: dict = {}
        body = target.get("Input") or json.dumps(event)
        answer = backend.invoke(parts[6], parts[7] if len(parts) > 7 else None, body, {}, headers)
        said["answer"] = answer.decode()
        if "x-amz-function-error" in headers:
            said["failure"] = said["answer"]
    with _lock, _log.open("a") as log:
        log.write(json.dumps(said) + "\n")
    return said
