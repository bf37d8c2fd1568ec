"""API Gateway's front for HTTP APIs: requests on `/<api id>/…` become events of payload format 2.0.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
"""

import base64
import json
import pathlib
import re
import threading
import time
import uuid
from dataclasses import dataclass
from urllib.parse import parse_qsl

from moto.apigatewayv2.models import apigatewayv2_backends
from moto.awslambda.models import lambda_backends

from . import ACCOUNT, REGION, clock
from .permissions import may_invoke


@dataclass
class Request:
    """A request, and whether its text body reaches the function in base64."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    encoded: bool


@dataclass
class Answer:
    """A response."""

    status: int
    headers: dict[str, str]
    body: bytes


_lock = threading.Lock()
_log: pathlib.Path


def install(folder: pathlib.Path) -> None:
    """Creates the log of requests, `api.jsonl`."""
    global _log
    _log = folder / "api.jsonl"
    _log.touch()


def note(request: Request, answer: Answer) -> None:
    """Logs the request and its response."""
    said = {"method": request.method, "path": request.path, "headers": request.headers}
    said |= {
        "body": base64.b64encode(request.body).decode(),
        "status": answer.status,
        "answer": answer.body.decode(errors="replace"),
    }
    with _lock, _log.open("a") as log:
        log.write(json.dumps(said) + "\n")


def _refusal(status: int, message: str) -> Answer:
    return Answer(status, {"content-type": "application/json"}, json.dumps({"message": message}).encode())


def handle(request: Request) -> Answer:
    """Finds the route and invokes its function."""
    _, api_id, *rest = request.path.split("/", 2)
    path, _, query = ("/" + (rest[0] if rest else "")).partition("?")
    api = apigatewayv2_backends[ACCOUNT][REGION].apis.get(api_id)
    if api is None or "$default" not in api.stages:
        return _refusal(404, "Not Found")
    if len(request.body) > 10 * 1024 * 1024:
        return _refusal(413, "Request Entity Too Large")
    route = _route(api, request.method, path)
    if route is None:
        return _refusal(404, "Not Found")
    integration = api.integrations[route.target.split("/")[1]]
    found = re.search(r"functions/(arn:[^/]+)/invocations", integration.integration_uri)
    function = found[1] if found else integration.integration_uri
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api_id}/$default/{request.method}{path}"
    if not may_invoke(function, "apigateway.amazonaws.com", source):
        return _refusal(500, "Internal Server Error")
    return _ask(function, _event(request, api_id, route.route_key, path, query))


def _route(api, method: str, path: str):
    routes = {route.route_key: route for route in api.routes.values()}
    return routes.get(f"{method} {path}") or routes.get(f"ANY {path}") or routes.get("$default")


def _event(request: Request, api_id: str, route: str, path: str, query: str) -> dict:
    try:
        text, encoded = request.body.decode(), False
    except UnicodeDecodeError:
        encoded = True
    if encoded or request.encoded:
        text, encoded = base64.b64encode(request.body).decode(), True
    now = clock.the.now()
    event = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": query,
        "headers": request.headers,
        "requestContext": {
            "accountId": ACCOUNT,
            "apiId": api_id,
            "domainName": f"{api_id}.execute-api.{REGION}.amazonaws.com",
            "domainPrefix": api_id,
            "http": {
                "method": request.method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": "127.0.0.1",
                "userAgent": request.headers.get("user-agent", ""),
            },
            "requestId": str(uuid.uuid4()),
            "routeKey": route,
            "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
            "timeEpoch": int(now * 1000),
        },
        "isBase64Encoded": encoded,
    }
    if text:
        event["body"] = text
    if query:
        event["queryStringParameters"] = dict(parse_qsl(query, keep_blank_values=True))
    return event


def _ask(function: str, event: dict) -> Answer:
    parts, headers = function.split(":"), {}
    backend = lambda_backends[ACCOUNT][REGION]
    said = backend.invoke(parts[6], parts[7] if len(parts) > 7 else None, json.dumps(event), {}, headers)
    answer = json.loads(said)
    if "x-amz-function-error" in headers or not isinstance(answer, dict) or "statusCode" not in answer:
        return _refusal(500, "Internal Server Error")
    body = answer.get("body") or ""
    return Answer(
        answer["statusCode"],
        {str(name): str(value) for name, value in (answer.get("headers") or {}).items()},
        base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode(),
    )
