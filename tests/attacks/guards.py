#!/usr/bin/env python3
"""Takes each guard out of a copy of the code, and shows that an attack then succeeds.

    tests/attacks/guards.py [--list] [--tree DIR] [--binary FILE] [NAME…]

NAME is a guard; default: all. Every edit puts a switch into the copy: `crate::without("NAME")` is true if the environment
variable COUNTERSIGN_WITHOUT names the guard. So one build serves all guards. `--binary` names a binary that was built so.
Exit code 1 if an attack does not succeed although its guard is gone, if an edit does not fit the code, or if an attack has
neither a guard nor a place in ELSEWHERE.
"""

import argparse
import os
import pathlib
import re
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

from guards_of_decisions import DECISIONS
from guards_of_the_gate import GATE
from run import ATTACKS

ROOT = pathlib.Path(__file__).resolve().parents[2]
SWITCH = """
/// Whether a guard is taken out. Only the copy that `tests/attacks/guards.py` builds has this.
#[must_use]
pub fn without(guard: &str) -> bool {
    static TAKEN_OUT: std::sync::OnceLock<Option<String>> = std::sync::OnceLock::new();
    TAKEN_OUT.get_or_init(|| std::env::var("COUNTERSIGN_WITHOUT").ok()).as_deref() == Some(guard)
}
"""


GUARDS = DECISIONS + GATE

ELSEWHERE = {
    "smuggling": "hyper reads requests in one way only",
    "made_up_approval": "reviews are read from GitHub; no code takes one from a delivery",
    "edited_comments": "a comment stays a comment at GitHub; no code takes a review's state from a delivery",
    "markup_in_a_title": "no code reads a pull request's title",
    "secrets_in_texts": "no type that holds a secret can be printed",
    "edited_after_dismissal": "a dismissed review is dismissed at GitHub",
    "complete_facts": "shows that the facts which the attacks change are approved",
    "github_is_down": "a reading that fails gives no facts, and without facts nothing is decided",
    "github_is_down_at_the_start": "a reading that fails gives no facts, and without facts nothing is decided",
}
"""Attacks whose guard is no line of code that can be taken out."""


def put_in(text, edit):
    """Returns the text with an edit; `None` if it does not fit."""
    _, old, new = edit
    return text.replace(old, new) if text.count(old) == 1 else None


def copy_with_switches(tree, guards):
    """Copies the code to a folder and puts the switches in; returns the guards whose edits do not fit."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    for name in listed:
        target = tree / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / name).is_file():
            shutil.copy(ROOT / name, target)
    unfit = {}
    for guard in guards:
        for edit in guard.edits:
            path = tree / edit[0]
            text = path.read_text() if path.is_file() else ""
            changed = put_in(text, (edit[0], edit[1], edit[2].replace("WITHOUT", f'crate::without("{guard.name}")')))
            if changed is None:
                unfit[guard.name] = f"`{edit[1].strip()}` does not stand once in {edit[0]}"
            else:
                path.write_text(changed)
    with (tree / "src/lib.rs").open("a") as file:
        file.write(SWITCH)
    return unfit


def holes(binary, guard):
    """Makes the attacks of a guard without it; returns those that did not succeed."""
    environment = {**os.environ, "COUNTERSIGN": str(binary), "COUNTERSIGN_WITHOUT": guard.name}
    command = [sys.executable, str(ROOT / "tests/attacks/run.py"), *guard.attacks.split()]
    said = subprocess.run(command, env=environment, capture_output=True, text=True).stdout
    reports = re.split(r"^(?=HOLE |refused )", said, flags=re.MULTILINE)
    made = [report for report in reports if "the attack could not be made" not in report]
    found = {name for report in made for name in re.findall(r"^HOLE +\w+\.(\w+) ", report)}
    return [name for name in guard.attacks.split() if name not in found]


def main():
    """Returns the exit code."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--list", action="store_true", help="print the guards and their attacks, and run nothing")
    arguments.add_argument("--tree", type=pathlib.Path, default=ROOT / "target/guards", help="the folder of the copy")
    arguments.add_argument("--binary", type=pathlib.Path, help="a binary that was built from such a copy")
    arguments.add_argument("names", nargs="*", metavar="NAME")
    given = arguments.parse_args()
    guards = [guard for guard in GUARDS if guard.edits and (not given.names or guard.name in given.names)]
    if given.list:
        print("\n".join(f"{guard.name}: {guard.what}\n    {guard.attacks}" for guard in GUARDS))
        return 0
    bad = []
    binary = given.binary
    if binary is None:
        unfit = copy_with_switches(given.tree, guards)
        bad += [f"{name}: {why}" for name, why in unfit.items()]
        guards = [guard for guard in guards if guard.name not in unfit]
        subprocess.run(["cargo", "build"], cwd=given.tree, check=True)
        target = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", given.tree / "target"))
        binary = target / "debug/countersign"
    for guard in guards:
        refused = holes(binary, guard)
        print(
            f"{guard.name}: {len(guard.attacks.split()) - len(refused)} of {len(guard.attacks.split())} succeed",
            flush=True,
        )
        bad += [f"{guard.name}: `{name}` does not succeed without it" for name in refused]
    if not given.names:
        covered = set(ELSEWHERE) | {name for guard in GUARDS if guard.edits for name in guard.attacks.split()}
        bad += [f"`{one.name}` has no guard" for one in ATTACKS if one.name not in covered]
    print("\n".join(["", *bad]))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
