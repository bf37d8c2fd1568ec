"""Partial knowledge: facts that are missing, incomplete or not readable. Less known never approves more."""

import time

from facts import DAVE, PIA, APPROVED, changed, decided, for_environment, reason
from registry import attack


def pending(world, tries):
    """Yields, for each name and facts, whether they are not approved."""
    for what, decision in zip(tries, decided(world, list(tries.values()))):
        yield what, decision["verdict"] != "approved", f"{decision['verdict']} {reason(decision)}"


@attack("facts that are complete", "approved: the other attacks on facts rest on it")
def complete_facts(w):
    verdicts = [decision["verdict"] for decision in decided(w, [APPROVED, for_environment("own")])]
    yield "the facts that the attacks change", verdicts == ["approved", "approved"], verdicts


@attack("lists that are not complete, empty or missing", "no approval counts")
def incomplete_lists(w):
    pull = ("pull_request",)
    tries = {}
    for what, value in (("`false`", False), ("missing", ...)):
        tries[f"`commits_complete` is {what}"] = changed(((*pull, "commits_complete"), value))
        tries[f"`pushers_complete` is {what}"] = for_environment("own", ((*pull, "pushers_complete"), value))
    for what, value in (("empty", []), ("missing", ...)):
        tries[f"commits are {what}"] = changed(((*pull, "commits"), value))
        tries[f"pushers are {what}"] = for_environment("own", ((*pull, "pushers"), value))
    tries["no author of the pull request"] = changed(((*pull, "author"), None), ((*pull, "commits_complete"), False))
    yield from pending(w, tries)


@attack("people of whom GitHub shows only a part", "they do not count")
def partial_people(w):
    user = ("reviews", 0, "user")
    yield from pending(
        w,
        {
            "a review without a user": changed((user, None)),
            "a user without a type": changed((user, {"id": 1, "login": "pia", "type": "Other"})),
            "a bot with a listed login": changed((user, {"id": 1, "login": "pia", "type": "Bot"})),
            "a mannequin with a listed login": changed((user, {"id": 1, "login": "pia", "type": "Mannequin"})),
            "an organization": changed((user, {"id": 1, "login": "pia", "type": "Organization"})),
            "a team that was not read": for_environment("team", (("teams",), {})),
            "a team without members": for_environment("team", (("teams",), {"acme/Reviewers": []})),
            "another team": for_environment("team", (("teams",), {"acme/Reviewers2": [PIA], "acme2/Reviewers": [PIA]})),
            "the author under another login": changed((("pull_request", "author"), {**PIA, "login": "dave"})),
            "the author under another type": changed((("pull_request", "author"), {**PIA, "type": "Bot"})),
        },
    )


@attack("reviews of which GitHub shows only a part", "they do not count, and a no may stand behind them")
def partial_reviews(w):
    review = ("reviews", 0)
    objection = {
        "id": 2,
        "user": {"id": 2, "login": "pat", "type": "User"},
        "state": "dismissed",
        "was": None,
        "dismissed_by": None,
        "revision": "a1",
        "bound_by": "api",
        "submitted_at": "2026-11-18T09:20:00Z",
        "body": "",
    }
    both = [APPROVED["reviews"][0], objection]
    api = ((*review, "bound_by"), "api")
    yield from pending(
        w,
        {
            "known only from the API and edited": changed(api, ((*review, "edited"), True)),
            "known only from the API, and not known whether edited": changed(api),
            "no time": changed(api, ((*review, "edited"), False), ((*review, "submitted_at"), None)),
            "no commit": changed(((*review, "revision"), None)),
            "dismissed": changed(((*review, "state"), "dismissed"), ((*review, "was"), "approved")),
            "pending": changed(((*review, "state"), "pending")),
            "another review was dismissed, and what it said is not known": changed((("reviews",), both)),
            "a no was dismissed, and by whom is not known": changed(
                (("reviews",), [both[0], {**objection, "was": "changes_requested"}])
            ),
            "a no was dismissed by the author": changed(
                (
                    ("reviews",),
                    [both[0], {**objection, "was": "changes_requested", "dismissed_by": {"id": 4, "login": "dave"}}],
                )
            ),
        },
    )


@attack("a requester whose account is not known", "no approval counts where the requester is excluded")
def partial_requester(w):
    yield from pending(
        w,
        {
            "only a login": for_environment("asked", (("requester",), "dave")),
            "nobody": for_environment("asked", (("requester",), None)),
            "an account without an id": for_environment("asked", (("requester",), {"id": None, "login": "dave"})),
        },
    )


@attack("conditions on facts that are not known in full", "the part applies")
def partial_conditions(w):
    label = ("pull_request", "labels")
    yield from pending(w, {"the label is there": for_environment("labelled", (label, ["needs-security"]))})


@attack("a pull request, a revision or a time that is missing", "never approved")
def partial_request(w):
    pull = ("pull_request",)
    yield from pending(
        w,
        {
            "no pull request": changed((pull, None)),
            "no revision": changed((("revision",), None)),
            "closed": changed(((*pull, "state"), "closed")),
            "another head": changed(((*pull, "head"), "a2")),
            "the base was changed in the second in which the request was opened": changed(
                ((*pull, "base_changed_at"), "2026-11-18T09:00:00.5Z")
            ),
            "after the deadline": changed((("now",), "2026-11-18T13:00:00Z")),
            "merged as another commit": changed(
                ((*pull, "merged"), True),
                ((*pull, "state"), "closed"),
                ((*pull, "merge_commit"), "m1"),
                (("revision",), "b7"),
            ),
        },
    )


@attack("GitHub does not answer while somebody approves", "nothing is released until it answers")
def github_is_down(w):
    pull = w.pull()
    run = w.begin("production", pull)
    pull.review("pia", "COMMENT", "I shall look")
    made_up = pull.payload("pia")
    w.hub("PATCH", "/_standin/host", {"unavailable": True})
    try:
        w.deliver(made_up)
        time.sleep(0.5)
        yield "a made-up approval while it is down", run.status() == "RUNNING", run.seen()
        w.http("POST", w.gate + "/clock", {"advance": "11m"}, timeout=120)
        yield "swept while it is down", run.status() == "RUNNING", run.seen()
    finally:
        w.hub("PATCH", "/_standin/host", {"unavailable": False})
    w.advance("11m")
    yield "it answers, and lists no approval", *run.refused()
    pull.review("pia")
    yield "a real approval", run.released(), run.seen()


@attack("GitHub does not answer when an approved execution starts", "it does not go on")
def github_is_down_at_the_start(w):
    pull = w.pull()
    pull.review("pia")
    w.drained()
    w.hub("PATCH", "/_standin/host", {"unavailable": True})
    try:
        run = w.begin("production", pull, wait=False)
        yield "approved, and not readable", not run.released(2), run.seen()
    finally:
        w.hub("PATCH", "/_standin/host", {"unavailable": False})
