"""One execution environment of a function: a Runtime API, and the zip's `bootstrap` as its process.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import pathlib
import queue
import subprocess
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import clock


class Environment:
    """A process that handles one event at a time."""

    def __init__(self, folder: pathlib.Path, arn: str, log: pathlib.Path):
        self.folder, self.arn, self.log = folder, arn, log
        self.events: queue.Queue = queue.Queue()
        self.answers: queue.Queue = queue.Queue()
        self.process: subprocess.Popen | None = None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def start(self, variables: dict[str, str]) -> None:
        """Starts the process."""
        address = f"127.0.0.1:{self.server.server_port}"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [str(self.folder / "task" / "bootstrap")],
                env={**variables, "AWS_LAMBDA_RUNTIME_API": address},
                cwd=self.folder / "task",
                stdout=log,
                stderr=log,
            )

    def runs(self) -> bool:
        """Whether the process is alive."""
        return self.process is not None and self.process.poll() is None

    def invoke(self, event: bytes, seconds: int) -> tuple[bytes, bool]:
        """Returns the answer to an event, and whether it is an error."""
        request = str(uuid.uuid4())
        self.events.put((request, event, int((clock.the.now() + seconds) * 1000)))
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                answered, body, error = self.answers.get(timeout=0.05)
            except queue.Empty:
                if not self.runs():
                    return failure("Runtime.ExitError", f"RequestId: {request} Error: Runtime exited"), True
                continue
            if answered in (request, None):
                return body, error
        self.stop()
        return failure(
            "Sandbox.Timedout", f"RequestId: {request} Error: Task timed out after {seconds:.2f} seconds"
        ), True

    def stop(self) -> None:
        """Stops the process."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        threading.Thread(target=self.server.shutdown, daemon=True).start()


def failure(kind: str, message: str) -> bytes:
    """Returns Lambda's error object for a failed function."""
    return json.dumps({"errorType": kind, "errorMessage": message}).encode()


def _handler(environment: Environment):
    class Handler(BaseHTTPRequestHandler):
        """`/2018-06-01/runtime/…`."""

        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            """Logs nothing."""

        def do_GET(self):
            """Returns the next event."""
            request, event, deadline = environment.events.get()
            self.send_response(200)
            self.send_header("Lambda-Runtime-Aws-Request-Id", request)
            self.send_header("Lambda-Runtime-Deadline-Ms", str(deadline))
            self.send_header("Lambda-Runtime-Invoked-Function-Arn", environment.arn)
            self.send_header("Lambda-Runtime-Trace-Id", "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1")
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(event)))
            self.end_headers()
            self.wfile.write(event)

        def do_POST(self):
            """Receives an answer, an error, or an error before the first event."""
            body, parts = self._body(), self.path.split("/")
            request = None if parts[-2] == "init" else parts[-2]
            environment.answers.put((request, body, parts[-1] == "error"))
            self.send_response(202)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def _body(self) -> bytes:
            if self.headers.get("Transfer-Encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("Content-Length", 0)))
            body = b""
            while size := int(self.rfile.readline().strip() or b"0", 16):
                body += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return body

    return Handler
