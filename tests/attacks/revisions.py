"""Which commit is deployed: pushes, force-pushes, other branches, twins, names that are used again."""

import os
import time

from facts import changed, decided, reason
from registry import attack
from world import World


@attack("approved, then pushed: plainly, and by force with GitHub rebinding the review", "stale")
def pushed_after_approval(w):
    for what, more in (("a push", {}), ("by force, rebound", {"force": True, "rebind_reviews": True})):
        pull = w.pull()
        pull.review("pia")
        w.drained()
        pull.push([{"message": "More"}], **more)
        run = w.begin("production", pull)
        yield what, *run.refused()


@attack("approved and pushed in the same second, and GitHub rebinds the review", "stale")
def approved_in_the_second_of_the_push(w):
    w.unhook()
    pull = w.pull()
    time.sleep(1.2)
    time.sleep(1 - time.time() % 1 + 0.05)
    pull.review("pia")
    pull.push([{"message": "Evil", "files": [{"path": "src/a.rs"}]}], force=True, rebind_reviews=True)
    w.hook()
    run = w.begin("production", pull)
    yield "the same second", *run.refused()


@attack("an approval of the old commit arrives after the push", "stale, and the older request is superseded")
def approval_of_the_old_commit(w):
    pull = w.pull()
    old, run = pull.head, w.begin("production", pull)
    pull.push([{"message": "More"}])
    second = w.begin("production", pull)
    pull.review("pia", commit_id=old)
    yield "the new request", *second.refused()
    yield "the older request", not run.released(1) and run.get()["error"] == "Countersign.Superseded", run.seen()


@attack("the base is changed and changed back", "superseded or denied; an earlier approval is stale")
def base_and_back(w):
    pull = w.pull()
    run = w.begin("production", pull)
    for base in ("release", "main"):
        pull.change(base=base)
    pull.review("pia")
    yield "after the request was opened", *run.refused()
    pull = w.pull()
    pull.review("pia")
    time.sleep(1.1)
    for base in ("release", "main"):
        pull.change(base=base)
    run = w.begin("production", pull)
    yield "an approval from before", *run.refused()


@attack("another commit than the head of the pull request is deployed", "denied")
def another_revision(w):
    pull, other = w.pull(), w.pull()
    first = pull.head
    pull.push([{"message": "More"}])
    pull.review("pia")
    w.drained()
    main = w.hub("GET", f"/repos/{pull.name}/pulls/{pull.number}")["base"]["sha"]
    for what, revision in {
        "an earlier commit": first,
        "the head of another pull request": other.head,
        "the base": main,
        "a commit that does not exist": "0" * 40,
        "a short hash": pull.head[:10],
        "a branch": pull.branch,
        "HEAD": "HEAD",
    }.items():
        run = w.begin("production", pull, revision=revision)
        yield what, *run.refused(0.3)


@attack("a pull request of another repository, branch or fork", "denied")
def another_repository(w):
    pull = w.pull(name="acme/other", branch="change-y")
    pull.review("pia")
    w.drained()
    run = w.begin("production", pull)
    yield "another repository", *run.refused()
    w.push("stray", [{"message": "Stray"}])
    pull = w.pull(base="stray")
    pull.review("pia")
    w.drained()
    run = w.begin("production", pull)
    yield "another base branch", *run.refused()
    pull = w.pull(base="Main")
    pull.review("pia")
    w.drained()
    run = w.begin("production", pull)
    yield "a base branch that differs in case", *run.refused()


@attack(
    "an outsider opens the same commit from a fork, where pipelines name a revision only", "the twin is passed over"
)
def twin_from_a_fork(w):
    pull = w.pull()
    w.hub("POST", "/_standin/repos/acme/checkout/forks", {"owner": "mallory"})
    twin = [{"sha": pull.head, "author": "dave", "committer": "dave"}]
    w.push("twin", twin, by="mallory", name="mallory/checkout")
    body = {"title": "Twin", "head": "mallory:twin", "base": "main"}
    w.hub("POST", "/repos/acme/checkout/pulls", body, by="mallory")
    run = w.begin("production", None, repository="acme/checkout", revision=pull.head)
    yield "the execution waits", run.status() == "RUNNING", run.seen()
    states = [answer["state"] for answer in w.protected("production", pull.head)]
    yield "the Actions deployment waits", "rejected" not in states and "approved" not in states, states
    pull.review("pia")
    yield "the approval counts", run.released(), run.seen()


