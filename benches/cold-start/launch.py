"""One cold start: a new process on its own Runtime API, from its start to its first answer.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html. Linux only: the kernel reports the process's usage when
the answer has arrived and before it is acknowledged. Then the process is killed.
"""

import json
import pathlib
import re
import subprocess
import threading
import time
from dataclasses import dataclass

from serve import Handler, serve

SECONDS = 20


@dataclass(frozen=True)
class Start:
    """The cost of a start, and its answer."""

    cpu_ms: float
    wall_ms: float
    memory_mb: float
    answer: dict


def launch(command: list[str], variables: dict[str, str], event: dict, log: pathlib.Path) -> Start:
    """Starts a function for one event."""
    api = Api(json.dumps(event).encode())
    server = serve(api.handler())
    try:
        with log.open("ab") as output:
            began = time.perf_counter()
            process = subprocess.Popen(
                command,
                env={**variables, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_port}"},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
            )
            api.started(process.pid)
            try:
                end = began + SECONDS
                while not api.answered.wait(0.05) and process.poll() is None and time.perf_counter() < end:
                    pass
            finally:
                process.kill()
                process.wait()
    finally:
        server.shutdown()
        server.server_close()
    if not api.answered.is_set() or not api.path.endswith("/response"):
        raise RuntimeError(f"{command}: {process.returncode}, {api.path} {api.body.decode(errors='replace')}; see {log}")
    return Start(api.cpu * 1000, (api.at - began) * 1000, api.memory, json.loads(api.body))


class Api:
    """A Runtime API with one event, and the measurements at the time of its answer."""

    def __init__(self, event: bytes):
        self.event, self.pid, self.answered = event, 0, threading.Event()
        self.path, self.body, self.at, self.cpu, self.memory = "", b"", 0.0, 0.0, 0.0
        self._is_started = threading.Event()

    def started(self, pid: int) -> None:
        """Sets the process to measure."""
        self.pid = pid
        self._is_started.set()

    def answer(self, path: str, body: bytes) -> None:
        """Receives the first answer or error, and measures."""
        self._is_started.wait()
        self.at = time.perf_counter()
        # The kernel's CPU clock of another process (CLOCK_PROCESS_CPUTIME_ID).
        self.cpu = time.clock_gettime(~self.pid << 3 | 2)
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        # A kB in this file is 1,024 bytes.
        self.memory = int(re.search(r"^VmHWM:\s*(\d+) kB$", status, re.MULTILINE)[1]) * 1024 / 1e6
        self.path, self.body = path, body
        self.answered.set()

    def handler(self):
        """`/2018-06-01/runtime/…`."""
        api = self

        class RuntimeApi(Handler):
            """Returns the event once. A second call waits until the process is killed."""

            def do_GET(self):
                if api.answered.is_set():
                    return
                headers = {
                    "Lambda-Runtime-Aws-Request-Id": "8476a536-e9f4-11e8-9739-2dfe598c3fcd",
                    "Lambda-Runtime-Deadline-Ms": str(int((time.time() + SECONDS) * 1000)),
                    "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:measured",
                    "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
                }
                self.answer(200, api.event, headers)

            def do_POST(self):
                api.answer(self.path, self.body())
                self.answer(202, b"", {})

        return RuntimeApi
