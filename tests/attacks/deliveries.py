"""Deliveries: forged, changed, replayed, malformed. A delivery alone never approves anything."""

import json
import time
import uuid

from registry import attack


def payload_bytes(pull):
    """Returns a made-up approval by pia as the bytes of a delivery."""
    return json.dumps(pull.payload("pia")).encode()


def head_of(*lines):
    """Returns the head of a POST to the webhook."""
    first = ["POST /webhooks/github HTTP/1.1", "Host: 127.0.0.1", *lines]
    return ("\r\n".join(first) + "\r\n\r\n").encode()


@attack("a delivery signed with another secret", "401, and nothing changes")
def another_secret(w):
    pull = w.pull()
    run = w.begin("production", pull)
    for secret in ("x" * 64, w.secret[:-1], w.secret.upper(), " "):
        status, _ = w.deliver(pull.payload("pia"), secret=secret)
        yield f"a secret of {len(secret)} characters", status == 401, status
    yield "the request waits", *run.refused()


@attack("a signature that is missing, SHA-1, upper case, truncated or padded", "401 each")
def malformed_signature(w):
    pull = w.pull()
    body = payload_bytes(pull)
    good = w.sign(body)
    tries = {
        "none": None,
        "empty": "",
        "upper-case scheme": good.replace("sha256", "SHA256"),
        "upper-case digits": "sha256=" + good[7:].upper(),
        "63 digits": good[:-1],
        "text behind it": good + " x",
        "only the scheme": "sha256=",
        "only the digits": good[7:],
        "another scheme": good.replace("sha256", "sha512"),
    }
    for what, signature in tries.items():
        status, _ = w.deliver(body, signature=signature)
        yield what, status == 401, status
    status, _ = w.deliver(body, signature=None, headers={"x-hub-signature": "sha1=" + "0" * 40})
    yield "only SHA-1", status == 401, status


@attack("two signatures, one of them right", "401")
def two_signatures(w):
    body = payload_bytes(w.pull())
    good, bad = w.sign(body), "sha256=" + "0" * 64
    for first, second in ((good, bad), (bad, good), (good, good)):
        head = head_of(
            f"Content-Length: {len(body)}",
            "Connection: close",
            "X-GitHub-Event: pull_request_review",
            f"X-GitHub-Delivery: {uuid.uuid4()}",
            f"X-Hub-Signature-256: {first}",
            f"X-Hub-Signature-256: {second}",
        )
        codes, _ = w.raw(head + body)
        yield f"{first[7:11]} and {second[7:11]}", codes == [401], codes
    status, _ = w.deliver(body, signature=f"{good}, {good}")
    yield "joined by a comma", status == 401, status


@attack("a body that is truncated, extended or formatted anew after signing", "401 each")
def changed_body(w):
    body = payload_bytes(w.pull())
    good = w.sign(body)
    tries = {
        "truncated": body[:-1],
        "extended": body + b" ",
        "formatted anew": json.dumps(json.loads(body), indent=1).encode(),
        "with a byte order mark": b"\xef\xbb\xbf" + body,
        "empty": b"",
    }
    for what, other in tries.items():
        status, _ = w.deliver(other, signature=good)
        yield what, status == 401, status


@attack(
    "a delivery sent again: with its id, and with a new id after a dismissal", "a dismissed approval stays dismissed"
)
def replay(w):
    pull = w.pull()
    w.begin("production", pull)
    comment = pull.review("mallory", "COMMENT", "hi")
    body, guid = json.dumps(pull.payload("mallory", "commented", "hi", comment["id"])).encode(), str(uuid.uuid4())
    w.deliver(body, delivery=guid)
    status, answer = w.deliver(body, delivery=guid)
    yield "the same id", (status, answer["result"]) == (200, "worked before"), f"{status} {answer}"
    other = w.pull()
    run = w.begin("production", other)
    w.unhook()
    review = other.review("pia")
    other.dismiss(review, by="pat")
    w.hook()
    w.deliver(other.payload("pia", review=review["id"]))
    yield "`submitted` after the dismissal", *run.refused()


