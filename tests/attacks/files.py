"""Hostile files: policies and facts that exhaust, forge or crash."""

import os
import time

from registry import attack
from world import ROOT

SOUND = 'version: 1\nservices: { a: { repository: o/r, environments: { p: { require: "@d" } } } }\n'


@attack("policies with aliases, depth, odd numbers and slow patterns", "refused within seconds")
def policy_bombs(w):
    many = "".join(f"x{n}: &x{n} [{','.join(['*' + ('a' if n == 0 else f'x{n - 1}')] * 9)}]\n" for n in range(12))
    slow = 'groups: { g: { users: [d] } }\nenvironments: { "/(a+)+(b+)+(c{1,1000}){1,1000}$/": { require: 1 of g } }\n'
    bombs = {
        "aliases": "version: 1\nx: &a [1,1,1,1,1,1,1,1,1]\n" + many,
        "depth": "version: 1\ngroups: " + "[" * 50_000 + "]" * 50_000 + "\n",
        "depth by indentation": "version: 1\n" + "".join(" " * n + "a:\n" for n in range(3_000)),
        "an alias of itself": "version: 1\nx: &a [*a]\n",
        "a tag": "version: !!python/object/apply:os.system [id]\n",
        "a huge number": SOUND + "defaults: { timeout: 99999999999999999999d }\n",
        "1e999": SOUND + 'defaults: { require: { count: 1e999, of: ["@d"] } }\n',
        "5 MiB": SOUND + "#" * (5 << 20),
        "NUL": SOUND + "\0",
        "a bidirectional character": SOUND.replace("a:", "a\u202e:"),
        "a slow pattern": SOUND + slow,
        "a merge of itself": "version: 1\nx: &a { <<: *a }\n",
        "20,000 keys": SOUND
        + "groups:\n"
        + "".join(f"  g{n}: {{ users: [d] }}\n" for n in range(20_000))
        + "groups: 1\n",
    }
    path = os.path.join(w.home, "bomb.yaml")
    for what, text in bombs.items():
        with open(path, "w") as file:
            file.write(text)
        began = time.monotonic()
        ran = w.countersign("check", path)
        spent = time.monotonic() - began
        yield (
            what,
            ran.returncode == 3 and spent < 10 and "panicked" not in ran.stderr,
            f"{ran.returncode} in {spent:.1f} s",
        )


@attack("workflow commands in the names of a policy and of its file", "no forged command")
def forged_workflow_commands(w):
    folder = os.path.join(w.home, "forged")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "x\n::add-mask::y\n::set-env name=A::b.yaml"), "w") as file:
        file.write(
            'version: 1\ngroups: { "a\\n::error::forged": { users: [d] }, b: { users: [e] } }\n"k\\r\\n::warning::x": 1\n'
        )
    ran = w.countersign("check", "--format", "github", folder)
    odd = [
        line for line in ran.stdout.split("\n") if line and not line.startswith(("::error ", "::warning ", "::notice "))
    ]
    yield "`check --format github`", ran.returncode == 3 and not odd and "\r" not in ran.stdout, odd[:2]


@attack("a symbolic link that leads out of the policy folder", "refused or left out, and its content is not shown")
def link_outside(w):
    folder = os.path.join(w.home, "linked")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "sound.yaml"), "w") as file:
        file.write(SOUND)
    outside = os.path.join(w.home, "outside.yaml")
    with open(outside, "w") as file:
        file.write("groups: { outside-group: { users: [mallory] } }\n")
    for what, target in (("a secret", os.path.join(w.data, "webhook-secret")), ("a policy", outside)):
        link = os.path.join(folder, "link.yaml")
        os.symlink(target, link)
        ran = w.countersign("check", folder)
        said = ran.stdout + ran.stderr
        os.remove(link)
        yield what, ran.returncode in (0, 3) and w.secret not in said and "outside-group" not in said, ran.returncode


@attack("facts with depth, odd numbers, unknown or doubled keys, another schema", "refused without a panic")
def hostile_facts(w):
    facts = (ROOT / "docs" / "facts.json").read_text()
    tries = {
        "depth": '{"a":' * 50_000,
        "2^64": facts.replace('"id": 9001', '"id": 18446744073709551616'),
        "another schema": facts.replace('"schema": 1', '"schema": 2'),
        "an unknown key": facts.replace('"now"', '"approved": true, "now"'),
        "a key twice": facts.replace('"now"', '"now": "2000-01-01T00:00:00Z", "now"', 1),
        "the year 9999999": facts.replace("2026-11-18T10:00:00Z", "+9999999-11-18T10:00:00Z"),
        "NUL": facts + "\0",
        "nothing": "",
        "null": "null",
        "an array": "[]",
    }
    policies = str(ROOT / "policies")
    for what, text in tries.items():
        ran = w.countersign("decide", "--facts", "-", "--policy", policies, "--require-approved", text=text)
        yield what, ran.returncode == 1 and "panicked" not in ran.stderr, ran.returncode
