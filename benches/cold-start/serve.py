"""HTTP servers on loopback that answer immediately: each answer in one packet, without Nagle's delay."""

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Handler(BaseHTTPRequestHandler):
    """The common part of all handlers."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *_):
        """Logs nothing."""

    def body(self) -> bytes:
        """Returns the request's body."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().strip() or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        """Sends the answer in one piece."""
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
        try:
            self.wfile.write("\r\n".join([*lines, "", ""]).encode() + body)
        except OSError:
            # The client was killed after its answer arrived.
            self.close_connection = True


class Server(ThreadingHTTPServer):
    """A server on a free port. Open connections do not keep it from stopping."""

    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        """Ignores errors, because processes are killed during calls on purpose."""


def serve(handler: type[Handler]) -> Server:
    """Starts a server that runs until it is shut down."""
    server = Server(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server
