"""Checks every call of a function or a state machine against its role's policies, and logs the result.

Such a call is signed with the access key `ROLE.<role name>` (`functions`, and `as_role` here). Every other caller is
the tester, who may do anything. Each check logs one line: `ALLOW` or `DENY`, the role, the action, the resource.

Of conditions it knows `dynamodb:LeadingKeys`, under `ForAllValues:StringLike` and `Null`. It refuses all others, and
`NotAction` and `NotResource`. It ignores key policies.
"""

import fnmatch
import json
import pathlib
import re
import sys
import threading
from collections.abc import Iterator
from urllib.parse import unquote

import boto3
from botocore.config import Config
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import AWSError, _RESTError
from moto.iam import iam_backends
from moto.stepfunctions.parser.asl.utils import boto_client

from . import ACCOUNT, REGION, tokens

SERVICE = {"stepfunctions": "states", "awslambda": "lambda"}
IN_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
MANAGED_RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/StepFunctionsGetEventsForStepFunctionsExecutionRule"

_lock = threading.Lock()
_log: pathlib.Path


class AccessDenied(AWSError):
    """No policy of the role allows the action on the resource."""

    TYPE, STATUS = "AccessDeniedException", 400


class AuthorizationError(_RESTError):
    """The same error, as SNS words it."""

    code = 403

    def __init__(self, message: str):
        super().__init__("AuthorizationError", message)


def install(folder: pathlib.Path, port: int) -> None:
    """Adds the check to every call, and makes state machines call with their roles."""
    global _log
    _log = folder / "iam.log"
    _log.touch()
    ActionAuthenticatorMixin._authenticate_and_authorize_normal_action = lambda self, resource="*": _check_call(self)

    def as_role(region, service, state_credentials=None):
        role = getattr(state_credentials, "role_arn", None)
        return boto3.client(
            service,
            region_name=region,
            endpoint_url=f"http://127.0.0.1:{port}",
            aws_access_key_id=key_of(role) if role else "peer",
            aws_secret_access_key="peer",
            config=Config(parameter_validation=False, retries={"total_max_attempts": 1}, read_timeout=900),
        )

    for module in list(sys.modules.values()):
        if module.__name__.startswith("moto.stepfunctions") and hasattr(module, "boto_client_for"):
            module.boto_client_for = as_role
    boto_client.boto_client_for = as_role


def key_of(role_arn: str) -> str:
    """Returns the access key that signs a role's calls."""
    return "ROLE." + role_arn.rsplit("/", 1)[-1]


def allowed(role: str, action: str, resource: str, keys: frozenset[str] = frozenset()) -> bool:
    """Whether a role may do this to the items under these partition keys. Logs the result."""
    verdict = _permits(_identity_policies(role), action, resource, keys)
    boundary = _boundary(role)
    if boundary is not None:
        verdict = verdict and _permits(boundary, action, resource, keys)
    with _lock, _log.open("a") as log:
        log.write(f"{'ALLOW' if verdict else 'DENY'} {role} {action} {resource}\n")
    return verdict


def demand(role: str, action: str, resource: str, keys: frozenset[str] = frozenset()) -> None:
    """Raises an error if a role may not do this."""
    if not allowed(role, action, resource, keys):
        raise AccessDenied(
            f"User: arn:aws:sts::{ACCOUNT}:assumed-role/{role}/peer is not authorized to perform: {action} on "
            f"resource: {resource} because no identity-based policy allows the {action} action"
        )


def _check_call(call) -> None:
    caller = re.search(r"Credential=ROLE\.([^/]+)/", call.headers.get("Authorization", ""))
    if caller:
        try:
            for action, resource, keys in _asked(call):
                demand(caller[1], action, resource, keys)
        except AccessDenied as denied:
            if call.service_name == "sns":
                raise AuthorizationError(denied.message) from None
            raise
    elif call.service_name == "stepfunctions" and call._get_action() in ("CreateStateMachine", "UpdateStateMachine"):
        _check_managed_rule(call._get_param("definition") or "", call._get_param("roleArn") or "")


def _check_managed_rule(definition: str, role_arn: str) -> None:
    # AWS rejects a state machine that waits for a nested one if its role may not create the rule for it.
    if "startExecution.sync" in definition:
        for action in ("events:PutTargets", "events:PutRule", "events:DescribeRule"):
            demand(role_arn.rsplit("/", 1)[-1], action, MANAGED_RULE)


def _asked(call) -> Iterator[tuple[str, str, frozenset[str]]]:
    """Yields a call's actions and resources, as IAM names them, and the partition keys it concerns."""
    body = {}
    if call.service_name == "dynamodb":
        body = call.body if isinstance(call.body, dict) else json.loads(call.body or "{}")
        yield from _asked_of_tables(call, call._get_action(), body)
    else:
        yield from ((action, resource, frozenset()) for action, resource in _asked_elsewhere(call))


