"""The peer's second server: HTTP APIs, the sink for SNS, and the peer's own API for tests (`/_peer/…`).

| | |
|---|---|
| `POST /_peer/clock` `{"advance": seconds}` | moves the clock |
| `POST /_peer/tick` | fires every schedule once; returns what the functions answered |
| `POST /_peer/settle` | returns when every event has been delivered |
| `POST /_peer/encode` `{"base64": bool}` | whether HTTP APIs encode text in base64 |
| `POST /_peer/reachable` `{"api": bool}` | whether HTTP APIs answer at all |
| `POST /_peer/lose` `{"step": name}` | a step's next run does its work but fails; later runs are held |
| `POST /_peer/release` | continues the held runs |
| `GET /_peer/tokens` | every task token that was issued |
"""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from . import clock, functions, http_api, rules, subscribers, tokens

_settings = {"base64": False, "api": True}


def server(port: int) -> ThreadingHTTPServer:
    """Creates the server without starting it."""
    return ThreadingHTTPServer(("127.0.0.1", port), _Handler)


def _control(method: str, path: str, body: bytes) -> object:
    asked = json.loads(body or b"{}")
    if (method, path) == ("POST", "clock"):
        clock.the.advance(asked["advance"])
        return {"offset": clock.the.offset}
    if (method, path) == ("POST", "tick"):
        return rules.tick()
    if (method, path) == ("POST", "settle"):
        rules.settled()
        return {}
    if method == "POST" and path in ("encode", "reachable"):
        _settings.update(asked)
        return _settings
    if (method, path) == ("POST", "lose"):
        functions.lose(asked["step"])
        return {}
    if (method, path) == ("POST", "release"):
        functions.release()
        return {}
    if (method, path) == ("GET", "tokens"):
        return sorted(tokens.ISSUED)
    return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Logs nothing."""

    def _any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/_peer/sink":
            subscribers.received(self.headers["Peer-Endpoint"], body.decode())
            return self._answer(200, {}, b"")
        if self.path.startswith("/_peer/"):
            said = _control(self.command, self.path.removeprefix("/_peer/"), body)
            return self._answer(404 if said is None else 200, {}, json.dumps(said).encode())
        if not _settings["api"]:
            return self._answer(503, {}, b"")
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = http_api.Request(self.command, self.path, headers, body, _settings["base64"])
        answer = http_api.handle(request)
        http_api.note(request, answer)
        return self._answer(answer.status, answer.headers, answer.body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _any

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
