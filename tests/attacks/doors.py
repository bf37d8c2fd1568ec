"""Local servers: pages of other hosts and origins, requests that need no permission of a browser."""

import subprocess
import tempfile

from registry import attack
from world import BINARY


def get(world, door, *headers, path="/requests"):
    """Sends a GET with these headers; returns the status codes."""
    lines = "".join(f"{header}\r\n" for header in headers)
    return world.raw(f"GET {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode(), door)[0]


@attack("rebound names, other origins, and requests that a page may send unasked", "421, 403, 415")
def local_doors(w):
    here = "Host: 127.0.0.1"
    for name, door in (("gate", w.gate), ("simulator", w.github)):
        for host in (
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost@evil.example",
            "localhost.",
            "127.0.0.1:80:80",
            "0.0.0.0",
        ):
            codes = get(w, door, f"Host: {host}")
            yield f"{name}: host {host}", codes in ([421], [400]), codes
        codes = get(w, door, here, "Host: evil.example")
        yield f"{name}: two hosts", codes in ([421], [400]), codes
        codes = get(w, door, "Host: evil.example", path="http://evil.example/requests")
        yield f"{name}: an absolute target", codes == [421], codes
        for origin in ("https://evil.example", "null", "file://", "http://127.0.0.1.evil.example"):
            codes = get(w, door, here, f"Origin: {origin}")
            yield f"{name}: origin {origin}", codes == [403], codes
    body = '{"service":"checkout","environment":"staging"}'
    for kind in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "text/plain; application/json",
        "multipart/form-data",
    ):
        head = f"POST /executions HTTP/1.1\r\n{here}\r\nConnection: close\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
        codes, _ = w.raw((head + body).encode())
        yield kind, codes == [415], codes


@attack("a rebound page reads the state of `github setup`", "421, and a wrong state 400")
def github_setup(w):
    with tempfile.TemporaryDirectory() as folder:
        command = [BINARY, "github", "setup", "--no-browser", "--write-secrets", folder + "/secrets"]
        command += ["--webhook-url", "https://gate.example/x"]
        setup = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        try:
            words = setup.stderr.readline().split()
            door = next(word for word in words if word.startswith("http://")).rstrip("/")
            for headers in (
                ["Host: evil.example"],
                ["Host: 127.0.0.1", "Origin: https://evil.example"],
                ["Host: localhost.evil.example"],
            ):
                lines = "".join(f"{header}\r\n" for header in headers)
                codes, got = w.raw(f"GET / HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode(), door)
                yield headers[-1], codes in ([421], [403]) and b"state=" not in got, codes
            for query in ("code=x&state=guess", "code=x", "code=x&state="):
                codes = get(w, door, "Host: 127.0.0.1", path=f"/created?{query}")
                yield query, codes == [400], codes
            codes, got = w.raw(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", door)
            yield "the page itself is served", codes == [200] and b"state=" in got, codes
        finally:
            setup.terminate()
            setup.wait()
            setup.stdout.close()
            setup.stderr.close()
