"""Stands between the functions and the GitHub simulator, and changes answers of GitHub's GraphQL API.

GitHub answers a query in parts: `null` where the App may not see something, `errors` beside `data`, lists that are cut.
A scenario sets what happens to the answers, and everything else passes unchanged.
"""

import http.client
import json
import threading
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

HOP_BY_HOP = {"connection", "content-length", "transfer-encoding", "keep-alive"}

Change = Callable[[dict], object]
"""Gets the answer to a query, and returns the answer to give: JSON, or bytes as they are."""


class Between:
    """A proxy on loopback."""

    def __init__(self, target: str):
        self.target, self.change, self.changed = urllib.parse.urlsplit(target), None, 0
        between = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def pass_on(self):
                between.pass_on(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = pass_on

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def pass_on(self, handler: BaseHTTPRequestHandler) -> None:
        """Passes one request on, and its answer back."""
        body = handler.rfile.read(int(handler.headers.get("content-length") or 0))
        connection = http.client.HTTPConnection(self.target.hostname, self.target.port, timeout=60)
        try:
            given = {
                name: value for name, value in handler.headers.items() if name.lower() not in HOP_BY_HOP | {"host"}
            }
            connection.request(handler.command, handler.path, body or None, given)
            answer = connection.getresponse()
            content = answer.read()
            if self.change is not None and handler.path.endswith("/graphql") and answer.status == 200:
                content = self.apply(content)
            handler.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP_BY_HOP:
                    handler.send_header(name, value)
            handler.send_header("content-length", str(len(content)))
            handler.end_headers()
            handler.wfile.write(content)
        finally:
            connection.close()

    def apply(self, content: bytes) -> bytes:
        """Returns the changed answer, and counts it if it is another one."""
        given = json.loads(content)
        changed = self.change(given)
        self.changed += changed != given
        return changed if isinstance(changed, bytes) else json.dumps(changed).encode()

    def stop(self) -> None:
        """Stops the proxy."""
        self.server.shutdown()


def every(answer: object, key: str, edit: Callable[[dict], None]) -> None:
    """Calls `edit` with every object in the answer that has this key."""
    if isinstance(answer, dict):
        if key in answer:
            edit(answer)
        for value in list(answer.values()):
            every(value, key, edit)
    elif isinstance(answer, list):
        for value in answer:
            every(value, key, edit)