def _asked_elsewhere(call) -> Iterator[tuple[str, str]]:
    service, action = SERVICE.get(call.service_name, call.service_name), call._get_action()
    if service == "lambda":
        name = unquote(re.search(r"/functions/([^/]+)", call.uri)[1])
        arn = name if name.startswith("arn:") else f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{name}"
        yield "lambda:InvokeFunction" if action == "Invoke" else f"lambda:{action}", arn
    elif service == "states":
        found = tokens.execution_of(call.stepfunction_backend, call._get_param("taskToken") or "")
        waiting = found[0].state_machine.arn if found else None
        yield (
            f"states:{action}",
            waiting or call._get_param("stateMachineArn") or call._get_param("executionArn") or "*",
        )
    elif service == "sns":
        yield f"sns:{action}", call._get_param("TopicArn") or call._get_param("TargetArn") or "*"
    elif service == "secretsmanager":
        yield f"secretsmanager:{action}", call._get_param("SecretId") or "*"
    else:
        yield f"{service}:{action}", "*"


def _asked_of_tables(call, action: str, body: dict) -> Iterator[tuple[str, str, frozenset[str]]]:
    def table(name: str) -> str:
        return name if name.startswith("arn:") else f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"

    def keys(part: dict) -> frozenset[str]:
        found = call.dynamodb_backend.tables.get(part.get("TableName", "").rsplit("/", 1)[-1])
        values = part.get("Key") or part.get("Item") or {}
        key = values.get(found.hash_key_attr) if found else None
        return frozenset(key.values()) if key else frozenset()

    if action in ("TransactWriteItems", "TransactGetItems"):
        for item in body["TransactItems"]:
            for kind, part in item.items():
                yield f"dynamodb:{IN_TRANSACTION[kind]}", table(part["TableName"]), keys(part)
    elif action in ("BatchGetItem", "BatchWriteItem"):
        # A batch is allowed by its own action, and its keys are not looked at: no policy here sets a condition on it.
        for name in body["RequestItems"]:
            yield f"dynamodb:{action}", table(name), frozenset()
    else:
        index = f"/index/{body['IndexName']}" if body.get("IndexName") else ""
        yield f"dynamodb:{action}", table(body.get("TableName", "*")) + index, keys(body)


def _identity_policies(role: str) -> list[dict]:
    found = iam_backends[ACCOUNT]["aws"].get_role(role)
    documents = [*found.policies.values(), *(policy.document for policy in found.managed_policies.values())]
    return [statement for document in documents for statement in _statements(document)]


def _boundary(role: str) -> list[dict] | None:
    backend = iam_backends[ACCOUNT]["aws"]
    found = backend.get_role(role)
    boundary = getattr(found, "permissions_boundary_arn", None) or getattr(found, "permissions_boundary", None)
    return list(_statements(backend.get_policy(boundary).document)) if boundary else None


def _statements(document) -> Iterator[dict]:
    parsed = json.loads(unquote(document)) if isinstance(document, str) else document
    statements = parsed["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        if "NotAction" in statement or "NotResource" in statement:
            raise AccessDenied("the peer does not know NotAction and NotResource")
        yield statement


def _permits(statements: list[dict], action: str, resource: str, keys: frozenset[str]) -> bool:
    effects = {
        statement["Effect"]
        for statement in statements
        if _matches(statement.get("Action", []), action.lower(), str.lower)
        and _matches(statement.get("Resource", []), resource, str)
        and _holds(statement.get("Condition", {}), keys)
    }
    return effects == {"Allow"}


def _holds(condition: dict, keys: frozenset[str]) -> bool:
    """Whether a condition on partition keys holds. `ForAllValues` holds if there is no key."""
    for operator, tests in condition.items():
        for name, wanted in tests.items():
            if name != "dynamodb:LeadingKeys" or operator not in ("ForAllValues:StringLike", "Null"):
                raise AccessDenied(f"the peer does not know the condition {operator} on {name}")
            if operator == "Null" and (wanted == "true") == bool(keys):
                return False
            if operator != "Null" and not all(_matches(wanted, key, str) for key in keys):
                return False
    return True


def _matches(patterns, value: str, fold) -> bool:
    # IAM knows only the wildcards `*` and `?`. A bracket is literal.
    listed = patterns if isinstance(patterns, list) else [patterns]
    return any(fnmatch.fnmatchcase(value, fold(pattern).replace("[", "[[]")) for pattern in listed)
