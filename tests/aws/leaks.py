"""Looks for secrets where none may be: messages, logs, the table but for its token field, Terraform's state."""

from collections.abc import Iterable
from dataclasses import dataclass

WINDOW = 24
SHORTEST = 12
"""A secret that is shorter would be found by chance."""


@dataclass(frozen=True)
class Secret:
    """Something that must not get out, and the parts by which it is recognised."""

    what: str
    parts: tuple[str, ...]

    @classmethod
    def of(cls, what: str, text: str) -> "Secret":
        """Of a text of one or several lines: any stretch of a line that is twice a window long gives it away."""
        lines = [line.strip() for line in text.splitlines() if not line.startswith("-----")]
        windows = [line[at : at + WINDOW] for line in lines for at in range(0, len(line), WINDOW)]
        parts = tuple(window for window in windows if len(window) >= SHORTEST)
        assert parts, f"{what} is too short to look for"
        return cls(what, parts)


def found(secrets: Iterable[Secret], places: dict[str, str]) -> list[str]:
    """Which secret stands where, without the secret itself."""
    return [
        f"{secret.what} in {place}"
        for secret in secrets
        for place, text in places.items()
        if any(part in text or part.replace("/", "\\/") in text for part in secret.parts)
    ]
