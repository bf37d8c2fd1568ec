"""Looks for secrets where none may be: messages, logs, the table but for its token field, Terraform's state."""

from collections.abc import Iterable
from dataclasses import dataclass

SHORTEST = 12
"""A secret that is shorter would be found by chance."""


@dataclass(frozen=True)
class Secret:
    """Something that must not get out, and the parts by which it is recognised."""

    what: str
    parts: tuple[str, ...]

    @classmethod
    def of(cls, what: str, text: str) -> "Secret":
        """Of a text of one or several lines: each line that is long enough gives it away, and so does its middle."""
        lines = [line.strip() for line in text.splitlines() if not line.startswith("-----")]
        parts = [line for line in lines if len(line) >= SHORTEST]
        assert parts, f"{what} is too short to look for"
        middles = [line[len(line) // 3 : len(line) // 3 + 24] for line in parts if len(line) >= 72]
        return cls(what, (*parts, *middles))


def found(secrets: Iterable[Secret], places: dict[str, str]) -> list[str]:
    """Which secret stands where, without the secret itself."""
    return [
        f"{secret.what} in {place}"
        for secret in secrets
        for place, text in places.items()
        if any(part in text or part.replace("/", "\\/") in text for part in secret.parts)
    ]
