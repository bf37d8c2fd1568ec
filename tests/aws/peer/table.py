"""Patch: makes moto as strict as DynamoDB.

Writes happen one at a time. The patch refuses reserved words in expressions, names and values that no expression uses,
an index key that is empty or of another type, a consistent read of an index, an item of more than 400 KB, and a transaction
of more than 100 actions or 4 MB.
"""

import base64
import json
import re
import threading
from collections.abc import Iterator

from moto.dynamodb import responses
from moto.dynamodb.exceptions import MockValidationException
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords

# Words of the expression grammar, which are not attribute names.
GRAMMAR = {"and", "or", "not", "in", "between", "set", "remove", "add", "delete"}
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html
ITEM_BYTES = 400 * 1024
TRANSACTION_BYTES = 4 * 1024 * 1024
TRANSACTION_ACTIONS = 100
_one_at_a_time = threading.RLock()


def install() -> None:
    """Applies the patch."""
    for name in ("put_item", "update_item", "delete_item", "transact_write_items"):
        setattr(DynamoDBBackend, name, _serial(getattr(DynamoDBBackend, name)))
    call = responses.DynamoHandler.call_action

    def call_action(self):
        body = self.body if isinstance(self.body, dict) else json.loads(self.body or "{}")
        _check_sizes(body)
        for part in _parts(body):
            _check_expressions(part)
            _check_index_keys(self.dynamodb_backend, part)
        return call(self)

    responses.DynamoHandler.call_action = call_action


def _serial(write):
    def one(*given, **named):
        with _one_at_a_time:
            return write(*given, **named)

    return one


def _parts(body: dict) -> Iterator[dict]:
    """Yields a call, or the parts of a transaction."""
    if "TransactItems" in body:
        for item in body["TransactItems"]:
            yield from item.values()
    else:
        yield body


def _check_sizes(body: dict) -> None:
    sizes = [_size(part.get("Item") or part.get("Key") or {}) for part in _parts(body)]
    if max(sizes, default=0) > ITEM_BYTES:
        raise MockValidationException("Item size has exceeded the maximum allowed size")
    if "TransactItems" in body:
        if len(sizes) > TRANSACTION_ACTIONS:
            raise MockValidationException(
                "1 validation error detected: Value at 'transactItems' failed to satisfy constraint: "
                f"Member must have length less than or equal to {TRANSACTION_ACTIONS}"
            )
        if sum(sizes) > TRANSACTION_BYTES:
            raise MockValidationException("The aggregate size of the items in the transaction exceeds 4 MB")


def _size(attributes: dict) -> int:
    """Returns the bytes of an item as DynamoDB counts them: the names and the values of its attributes."""
    return sum(len(name.encode()) + _value_size(value) for name, value in attributes.items())


def _value_size(value: dict) -> int:
    (kind, of), *_ = value.items()
    match kind:
        case "S":
            return len(of.encode())
        case "N":
            return -(-len(of.lstrip("-").replace(".", "")) // 2) + 1 + of.startswith("-")
        case "B":
            return len(base64.b64decode(of))
        case "SS" | "NS" | "BS":
            return sum(_value_size({kind[0]: one}) for one in of)
        case "L":
            return 3 + sum(1 + _value_size(one) for one in of)
        case "M":
            return 3 + sum(1 + len(name.encode()) + _value_size(one) for name, one in of.items())
        case _:
            return 1


def _check_expressions(part: dict) -> None:
    expressions = [text for name, text in part.items() if name.endswith("Expression") and isinstance(text, str)]
    used = set()
    for text in expressions:
        used |= set(re.findall(r"[#:][A-Za-z0-9_]+", text))
        for word in re.findall(r"(?<![#:\w])[A-Za-z_]\w*(?!\w)(?!\s*\()", text):
            if word.lower() not in GRAMMAR and word.upper() in ReservedKeywords.get_reserved_keywords():
                raise MockValidationException(
                    f"Invalid expression: Attribute name is a reserved keyword; reserved keyword: {word}"
                )
    for given in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        unused = sorted(set(part.get(given) or {}) - used)
        if unused:
            raise MockValidationException(
                f"Value provided in {given} unused in expressions: keys: {{{', '.join(unused)}}}"
            )
    if part.get("IndexName") and part.get("ConsistentRead"):
        raise MockValidationException("Consistent reads are not supported on global secondary indexes")


def _check_index_keys(backend, part: dict) -> None:
    table = backend.tables.get(part.get("TableName"))
    if table is None or "Item" not in part:
        return
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in table.attr}
    for name, value in part["Item"].items():
        if name in types and (list(value) != [types[name]] or not value[types[name]]):
            raise MockValidationException(
                f"One or more parameter values were invalid: Type mismatch or empty value for key {name} of an index"
            )
