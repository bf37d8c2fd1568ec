"""Who wrote it: forged authors, co-authors and pushers. Nobody approves their own change."""

from facts import DAVE, PIA, changed, decided, for_environment, reason
from registry import attack
from world import REPOSITORY, Pull

BY_DAVE = {"author": "dave", "committer": "dave"}


def co_author(world, login, how="Co-authored-by"):
    """Returns the trailer of a co-author."""
    return f"{how}: {login} <{world.user_id(login)}+{login}@users.noreply.github.com>"


@attack("an approver pushes to a colleague's branch under the colleague's name, and approves", "committer or pusher")
def pushed_under_another_name(w):
    pull = w.pull()
    pull.push([{"message": "Sneak", **BY_DAVE}], by="pia")
    run, own = w.begin("production", pull), w.begin("own", pull)
    pull.review("pia")
    yield "under the default `exclude`", *run.refused()
    yield "with `pushers`", *own.refused(0.3)


@attack("an approver applies their own suggestion, so that GitHub commits it", "committer")
def own_suggestion(w):
    for what, message in {
        "as GitHub writes it": "Update a.rs\n\n" + co_author(w, "pia"),
        "in lower case": "Update a.rs\n\n" + co_author(w, "pia", "co-authored-by"),
        "in upper case": "Update a.rs\n\n" + co_author(w, "pia", "CO-AUTHORED-BY"),
        "second of two": "Update a.rs\n\n" + co_author(w, "erin") + "\n" + co_author(w, "pia"),
    }.items():
        for verified in (False, True):
            pull = w.pull(commits=[{"message": "Change", **BY_DAVE, "verified": True}])
            pull.push([{"message": message, "author": "dave", "committer": "web-flow", "verified": verified}])
            run = w.begin("production", pull)
            pull.review("pia")
            yield f"{what}, {'verified' if verified else 'not verified'}", *run.refused()


@attack("an approver pushes a commit without a signature between signed ones of a colleague", "every commit counts")
def unsigned_between_signed(w):
    signed, forged = {"message": "Change", **BY_DAVE, "verified": True}, {"message": "Sneak", **BY_DAVE}
    for what, commits in {"first": [forged, signed], "last": [signed, forged], "between": [signed, forged, signed]}.items():
        pull = w.pull(commits=[signed])
        pull.push(commits, by="pia")
        run = w.begin("production", pull)
        pull.review("pia")
        yield what, *run.refused()


@attack("a signed commit names an address that is almost an approver's", "only GitHub's own addresses are somebody's")
def almost_a_co_author(w):
    message = f"Change\n\nCo-authored-by: kit <{w.user_id('kit')}+pia@users.noreply.github.com>"
    pull = w.pull(commits=[{"message": message, **BY_DAVE, "verified": True}])
    run = w.begin("production", pull)
    pull.review("kit")
    yield "the id counts, not the name", *run.refused()
    pull.review("pia")
    yield "who is only named is not excluded", run.released(), run.seen()


@attack("a co-author in an early commit, hidden by later ones", "all commits count")
def early_co_author(w):
    early = {"message": "One\n\n" + co_author(w, "pia"), **BY_DAVE}
    pull = w.pull(commits=[early, *({"message": f"More {n}"} for n in range(120))])
    run = w.begin("production", pull)
    pull.review("pia")
    yield "the first of 121 commits", *run.refused()


@attack("somebody names an approver as co-author to shut them out", "only that approver is excluded")
def co_author_to_shut_out(w):
    pull = w.pull(commits=[{"message": "Change\n\n" + co_author(w, "pat"), **BY_DAVE}])
    run = w.begin("production", pull)
    pull.review("pat")
    yield "the named one", *run.refused()
    pull.review("kit")
    yield "the others still count", run.released(), run.seen()


@attack("a commit that belongs to no account, or only to web-flow, pushed by the approver", "the pusher is excluded")
def commit_of_nobody(w):
    nobody = {"author": None, "committer": None}
    for what, names in {
        "nobody": nobody,
        "no author": {"author": None, "committer": "dave"},
        "no committer": {"author": "dave", "committer": None},
        "web-flow": {"author": "web-flow", "committer": "web-flow"},
    }.items():
        pull = w.pull()
        pull.push([{"message": "Sneak", **names}], by="pia")
        run = w.begin("production", pull)
        pull.review("pia")
        yield what, *run.refused()


