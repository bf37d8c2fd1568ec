"""SNS: messages to HTTP endpoints go to the peer's own sink, whatever the endpoint's host.

moto alone would post to that host. Deliveries are logged in `http.jsonl`. E-mail addresses count as confirmed and
receive nothing.
"""

import json
import pathlib
import threading
import types

import requests
from moto.sns import models

_lock = threading.Lock()
_log: pathlib.Path


def install(folder: pathlib.Path, front: str) -> None:
    """Redirects SNS's HTTP deliveries to the sink below `front`."""
    global _log
    _log = folder / "http.jsonl"
    _log.touch()

    def post(endpoint: str, **what):
        session = requests.Session()
        session.trust_env = False
        what["headers"] = {**what.get("headers", {}), "Peer-Endpoint": endpoint}
        session.post(f"{front}/_peer/sink", timeout=10, **what).raise_for_status()

    models.requests = types.SimpleNamespace(post=post)


def received(endpoint: str, body: str) -> None:
    """Logs a delivery."""
    with _lock, _log.open("a") as log:
        log.write(json.dumps({"endpoint": endpoint, "body": body}) + "\n")
