#!/usr/bin/env python3
"""Attacks a running `countersign dev`, and says what was refused and what was not.

    tests/attacks/run.py [--list] [--jobs N] [NAME…]

NAME is an attack or a module; default: all. COUNTERSIGN names the binary; default: target/debug/countersign.
Exit code 1 if an attack was not refused. Needs Python 3.11 or later, and nothing else.
"""

import argparse
import concurrent.futures
import importlib
import sys
import time

sys.dont_write_bytecode = True

from registry import ATTACKS
from world import World

MODULES = (
    "deliveries",
    "accounts",
    "commands",
    "texts",
    "authorship",
    "objections",
    "revisions",
    "names",
    "partial",
    "quota",
    "doors",
    "files",
)
for module in MODULES:
    importlib.import_module(module)


def made(attack, world):
    """Makes one attack; returns its results and how long it took."""
    began = time.monotonic()
    try:
        results = [(what, bool(refused), seen) for what, refused, seen in attack.work(world)]
    except Exception as error:  # an attack that could not be made is not refused
        results = [("the attack could not be made", False, f"{type(error).__name__}: {error}")]
    return results or [("the attack tried nothing", False, "")], time.monotonic() - began


def report(attack, results, seconds):
    """Prints the result of an attack; returns whether it was refused."""
    holes = [(what, seen) for what, refused, seen in results if not refused]
    word, count = "HOLE" if holes else "refused", f"{len(results) - len(holes)}/{len(results)}"
    lines = [f"{word:7} {attack.module}.{attack.name} ({count}, {seconds:.1f} s)"]
    if holes:
        lines.append(f"        {attack.title}")
        lines.append(f"        expected: {attack.expected}")
        lines += [f"          {what}: {seen}" for what, seen in holes[:12]]
    print("\n".join(lines), flush=True)
    return not holes


def run_module(attacks):
    """Makes the attacks of one module on one gate, in order."""
    world = World()
    try:
        return all([report(attack, *made(attack, world)) for attack in attacks])
    finally:
        world.stop()


def main():
    """Returns the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--list", action="store_true", help="print the attacks, and make none")
    arguments.add_argument("--jobs", type=int, default=3, help="how many gates run at once [default: 3]")
    arguments.add_argument("names", nargs="*", metavar="NAME")
    given = arguments.parse_args()
    unknown = set(given.names) - {attack.name for attack in ATTACKS} - set(MODULES)
    if unknown:
        arguments.error(f"there is no attack or module {', '.join(sorted(unknown))}")
    chosen = [one for one in ATTACKS if not given.names or {one.name, one.module} & set(given.names)]
    if given.list:
        print("\n".join(f"{one.module}.{one.name}: {one.title} → {one.expected}" for one in chosen))
        return 0
    began = time.monotonic()
    groups = [[one for one in chosen if one.module == module] for module in MODULES]
    with concurrent.futures.ThreadPoolExecutor(given.jobs) as pool:
        fine = list(pool.map(run_module, filter(None, groups)))
    print(
        f"{len(chosen)} attacks in {time.monotonic() - began:.0f} s: {'all refused' if all(fine) else 'NOT all refused'}"
    )
    return 0 if all(fine) else 1


if __name__ == "__main__":
    sys.exit(main())
