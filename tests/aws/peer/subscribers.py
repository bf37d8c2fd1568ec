"""SNS: what is published to an HTTP endpoint reaches the peer's own sink, whatever host the endpoint names.

moto really posts, to any host. Deliveries are written to `http.jsonl`; e-mail addresses count as confirmed, and are
sent nothing.
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
    """Turns SNS's deliveries over HTTP to the sink below `front`."""
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
    """Writes a delivery down."""
    with _lock, _log.open("a") as log:
        log.write(json.dumps({"endpoint": endpoint, "body": body}) + "\n")
