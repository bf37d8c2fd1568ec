"""Facts for `countersign decide`, and the decisions on them. Many variants of one attack are decided in one go."""

import copy
import json

from world import CannotAttack

DAVE = {"id": 4, "login": "dave", "type": "User"}
PIA = {"id": 1, "login": "pia", "type": "User"}
PAT = {"id": 2, "login": "pat", "type": "User"}
SAM = {"id": 21, "login": "sam", "type": "User"}

APPROVED = {
    "schema": 1,
    "now": "2026-11-18T10:00:00Z",
    "target": {"service": "checkout", "environment": "production"},
    "requested_at": "2026-11-18T09:00:00Z",
    "requester": "dave",
    "revision": "a1",
    "pull_request": {
        "repository": "acme/checkout",
        "default_branch": "main",
        "number": 42,
        "state": "open",
        "head": "a1",
        "head_first_seen": "2026-11-18T08:00:00Z",
        "base": "main",
        "author": DAVE,
        "labels": [],
        "files": [{"path": "src/cards.rs"}],
        "files_complete": True,
        "additions": 10,
        "deletions": 2,
        "commits": [{"sha": "a1", "author": DAVE, "committer": DAVE}],
        "commits_complete": True,
        "pushers": [DAVE],
        "pushers_complete": True,
    },
    "teams": {"acme/Reviewers": [PIA]},
    "reviews": [
        {
            "id": 1,
            "user": PIA,
            "state": "approved",
            "revision": "a1",
            "bound_by": "delivery",
            "submitted_at": "2026-11-18T09:10:00Z",
            "body": "",
        }
    ],
}
"""Pia has approved everything. The policy is the one of `world`."""


def changed(*edits, **top):
    """Returns the approved facts with edits: each is a path (keys and indexes in a tuple) and a value."""
    facts = copy.deepcopy(APPROVED)
    facts.update(top)
    for path, value in edits:
        at = facts
        for key in path[:-1]:
            at = at[key]
        if value is ...:
            at.pop(path[-1], None)
        else:
            at[path[-1]] = value
    return facts


def for_environment(environment, *edits):
    """Returns the approved facts for another environment."""
    return changed((("target", "environment"), environment), *edits)


def with_body(body, environment="production", user=PIA):
    """Returns facts in which the only review has this text."""
    review = ("reviews", 0)
    return for_environment(environment, ((*review, "body"), body), ((*review, "user"), user))


def decided(world, facts):
    """Returns the decisions on a list of facts, in order."""
    lines = "".join(json.dumps(one) + "\n" for one in facts)
    ran = world.countersign(
        "decide", "--lines", "--facts", "-", "--policy", world.policy, "--format", "json", text=lines
    )
    answers = [json.loads(line) for line in ran.stdout.splitlines()]
    if len(answers) != len(facts):
        raise CannotAttack(f"{len(answers)} decisions on {len(facts)} facts: {ran.stderr[-300:]} {ran.stdout[-300:]}")
    unreadable = [answer["error"] for answer in answers if "verdict" not in answer]
    if unreadable:
        raise CannotAttack(f"facts were not read: {unreadable[0]}")
    return answers


def reason(decision, review=1):
    """Returns the reason of a review in a decision."""
    reasons = [one["reason"] for one in decision.get("reviews", []) if one["id"] == review]
    return reasons[0] if reasons else None
