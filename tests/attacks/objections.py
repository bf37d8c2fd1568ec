"""Requested changes: removed, laundered or outvoted. A no is never lost."""

from registry import attack
from world import until


@attack("a no that ended a request, laundered by a redrive and by a second pull request", "rejected again")
def ended_by_a_no(w):
    pull = w.pull()
    run = w.begin("production", pull)
    pull.review("lee", "REQUEST_CHANGES", "no")
    until(lambda: run.status() == "FAILED")
    run.redrive()
    pull.review("pia")
    yield "a redrive", *run.refused()
    other = pull.opened_again()
    second = w.begin("production", other)
    other.review("pia")
    yield "a second pull request", *second.refused()
    third = w.begin("production", other, revision=pull.head)
    yield "a new execution", *third.refused()


@attack(
    "a no that only blocked a request, or that nobody had asked for, laundered by a second pull request", "the same no"
)
def blocked_by_a_no(w):
    pull = w.pull()
    run = w.begin("held", pull)
    pull.review("lee", "REQUEST_CHANGES", "no")
    until(lambda: run.decision().get("verdict") == "blocked")
    other = pull.opened_again()
    second = w.begin("held", other)
    other.review("pia")
    yield "it blocked before", *second.refused()
    pull = w.pull()
    pull.review("lee", "REQUEST_CHANGES", "no")
    w.drained()
    other = pull.opened_again()
    second = w.begin("production", other)
    other.review("pia")
    yield "no request was open", *second.refused()


@attack("a no under a rule that ignores it, used for another rule by a second pull request", "remembered in every mode")
def a_no_of_another_environment(w):
    pull = w.pull()
    w.begin("staging", pull)
    pull.review("dana", "REQUEST_CHANGES", "no")
    w.drained()
    other = pull.opened_again()
    run = w.begin("production", other)
    other.review("pia")
    yield "dana may object to production only", *run.refused()


@attack("the author, an outsider or an excluded approver dismisses a no", "it still stands")
def dismissed_by_the_wrong_people(w):
    for who, commits in (("dave", None), ("mallory", None), ("pat", [{"message": "By pat", "author": "pat"}])):
        pull = w.pull(commits=commits)
        run = w.begin("held", pull)
        review = pull.review("lee", "REQUEST_CHANGES", "no")
        pull.dismiss(review, by=who)
        pull.review("pia")
        yield f"dismissed by {who}", *run.refused()


@attack("a no that is dismissed while deliveries are lost", "it still stands unless an eligible person dismissed it")
def dismissed_unseen(w):
    pull = w.pull()
    run = w.begin("held", pull)
    w.unhook()
    review = pull.review("lee", "REQUEST_CHANGES", "no")
    pull.dismiss(review, by="dave")
    w.hook()
    pull.review("pia")
    yield "dismissed by the author", *run.refused()
    w.advance("11m")
    yield "read again", *run.refused()


@attack("a no is talked over: by comments of its giver, by approvals of everybody else", "rejected or blocked")
def talked_over(w):
    pull = w.pull()
    run = w.begin("held", pull)
    pull.review("lee", "REQUEST_CHANGES", "no")
    pull.review("lee", "COMMENT", "on second thoughts")
    for who in ("pia", "pat", "kit", "dana"):
        pull.review(who)
    yield "everybody else approves", *run.refused()


@attack("the giver of a no approves other targets, or another commit", "it still stands")
def lifted_by_something_else(w):
    pull = w.pull()
    run = w.begin("held", pull)
    pull.review("lee", "REQUEST_CHANGES", "no")
    pull.review("lee", body="/approve staging")
    pull.review("pia")
    yield "an approval that names other targets", *run.refused()
    pull = w.pull()
    run = w.begin("held", pull)
    pull.review("lee", "REQUEST_CHANGES", "no")
    w.drained()
    other = w.pull(commits=[{"message": "Another change"}])
    other.review("lee")
    pull.review("pia")
    yield "an approval of another pull request", *run.refused()


@attack("a new commit on top of a no, and back to the old one", "the old commit stays refused")
def pushed_over(w):
    pull = w.pull()
    refused_head = pull.head
    run = w.begin("production", pull)
    pull.review("lee", "REQUEST_CHANGES", "no")
    until(lambda: run.status() == "FAILED")
    pull.push([{"message": "More"}])
    run = w.begin("held", pull)
    pull.review("pia")
    yield "a new commit: blocked until the giver looks again", *run.refused()
    pull.push([{"sha": refused_head, "message": "Change"}], force=True)
    run = w.begin("production", pull)
    pull.review("pia")
    yield "back to the refused commit", *run.refused()


@attack("a team that cannot be read hides whether the giver of a no may object", "counts while it cannot be read")
def unreadable_team(w):
    w.hub("PATCH", "/_standin/teams/acme/reviewers", {"readable": False})
    pull = w.pull()
    run = w.begin("team", pull)
    pull.review("erin", "REQUEST_CHANGES", "no")
    w.drained()
    verdict = run.decision().get("verdict")
    w.hub("PATCH", "/_standin/teams/acme/reviewers", {"readable": True})
    yield "it acts", verdict in ("rejected", "blocked"), verdict
