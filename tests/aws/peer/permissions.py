"""What a function's own policy allows other services, as created by `aws_lambda_permission`."""

import fnmatch
import json

from moto.awslambda.models import lambda_backends

from . import ACCOUNT, REGION


def may_invoke(function: str, service: str, source: str) -> bool:
    """Whether a service may invoke a function on behalf of a source's ARN."""
    backend = lambda_backends[ACCOUNT][REGION]
    name, qualifier = _named(function)
    try:
        policy = json.loads(json.loads(backend.get_policy(name, qualifier))["Policy"])
    except Exception:  # moto raises an error if there is no policy
        return False
    return any(_fits(statement, service, source) for statement in policy["Statement"])


def _named(function: str) -> tuple[str, str | None]:
    parts = function.split(":")
    return (parts[6], parts[7] if len(parts) > 7 else None) if function.startswith("arn:") else (function, None)


def _fits(statement: dict, service: str, source: str) -> bool:
    if statement["Effect"] != "Allow" or statement["Action"] not in ("lambda:InvokeFunction", "lambda:*"):
        return False
    if statement["Principal"] not in ({"Service": service}, service):
        return False
    conditions = [
        pattern
        for values in statement.get("Condition", {}).values()
        for key, pattern in values.items()
        if key.lower() == "aws:sourcearn"
    ]
    return all(fnmatch.fnmatchcase(source, pattern) for pattern in conditions)
