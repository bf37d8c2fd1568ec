"""Names: in another case, with look-alikes, with control characters and path tricks."""

import json
import os
import time

from facts import decided, for_environment
from registry import attack
from world import POLICY, until


def other_cases(name):
    """Returns the name in other cases."""
    return [
        name.upper(),
        name.capitalize(),
        name.swapcase(),
        "".join(c.upper() if n % 2 else c for n, c in enumerate(name)),
    ]


@attack("an execution that names the target in another case", "the rule of the exact name")
def target_in_another_case(w):
    for service, environment in [*zip(other_cases("checkout"), other_cases("production")), ("checkout", "PRODUCTION")]:
        pull = w.pull()
        run = w.begin(environment, pull, service=service)
        pull.review("mallory")
        yield f"{service}:{environment}, approved by the approver of `*`", *run.refused(0.4)
    pull.review("pia")
    yield "its own approver counts", run.released(), run.seen()


@attack("an Actions environment in another case, or with look-alikes, than the policy's", "never the rule of `*`")
def actions_environment(w):
    pull = w.pull()
    pull.review("mallory")
    w.drained()
    looks = [
        "produc\u0442ion",
        "product\u0131on",
        "\uff50roduction",
        "production\u200b",
        "production ",
        "pro\u00adduction",
        "\u017ftaging",
    ]
    for environment in [*other_cases("production"), *looks]:
        states = [answer["state"] for answer in w.protected(environment, pull.head)]
        yield ascii(environment), "approved" not in states, states


@attack("a no, a release or a request under one case, used under another", "one key for all cases")
def stored_under_one_case(w):
    pull = w.pull()
    run = w.begin("Held", pull)
    pull.review("lee", "REQUEST_CHANGES", "no")
    w.drained()
    yield "objected to", *run.refused()
    other = pull.opened_again()
    second = w.begin("HELD", other, service="CHECKOUT")
    other.review("pia")
    yield "objected to under `Held`, asked for under `HELD`", *second.refused()


@attack("a repository, a pull request or a requester in another case", "the same repository and account")
def repository_in_another_case(w):
    pull = w.pull()
    run = w.begin("asked", pull, pullRequest=f"ACME/Checkout#{pull.number}", requestedBy="KIT")
    pull.review("kit")
    yield "the requester", *run.refused()
    pull.review("pia")
    yield "an approver", run.released(), run.seen()


@attack("a label in another case than the condition's", "the part applies")
def label_in_another_case(w):
    for label in ("Needs-Security", "NEEDS-SECURITY", "needs-security"):
        pull = w.pull()
        w.hub("POST", f"/repos/{pull.name}/issues/{pull.number}/labels", {"labels": [label]})
        w.drained()
        run = w.begin("labelled", pull)
        pull.review("pia")
        yield label, *run.refused(0.5)


@attack("a team in another case than GitHub's", "its members count, and nobody else")
def team_in_another_case(w):
    w.hub("POST", "/_standin/teams", {"team": "acme/reviewers", "members": [{"login": "pia"}]})
    pull = w.pull()
    run = w.begin("team", pull)
    pull.review("pat")
    yield "no member", *run.refused()
    pull.review("pia")
    yield "a member", run.released(), run.seen()


@attack("a command that names its target in another case", "it names the same target")
def command_in_another_case(w):
    pull = w.pull()
    vault, production = w.begin("vault", pull), w.begin("production", pull)
    pull.review("pia", body="/Approve CHECKOUT:Vault")
    yield "the named target", vault.released(), vault.seen()
    yield "another target", *production.refused()


@attack("two keys of a policy that differ only in case", "the policy is refused")
def two_keys_in_two_cases(w):
    lines = POLICY.replace("production: {", 'Production: { require: "@mallory" }\n      production: {', 1)
    tries = {
        "environments of a service": lines,
        "services": POLICY
        + '  CHECKOUT:\n    repository: acme/checkout\n    environments: { production: { require: "@mallory" } }\n',
        "environments at the top": POLICY
        + 'environments:\n  qa: { require: 1 of sre }\n  QA: { require: "@mallory" }\n',
        "groups": POLICY.replace("groups:\n", "groups:\n  Payments: { users: [mallory] }\n"),
        "channels": POLICY.replace("channels: {", "channels: { Oncall: { email: [evil@acme.example] },"),
        "floors": POLICY + "floor:\n  production: { approvals: 1 }\n  PRODUCTION: { max_timeout: 72h }\n",
        "patterns": POLICY + 'environments:\n  "qa-*": { require: 1 of sre }\n  "QA-*": { require: "@mallory" }\n',
    }
    path = os.path.join(w.home, "cases.yaml")
    for what, text in tries.items():
        with open(path, "w") as file:
            file.write(text)
        ran = w.countersign("check", "--format", "json", path)
        codes = [one["code"] for one in json.loads(ran.stdout)["findings"] if one["severity"] == "error"]
        yield what, ran.returncode == 3 and "duplicate-name" in codes, codes


