"""Starts the processes that tests need, on free loopback ports; waits until they answer; stops them."""

import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable

import boto3
from botocore.config import Config

from peer import REGION

HERE = pathlib.Path(__file__).resolve().parent


def free_port() -> int:
    """Returns a port on which nothing listened a moment ago."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what: str, ask: Callable, seconds: float = 20):
    """Returns the first truthy answer. Fails if none comes in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(0.05)
    raise AssertionError(f"{what}: not in {seconds} s")


def call(method: str, url: str, body: object = None, headers: dict[str, str] | None = None) -> tuple[int, object]:
    """Makes an HTTP call with JSON or raw bytes. Returns the status and JSON of the response."""
    raw = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    given = {"content-type": "application/json", **(headers or {})}
    request = urllib.request.Request(url, data=raw, method=method, headers=given)
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=60) as answer:
            return answer.status, _json(answer.read())
    except urllib.error.HTTPError as refused:
        return refused.code, _json(refused.read())


def _json(body: bytes) -> object:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return body.decode(errors="replace")


class Process:
    """A process that writes its output to a file."""

    def __init__(self, command: list[str], log: pathlib.Path, **environment: str):
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                command, cwd=HERE, env={**os.environ, **environment}, stdout=output, stderr=output
            )

    def stop(self) -> None:
        """Terminates the process and waits for its end."""
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


class Peer:
    """The offline AWS."""

    def __init__(self, data: pathlib.Path):
        data.mkdir(parents=True, exist_ok=True)
        self.data, port, front = data, free_port(), free_port()
        self.url, self.front = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{front}"
        command = [sys.executable, "-m", "peer", "--port", str(port), "--front", str(front), "--data", str(data)]
        self.process = Process(command, data / "peer.log")
        try:
            until("the peer answers", self._answers, 60)
        except AssertionError:
            self.process.stop()
            raise AssertionError(f"the peer did not start: {(data / 'peer.log').read_text()[-2000:]}") from None

    def _answers(self) -> bool:
        if self.process.process.poll() is not None:
            raise AssertionError("it ended")
        try:
            return call("GET", f"{self.url}/moto-api/data.json")[0] == 200
        except OSError:
            return False

    def client(self, service: str, key: str = "tester"):
        """Returns a client of one service, as the tester or with another access key."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=self.url,
            aws_access_key_id=key,
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, proxies={}, read_timeout=120),
        )

    def ask(self, what: str, **body) -> object:
        """Calls the peer's own API (`peer/front.py`)."""
        status, answer = call("POST", f"{self.front}/_peer/{what}", body)
        assert status == 200, (what, status, answer)
        return answer

    def tokens(self) -> list[str]:
        """Returns every task token that was issued."""
        return call("GET", f"{self.front}/_peer/tokens")[1]

    def lines(self, name: str) -> list[dict]:
        """Returns the lines of one of the peer's JSON Lines files."""
        return [json.loads(line) for line in (self.data / name).read_text().splitlines()]

    def denied(self) -> list[str]:
        """Returns what IAM refused."""
        return [line for line in (self.data / "iam.log").read_text().splitlines() if line.startswith("DENY")]

    def stop(self) -> None:
        """Stops the peer and its functions."""
        self.process.stop()
