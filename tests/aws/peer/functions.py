"""Lambda: runs the uploaded zip as a native process, with one environment for each concurrent event.

A layer is unpacked beside the code instead of `/opt`. Paths below `/opt` in a function's environment variables are
changed accordingly, and `COUNTERSIGN_POLICY`, whose default is below `/opt`, is always set. No other variable is
invented.
"""

import io
import json
import os
import pathlib
import shutil
import tempfile
import threading
import zipfile

from moto.awslambda import models

from . import clock, iam
from .runtime_api import Environment, failure

DEFAULT_POLICY = "/opt/countersign/policy.json"
KEPT = ("DeadLetterConfig", "KMSKeyArn", "LoggingConfig")

RUN_SECONDS = 60
"""How many seconds a run is held at most."""

_lock = threading.Lock()
_idle: dict[tuple, list[Environment]] = {}
_all: list[Environment] = []
_lost: dict[str, "Lost"] = {}
_folder: pathlib.Path
_port: int


class Lost:
    """A step of the state machine whose next run does its work but fails. Later runs are held."""

    def __init__(self):
        self.first = True
        self.released = threading.Event()


def lose(step: str) -> None:
    """Loses the answer of the step's next run, and holds later runs until `release`."""
    _lost[step] = Lost()


def release() -> None:
    """Continues the runs that `lose` holds."""
    for lost in _lost.values():
        lost.released.set()
    _lost.clear()


def install(folder: pathlib.Path, port: int) -> None:
    """Replaces moto's Docker containers with processes. Logs go to `logs/<function>.log` in the folder."""
    global _folder, _port
    _folder, _port = folder, port
    (folder / "logs").mkdir(exist_ok=True)
    models.LambdaFunction._invoke_lambda = _invoke
    models.LambdaFunction.invoke = _answer
    _keep_configuration()


def stop() -> None:
    """Stops every process."""
    for environment in _all:
        environment.stop()
        shutil.rmtree(environment.folder, ignore_errors=True)


def _keep_configuration() -> None:
    # moto forgets these, so every plan would set them again.
    function = models.LambdaFunction
    made, updated, described = function.__init__, function.update_configuration, function.get_configuration

    def keep(self, given: dict) -> None:
        kept = {name: given[name] for name in KEPT if name in given}
        queue = kept.get("DeadLetterConfig", {}).get("TargetArn")
        if queue:
            # Lambda rejects a dead-letter queue to which the function's role may not write.
            iam.demand(self.role.rsplit("/", 1)[-1], "sqs:SendMessage", queue)
        self.kept = {**getattr(self, "kept", {}), **kept}

    def init(self, account_id, spec, region, version=1):
        made(self, account_id, spec, region, version)
        keep(self, spec)

    def update(self, config_updates):
        keep(self, config_updates)
        updated(self, config_updates)
        return self.get_configuration()

    function.__init__, function.update_configuration = init, update
    function.get_configuration = lambda self, on_create=False: {**described(self, on_create), **self.kept}


def _answer(self, body, request_headers, response_headers):
    answer, failed, _ = self._invoke_lambda(body or "{}")
    if failed:
        response_headers["x-amz-function-error"] = "Unhandled"
    return answer.encode()


def _invoke(self, event=None) -> tuple[str, bool, str]:
    body = event if isinstance(event, str) else event.decode() if isinstance(event, bytes) else json.dumps(event)
    given = json.loads(body)
    lost = _lost.get(given.get("step")) if isinstance(given, dict) else None
    first = lost is not None and lost.first
    if first:
        lost.first = False
    elif lost is not None:
        lost.released.wait(RUN_SECONDS)
    key = (self.function_arn, self.code_sha_256, json.dumps(self.environment_vars, sort_keys=True), str(self.layers))
    with _lock:
        free = _idle.setdefault(key, [])
        environment = free.pop() if free else None
    if environment is None or not environment.runs():
        environment = _start(self)
    answer, failed = environment.invoke(body.encode(), int(self.timeout or 3))
    if environment.runs():
        with _lock:
            free.append(environment)
    if first:
        answer, failed = failure("Sandbox.Timedout", "Error: Task timed out, as asked"), True
    return answer.decode(), failed, ""


def _start(function) -> Environment:
    role = function.role.rsplit("/", 1)[-1]
    folder = pathlib.Path(tempfile.mkdtemp(prefix=f"{function.function_name}-", dir=_folder))
    _unpack(function.code_bytes, folder / "task")
    (folder / "opt").mkdir()
    for layer in function.layers or ():
        version = models.lambda_backends[function.account_id][function.region].layers_versions_by_arn(layer["Arn"])
        _unpack(version.code_bytes, folder / "opt")
    (folder / "task" / "bootstrap").chmod(0o755)
    environment = Environment(folder, function.function_arn, _log_of(function, role))
    environment.start(_variables(function, role, folder))
    _all.append(environment)
    return environment


def _unpack(code: bytes, to: pathlib.Path) -> None:
    with zipfile.ZipFile(io.BytesIO(code)) as archive:
        archive.extractall(to)


def _log_of(function, role: str) -> pathlib.Path:
    # The function's output reaches its log group only if its role may write there.
    group = f"arn:aws:logs:{function.region}:{function.account_id}:log-group:/aws/lambda/{function.function_name}"
    may = [
        iam.allowed(role, f"logs:{action}", f"{group}:log-stream:peer")
        for action in ("CreateLogStream", "PutLogEvents")
    ]
    return _folder / "logs" / f"{function.function_name}.log" if all(may) else pathlib.Path(os.devnull)


def _variables(function, role: str, folder: pathlib.Path) -> dict[str, str]:
    given = {"COUNTERSIGN_POLICY": DEFAULT_POLICY, **function.environment_vars}
    placed = {
        name: value.replace("/opt/", f"{folder}/opt/", 1) if value.startswith("/opt/") else value
        for name, value in given.items()
    }
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "_HANDLER": function.handler,
        "LAMBDA_TASK_ROOT": str(folder / "task"),
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_size),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function.function_name}",
        "AWS_LAMBDA_LOG_STREAM_NAME": "peer",
        "AWS_REGION": function.region,
        "AWS_DEFAULT_REGION": function.region,
        "AWS_ACCESS_KEY_ID": iam.key_of(role),
        "AWS_SECRET_ACCESS_KEY": "peer",
        "AWS_SESSION_TOKEN": "peer",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{_port}",
        **clock.the.environment(),
        **placed,
    }
