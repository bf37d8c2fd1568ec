"""The list of attacks.

An attack is a generator. It yields what was tried, whether that was refused, and what was seen.
"""

from dataclasses import dataclass
from typing import Callable


@dataclass(frozen=True)
class Attack:
    """One attack on a running gate."""

    name: str
    """The function's name: the attack's name on the command line."""
    module: str
    title: str
    expected: str
    work: Callable


ATTACKS: list[Attack] = []


def attack(title, expected):
    """Registers a function as an attack. `expected` says how the gate should refuse it."""

    def register(work):
        ATTACKS.append(Attack(work.__name__, work.__module__, title, expected, work))
        return work

    return register