@attack("facts in which logins, teams, labels and repositories stand in another case", "the same decision")
def facts_in_another_case(w):
    pull, review = ("pull_request",), ("reviews", 0)
    upper = [
        ((*pull, "repository"), "ACME/CHECKOUT"),
        ((*review, "user", "login"), "PIA"),
        ((*pull, "author", "login"), "DAVE"),
    ]
    author = ((*pull, "author"), {"id": 1, "login": "PIA", "type": "User"})
    label = ((*pull, "labels"), ["NEEDS-security"])
    requester = (("requester",), "PIA")
    tries = {
        "the approver": (for_environment("Production", *upper), "approved"),
        "the author": (for_environment("production", author), "pending"),
        "the label": (for_environment("labelled", label), "pending"),
        "the requester": (for_environment("asked", requester), "pending"),
        "the team": (
            for_environment("team", (("teams",), {"ACME/REVIEWERS": [{"id": 1, "login": "Pia", "type": "User"}]})),
            "approved",
        ),
    }
    for (what, (_, verdict)), decision in zip(tries.items(), decided(w, [facts for facts, _ in tries.values()])):
        yield what, decision["verdict"] == verdict, decision["verdict"]


@attack(
    "names with control characters, look-alikes and path tricks", "400 or an invalid input, and nothing raw in logs"
)
def hostile_names(w):
    pull = w.pull()
    given = {"service": "checkout", "environment": "staging", "pullRequest": f"{pull.name}#{pull.number}"}
    for name in ("../x", "a%2fb", "a%00b", "a%0ab", "a%1b%5b31mb", "%e2%80%ae", "x" * 300, "a%20b"):
        status, _ = w.http("POST", f"{w.gate}/executions?name={name}", given)
        yield f"an execution named {name[:12]}", status == 400, status
    number = pull.number
    fields = [
        ("service", "checkout\u200b"),
        ("service", "\u0441heckout"),
        ("service", "chec\u212aout"),
        ("environment", "production\n"),
        ("environment", "../production"),
        ("environment", "\u017ftaging"),
        ("environment", "staging\0"),
        ("version", "v1\x1b[31m"),
        ("version", "v\r\n2"),
        ("version", "v\u202e2"),
        ("requestedBy", "da ve"),
        ("requestedBy", "dave\u200b"),
        ("pullRequest", f"acme/checkout#{number}\u202e"),
        ("pullRequest", "acme/checkout#0"),
        ("pullRequest", "acme/checkout#1e0"),
        ("pullRequest", f"https://github.com/acme/../checkout/pull/{number}"),
        ("pullRequest", f"../acme/checkout#{number}"),
        ("pullRequest", f"https://github.com/acme/checkout/pull/{number}@evil.example"),
        ("revision", "--upload-pack=x"),
        ("revision", "g" * 40),
        ("revision", pull.head + "\n"),
        ("pull_request", "acme/checkout#2"),
    ]
    for field, value in fields:
        body = {**given, field: value}
        run = w.begin(body.pop("environment"), None, **body)
        until(lambda: run.status() != "RUNNING" or run.get()["waits"])
        text = json.dumps(run.get().get("cause"), ensure_ascii=False)
        raw = [mark for mark in ("\x1b", "\u202e", "\u200b") if mark in text]
        yield (
            f"{field} {ascii(value)[:40]}",
            run.get()["error"] == "Countersign.InvalidInput" and not raw,
            f"{run.seen()} {raw}",
        )
    for path in (
        "/requests/..%2f..%2fwebhook-secret",
        "/executions/..%2f..",
        "/requests/%00",
        "//etc/passwd",
        "/../webhook-secret",
    ):
        codes, got = w.raw(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        yield path, codes in ([404], [400]) and w.secret.encode() not in got, codes
    time.sleep(0.1)
    yield "no escape sequence and no secret in the log", "\x1b" not in w.log_text() and w.secret not in w.log_text(), ""
