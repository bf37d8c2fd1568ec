"""Patch: DynamoDB writes happen one after the other, as the service serialises those of one item."""

import threading

from moto.dynamodb.models import DynamoDBBackend

_one_at_a_time = threading.RLock()


def install() -> None:
    """Puts the patch in place."""
    for name in ("put_item", "update_item", "delete_item", "transact_write_items"):
        setattr(DynamoDBBackend, name, _serial(getattr(DynamoDBBackend, name)))


def _serial(write):
    def one(*given, **named):
        with _one_at_a_time:
            return write(*given, **named)

    return one
