"""Floods: comments, huge texts, many requests. They cost the attacker more than the gate."""

import json
import time

from registry import attack

LIMIT = 4 * 1024 * 1024
"""DynamoDB's limit of a transaction, in bytes."""


def largest_record(run):
    """Returns how many bytes the largest record of the trail has."""
    return max(len(json.dumps(one, ensure_ascii=False, separators=(",", ":")).encode()) for one in run.trail())


@attack("an outsider's 17 comments of the greatest length", "the request still settles, within the store's limits")
def long_comments(w):
    pull = w.pull()
    run = w.begin("production", pull)
    for _ in range(17):
        pull.review("mallory", "COMMENT", "\U0001f600" * 65_536)
    pull.review("pia")
    yield "released", run.released(30), run.seen()
    yield "the largest record", largest_record(run) < LIMIT / 10, largest_record(run)


@attack("an outsider's approvals and objections of the greatest length", "the request still settles")
def long_reviews(w):
    pull = w.pull()
    run = w.begin("production", pull)
    for number in range(17):
        pull.review("mallory", "APPROVE" if number % 2 else "REQUEST_CHANGES", "/approve " + "\U0001f600" * 65_000)
    pull.review("pia")
    yield "released", run.released(30), run.seen()
    yield "the largest record", largest_record(run) < LIMIT / 10, largest_record(run)


@attack("an outsider's long texts on a request that expires", "it still expires")
def long_texts_until_it_expires(w):
    pull = w.pull()
    run = w.begin("production", pull)
    for _ in range(17):
        pull.review("mallory", "COMMENT", "\U0001f600" * 65_536)
    w.drained()
    w.advance("4h1m")
    run.released(10)
    yield "expired", run.get().get("error") == "Countersign.Expired", run.seen()


@attack("an outsider's 20 short comments", "comments cause no reading each")
def many_comments(w):
    pull = w.pull()
    run = w.begin("production", pull)
    before = len(run.trail())
    for _ in range(20):
        pull.review("mallory", "COMMENT", "hi")
    w.drained()
    time.sleep(0.5)
    readings = len(run.trail()) - before
    yield "readings", readings < 5, f"{readings} readings"


@attack("an outsider's comments on 12 pull requests that wait", "the approval of one still arrives")
def comments_on_many_pull_requests(w):
    pulls = [w.pull() for _ in range(12)]
    runs = [w.begin("production", pull) for pull in pulls]
    before = sum(len(run.trail()) for run in runs)
    for pull in pulls:
        for _ in range(4):
            pull.review("mallory", "COMMENT", "hi")
    pulls[-1].review("pia")
    began = time.monotonic()
    yield "the approval arrives", runs[-1].released(20), f"{time.monotonic() - began:.1f} s"
    w.drained()
    readings = sum(len(run.trail()) for run in runs) - before
    yield "readings", readings < 20, f"{readings} readings on 48 comments"


@attack("an outsider edits a comment 20 times", "edits of comments cause no reading each")
def many_edits(w):
    pull = w.pull()
    run = w.begin("production", pull)
    comment = pull.review("mallory", "COMMENT", "hi")
    w.drained()
    before = len(run.trail())
    for number in range(20):
        pull.edit(comment, f"hi {number}")
    w.drained()
    readings = len(run.trail()) - before
    yield "readings", readings < 5, f"{readings} readings"
    pull.review("pia")
    yield "the approval arrives", run.released(), run.seen()


@attack("200 reviews by outsiders on one request", "the approval counts, and the latest 100 of theirs are kept")
def many_reviews(w):
    pull = w.pull()
    run = w.begin("production", pull)
    w.unhook()
    for number in range(200):
        pull.review("mallory", "APPROVE", f"{number} " + "x" * 500)
    w.hook()
    pull.review("pia")
    yield "released", run.released(30), run.seen()[:80]
    listed = len(run.decision().get("reviews", []))
    yield "the decision lists the latest of them", listed < 150, f"{listed} reviews"
    size = len(json.dumps(run.get().get("output")))
    yield "the output", size < 200_000, size
