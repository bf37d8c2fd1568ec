"""Searches for leaked secrets in messages, logs, the table (except its token field) and Terraform's state."""

from collections.abc import Iterable
from dataclasses import dataclass

WINDOW = 24
SHORTEST = 12
"""A shorter secret could match by chance."""


@dataclass(frozen=True)
class Secret:
    """A text that must not leak, and the parts that identify it."""

    what: str
    parts: tuple[str, ...]

    @classmethod
    def of(cls, what: str, text: str) -> "Secret":
        """Splits a text into windows, so that any part of a line of two windows' length is recognised."""
        lines = [line.strip() for line in text.splitlines() if not line.startswith("-----")]
        windows = [line[at : at + WINDOW] for line in lines for at in range(0, len(line), WINDOW)]
        parts = tuple(window for window in windows if len(window) >= SHORTEST)
        assert parts, f"{what} is too short to look for"
        return cls(what, parts)


def found(secrets: Iterable[Secret], places: dict[str, str]) -> list[str]:
    """Returns which secret is in which place, without the secret itself."""
    return [
        f"{secret.what} in {place}"
        for secret in secrets
        for place, text in places.items()
        if any(part in text or part.replace("/", "\\/") in text for part in secret.parts)
    ]
