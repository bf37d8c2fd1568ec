"""What a guard is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Guard:
    """A guard, the edits that take it out, and the attacks that rest on it."""

    name: str
    what: str
    attacks: str
    edits: tuple[tuple[str, str, str], ...]
    """File, text that stands in it once, and what replaces it. `WITHOUT` becomes the switch."""


def begin(file, function, result):
    """Returns an edit that makes a function return at once. `function` is its first line."""
    return (file, function, f"{function}\n    if WITHOUT {{\n        return {result};\n    }}")