@attack("an outsider opens an approved commit from a fork before the repository does", "never released by the twin")
def twin_comes_first(w):
    pull = w.pull()
    w.hub("POST", "/_standin/repos/acme/checkout/forks", {"owner": "mallory"})
    twin = [{"sha": pull.head, "author": "mallory", "committer": "mallory"}]
    w.push("early-twin", twin, by="mallory", name="mallory/checkout")
    body = {"title": "Twin", "head": "mallory:early-twin", "base": "main"}
    w.hub("POST", "/repos/acme/checkout/pulls", body, by="mallory")
    pull.change(state="closed")
    run = w.begin("vault", None, repository="acme/checkout", revision=pull.head)
    pull.review("pia", body="/approve vault", ok=False)
    yield "the repository's own one is closed", *run.refused()


@attack("a second pull request of the same commit, to a branch that the rule does not allow", "passed over")
def twin_to_another_branch(w):
    pull = w.pull()
    w.push("stray-base", [{"message": "Stray"}])
    w.hub("POST", "/repos/acme/checkout/pulls", {"title": "Twin", "head": pull.branch, "base": "stray-base"})
    run = w.begin("production", None, repository="acme/checkout", revision=pull.head)
    yield "the execution waits", run.status() == "RUNNING", run.seen()
    pull.review("pia")
    yield "the approval counts", run.released(), run.seen()


@attack(
    "two pull requests of one commit show one check: the approved one hides the waiting one", "the check still waits"
)
def shared_commit(w):
    pull = w.pull()
    run = w.begin("production", pull)
    body = {"title": "Second", "head": pull.branch, "base": "release"}
    second = w.hub("POST", "/repos/acme/checkout/pulls", body)["number"]
    other = w.begin("production", None, pullRequest=f"acme/checkout#{second}")
    w.hub("POST", f"/repos/acme/checkout/pulls/{second}/reviews", {"event": "APPROVE", "body": ""}, by="pia")
    yield "the second is released", other.released(), other.seen()
    yield "the first waits", *run.refused()
    w.advance("15m")
    time.sleep(1)
    checks = w.hub("GET", f"/repos/acme/checkout/commits/{pull.head}/check-runs")["check_runs"]
    shown = [(one["status"], one["conclusion"]) for one in checks]
    yield "the check waits", shown == [("in_progress", None)], shown


@attack("an execution's name is used again after Step Functions has forgotten it", "no old approval is found")
def name_used_again(w):
    own = World()
    try:
        pull = own.pull()
        run = own.begin("production", pull, name="deploy-42")
        pull.review("pia")
        yield "the first execution is released", run.released(), run.seen()
        same = pull
        own.stop(keep=True)
        # After 90 days Step Functions no longer knows the execution. Here its store is removed.
        os.remove(os.path.join(own.data, "executions.redb"))
        own.start()
        rejected = own.pull()
        rejected.review("lee", "REQUEST_CHANGES", "no")
        own.drained()
        second = own.begin("production", rejected, name="deploy-42", wait=False)
        yield "another pull request", *second.refused(3)
        own.stop(keep=True)
        os.remove(os.path.join(own.data, "executions.redb"))
        own.start()
        same.push([{"message": "More"}])
        third = own.begin("production", same, name="deploy-42", wait=False)
        yield "the same pull request with a new commit", *third.refused(3)
    finally:
        own.stop()


@attack("facts: an approval whose commit or time is not known", "stale")
def unbound_facts(w):
    review, pull = ("reviews", 0), ("pull_request",)
    api = ((*review, "bound_by"), "api")
    tries = {
        "no commit": [((*review, "revision"), None), api],
        "no commit, delivered": [((*review, "revision"), None)],
        "it is not known since when the head is the head": [api, ((*pull, "head_first_seen"), None)],
        "the same second": [api, ((*pull, "head_first_seen"), "2026-11-18T09:10:00Z")],
        "a later part of the same second": [api, ((*pull, "head_first_seen"), "2026-11-18T09:10:00.9Z")],
        "before the head": [api, ((*pull, "head_first_seen"), "2026-11-18T09:30:00Z")],
        "no time": [api, ((*review, "submitted_at"), None)],
        "before the base was changed": [
            ((*pull, "base_changed_at"), "2026-11-18T08:59:00Z"),
            ((*review, "submitted_at"), "2026-11-18T08:58:00Z"),
        ],
        "another commit": [((*review, "revision"), "a0")],
        "a commit that differs in case": [((*review, "revision"), "A1")],
    }
    for what, decision in zip(tries, decided(w, [changed(*edits) for edits in tries.values()])):
        yield what, decision["verdict"] == "pending", f"{decision['verdict']} {reason(decision)}"