@attack("an approver's commit comes in through the second parent of a merge", "all parents count")
def second_parent(w):
    pull = w.pull()
    side = w.push(f"{pull.branch}-side", [{"message": "By pia", "author": "pia", "committer": "pia"}], by="pia")
    first = pull.head
    pull.push(
        [
            {"sha": side, "message": "By pia", "author": "pia", "committer": "pia"},
            {"message": "Merge", "parents": [first, side], **BY_DAVE},
        ]
    )
    run = w.begin("production", pull)
    pull.review("pia")
    yield "merged by dave", *run.refused()


@attack(
    "an approver pushes, and somebody pushes over it by force", "what is gone excludes nobody, the pusher stays one"
)
def pushed_and_pushed_over(w):
    pull = w.pull()
    pull.push([{"message": "Sneak", **BY_DAVE}], by="pia")
    pull.push([{"message": "Clean", **BY_DAVE}], by="dave", force=True)
    own = w.begin("own", pull)
    pull.review("pia")
    yield "with `pushers`", *own.refused()


@attack(
    "the approver pushes before the pull request is opened, while deliveries are lost", "pushers are read, or unknown"
)
def pushed_before_opening(w):
    w.unhook()
    w.push("early", [{"message": "Sneak", **BY_DAVE}], by="pia")
    w.push("early", [{"message": "Cover", **BY_DAVE}], by="dave")
    opened = w.hub("POST", "/repos/acme/checkout/pulls", {"title": "Early", "head": "early", "base": "main"})
    w.hook()
    pull = Pull(w, opened["number"], "early", opened["head"]["sha"], REPOSITORY)
    run, own = w.begin("production", pull), w.begin("own", pull)
    pull.review("pia")
    yield "under the default `exclude`", *run.refused()
    yield "with `pushers`", *own.refused(0.3)


@attack("an approver pushes to a fork under the owner's name", "the pusher is excluded, or the pushers are unknown")
def pushed_to_a_fork(w):
    w.hub("POST", "/_standin/repos/acme/checkout/forks", {"owner": "erin"})
    for what, lost in (("deliveries arrive", False), ("deliveries are lost", True)):
        if lost:
            w.unhook()
        branch = f"fork-{lost}"
        w.push(branch, [{"message": "Change", "author": "erin", "committer": "erin"}], by="erin", name="erin/checkout")
        body = {"title": "Fork", "head": f"erin:{branch}", "base": "main"}
        opened = w.hub("POST", "/repos/acme/checkout/pulls", body, by="erin")
        head = w.push(
            branch, [{"message": "Sneak", "author": "erin", "committer": "erin"}], by="pia", name="erin/checkout"
        )
        if lost:
            w.hook()
        pull = Pull(w, opened["number"], branch, head, REPOSITORY)
        run, own = w.begin("production", pull), w.begin("own", pull)
        pull.review("pia")
        yield f"default `exclude`, {what}", *run.refused()
        yield f"with `pushers`, {what}", *own.refused(0.3)


@attack("a workflow pushes under the author's name", "a bot's push does not show who caused it")
def pushed_by_a_workflow(w):
    pull = w.pull()
    pull.push([{"message": "Sneak", **BY_DAVE}], by="github-actions[bot]")
    run = w.begin("production", pull)
    pull.review("pia")
    yield "github-actions", *run.refused()
    pull = w.pull()
    pull.push(
        [{"message": "Sneak", "author": "github-actions[bot]", "committer": "github-actions[bot]"}],
        by="github-actions[bot]",
    )
    run = w.begin("production", pull)
    pull.review("pia")
    yield "as the bot itself", *run.refused()


@attack("facts: a commit without a verified signature, pushed by the approver", "committer")
def unverified_facts(w):
    commit = {"sha": "a1", "author": DAVE, "committer": DAVE}
    base, pushers = ("pull_request", "commits"), ("pull_request", "pushers")
    tries = {
        "`verified` is false": [{**commit, "verified": False}],
        "`verified` is missing": [commit],
        "verified, and one that is not": [{**commit, "verified": True}, {**commit, "sha": "a0", "verified": False}],
        "verified, by nobody": [{**commit, "author": None, "verified": True}],
        "co-author": [{**commit, "verified": True, "co_authors": [PIA]}],
    }
    given = [changed((base, commits), (pushers, [DAVE, PIA])) for commits in tries.values()]
    given += [for_environment("own", (base, commits), (pushers, [DAVE, PIA])) for commits in tries.values()]
    for what, decision in zip([*tries, *(f"{what}, with `pushers`" for what in tries)], decided(w, given)):
        yield what, decision["verdict"] == "pending", f"{decision['verdict']} {reason(decision)}"