@attack("a body of 25 MiB and one byte, with a length and in chunks", "413, and the gate goes on serving")
def oversized(w):
    size = 25 * 1024 * 1024 + 1
    body = b"{" + b" " * (size - 2) + b"}"
    closed = ("ConnectionResetError", "BrokenPipeError")
    try:
        status, _ = w.deliver(body)
    except OSError as error:  # the gate answered before everything was sent
        status = type(error).__name__
    yield "with a length", status == 413 or status in closed, status
    head = head_of(
        "Transfer-Encoding: chunked",
        "Connection: close",
        "X-GitHub-Event: ping",
        f"X-GitHub-Delivery: {uuid.uuid4()}",
        f"X-Hub-Signature-256: {w.sign(body)}",
    )
    try:
        codes, _ = w.raw(head + b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n")
    except OSError as error:
        codes = type(error).__name__
    yield "in chunks", codes == [413] or codes in closed, codes
    yield "the gate serves", w.http("GET", w.gate + "/health")[0] == 200, ""


@attack("a body in chunks is the same delivery; a form is no JSON", "chunks 200, a form 400")
def chunks_and_forms(w):
    body = json.dumps({"zen": "x", "hook_id": 1}).encode()
    head = head_of(
        "Transfer-Encoding: chunked",
        "Connection: close",
        "X-GitHub-Event: ping",
        f"X-GitHub-Delivery: {uuid.uuid4()}",
        f"X-Hub-Signature-256: {w.sign(body)}",
    )
    codes, _ = w.raw(head + b"5\r\n" + body[:5] + b"\r\n%x\r\n" % len(body[5:]) + body[5:] + b"\r\n0\r\n\r\n")
    yield "a ping in chunks is accepted", codes == [200], codes
    kind = {"content-type": "application/x-www-form-urlencoded"}
    status, _ = w.deliver(b"payload=" + body, event="ping", headers=kind)
    yield "a form", status == 400, status


@attack("request smuggling: two lengths, a length with chunks, a folded header, NUL", "never read in two ways")
def smuggling(w):
    inner = b"GET /requests HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    lines = b"POST /webhooks/github HTTP/1.1\r\nHost: 127.0.0.1\r\nX-GitHub-Event: ping\r\n"
    size = len(inner)
    ambiguous = {
        "two lengths": b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % size + inner,
        "two encodings": b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + inner,
        "an unknown encoding": b"Transfer-Encoding: xchunked\r\nContent-Length: 0\r\n\r\n" + inner,
        "a signed length": b"Content-Length: +0\r\n\r\n" + inner,
        "a space before the colon": b"Content-Length : 0\r\n\r\n" + inner,
    }
    clear = {
        # A request may follow where the encoding says that this one ends.
        "a length and chunks": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
        "a folded header": b"X-Hub-Signature-256: sha256=\r\n 00\r\nContent-Length: 0\r\n\r\n",
        "NUL": b"X-Hub-Signature-256: sha\x00256\r\nContent-Length: 0\r\n\r\n",
    }
    for what, rest in {**ambiguous, **clear}.items():
        codes, got = w.raw(lines + rest, timeout=1.5)
        read_twice = b'"requests"' in got and what in ambiguous
        yield what, codes[:1] in ([400], [401], [501], []) and not read_twice, codes


@attack("an event or an id that is malformed, or not the one of the body", "400 each")
def wrong_headers(w):
    body = w.pull().payload("pia")
    long_id, path = {"x-github-delivery": "a" * 129}, {"x-github-delivery": "../../x"}
    tries = {
        "another event": ("pull_request", {}),
        "ping": ("ping", {}),
        "upper case": ("Pull_Request_Review", {}),
        "two events": ("ping,ping", {}),
        "an id with slashes": ("pull_request_review", path),
        "an id that is too long": ("pull_request_review", long_id),
    }
    for what, (event, headers) in tries.items():
        status, _ = w.deliver(body, event=event, headers=headers)
        yield what, status == 400, status


@attack("a delivery for another repository or pull request", "this request goes on waiting")
def elsewhere(w):
    pull = w.pull()
    run = w.begin("production", pull)
    w.pull(name="acme/other", branch="change-x")
    for name, number in (("acme/other", pull.number), ("mallory/checkout", pull.number), (pull.name, 999_999)):
        payload = pull.payload("pia", name=name)
        payload["pull_request"]["number"] = number
        w.deliver(payload)
    yield "elsewhere", *run.refused()
    payload = pull.payload("pia")
    payload["pull_request"]["number"] = 0
    status, _ = w.deliver(payload)
    yield "number 0", status == 422, status


@attack("an approval that GitHub does not list, in a delivery with the right signature", "not counted")
def made_up_approval(w):
    pull = w.pull()
    run = w.begin("production", pull)
    status, _ = w.deliver(pull.payload("pia"))
    yield "an id that GitHub does not know", *run.refused()
    comment = pull.review("mallory", "COMMENT", "hi")
    w.deliver(pull.payload("pia", review=comment["id"]))
    yield f"the id of mallory's comment ({status})", *run.refused()


@attack(
    "`edited` arrives before `submitted`, with the text that somebody else wrote",
    "the edited text is not the first one",
)
def edited_comes_first(w):
    pull = w.pull()
    run = w.begin("production", pull)
    w.unhook()
    review = pull.review("pia", body="/approve staging")
    pull.edit(review, "LGTM")
    w.hook()
    w.deliver(pull.payload("pia", body="LGTM", review=review["id"], action="edited"))
    w.advance("11m")
    yield "narrowed, then edited", *run.refused()


@attack("JSON with depth, odd numbers or surrogates", "4xx with a short text")
def hostile_json(w):
    good = payload_bytes(w.pull())
    number = b'"id": 99000001'
    tries = {
        "depth": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        "1e400": good.replace(number, b'"id": 1e400'),
        "2^64": good.replace(number, b'"id": 18446744073709551616'),
        "-1": good.replace(number, b'"id": -1'),
        "NaN": good.replace(number, b'"id": NaN'),
        "a surrogate": good.replace(b'"body": ""', b'"body": "\\ud800"'),
        "an array": b"[]",
        "a text": b'"x"',
        "NUL": b"\x00" * 64,
    }
    for what, body in tries.items():
        status, answer = w.deliver(body)
        yield what, 400 <= status < 500 and len(json.dumps(answer)) < 300, status
    yield "the gate serves", w.http("GET", w.gate + "/health")[0] == 200, ""


@attack("500 unsigned requests while somebody approves", "401 each, and the approval arrives")
def unsigned_flood(w):
    pull = w.pull()
    run = w.begin("production", pull)
    body = payload_bytes(pull)
    began = time.monotonic()
    statuses = {w.deliver(body, signature="sha256=" + "0" * 64)[0] for _ in range(250)}
    yield "refused, and nothing released", statuses == {401} and run.status() == "RUNNING", statuses
    pull.review("pia")
    statuses = {w.deliver(body, signature=None)[0] for _ in range(250)}
    yield "still refused", statuses == {401}, statuses
    yield "the approval arrives", run.released(), f"{run.seen()} after {time.monotonic() - began:.1f} s"
