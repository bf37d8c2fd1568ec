"""HTTP servers on loopback that answer at once: each answer in one piece, and no waiting for a fuller packet."""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """What all of them share."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        """Says nothing."""

    def body(self) -> bytes:
        """What was sent."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Answers, in one piece."""
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
        try:
            self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)
        except OSError:
            # Who asked was killed, having said what it was asked for.
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """One on a free port; what is open does not keep it from ending."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        """A process that is killed in the middle of a call is meant."""


def serve(handler: type[Handler]) -> Server:
    """Serves until it is shut down."""
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server
