"""Texts of reviews, overrides, titles and logins: edited by others, or full of markup and control characters."""

import re
import time

from registry import attack
from world import until

BIDI = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c"


def controls(text):
    """Returns the control and bidirectional characters of a text, line feeds aside."""
    return [ascii(one) for one in text if one in BIDI or (one != "\n" and (ord(one) < 32 or 127 <= ord(one) < 160))]


@attack("a narrowed review that only the API knows is edited by somebody else", "an edit never widens")
def edited_unseen(w):
    pull = w.pull()
    run, staging = w.begin("production", pull), w.begin("staging", pull)
    w.unhook()
    review = pull.review("pia", body="/approve two")
    w.advance("11m")
    yield "never edited: it names another target", *run.refused(0.5)
    pull.edit(review, "LGTM")
    w.advance("11m")
    yield "edited to a plain approval", *run.refused()
    pull.edit(review, "/approve production, staging")
    w.advance("11m")
    yield "edited to name both", *run.refused()
    pull.edit(review, "/approve two")
    w.advance("11m")
    yield "edited back", *staging.refused()
    w.hook()


@attack("somebody's plain review that only the API knows is edited into an override", "no override")
def edited_into_an_override(w):
    pull = w.pull()
    run = w.begin("production", pull)
    w.unhook()
    review = pull.review("sam", body="Looks fine to me")
    pull.edit(review, "/override production because")
    w.advance("11m")
    w.hook()
    yield "never delivered", *run.refused()


@attack("a delivered review is edited: to a plain approval, to an override, to other targets", "the first text counts")
def edited_after_delivery(w):
    pull = w.pull()
    run, vault = w.begin("production", pull), w.begin("vault", pull)
    narrow, plain = pull.review("pia", body="/approve staging"), pull.review("sam", body="Looks fine to me")
    w.drained()
    pull.edit(narrow, "LGTM")
    pull.edit(plain, "/override production because")
    yield "production", *run.refused()
    pull.edit(narrow, "/approve vault, production")
    yield "where it must be named", *vault.refused()
    w.advance("11m")
    yield "read again", *run.refused()


@attack(
    "a comment is edited into a command, or a text is edited and the edit is delivered twice", "nothing is approved"
)
def edited_comments(w):
    pull = w.pull()
    run = w.begin("vault", pull)
    comment = pull.review("pia", "COMMENT", "hm")
    pull.edit(comment, "/approve vault")
    w.deliver(pull.payload("pia", body="/approve vault", review=comment["id"], action="edited"))
    w.deliver(pull.payload("pia", body="/approve vault", review=comment["id"], action="submitted"))
    yield "a comment stays a comment", *run.refused()


@attack("a dismissed review is edited, and its dismissal is delivered late", "it stays dismissed")
def edited_after_dismissal(w):
    pull = w.pull()
    w.unhook()
    review = pull.review("pia", body="/approve production")
    pull.dismiss(review, by="pat")
    pull.edit(review, "LGTM")
    w.hook()
    run = w.begin("production", pull)
    yield "read from the API", *run.refused()


@attack("markup, mentions, links and control characters in an override's reason", "plain text everywhere")
def markup_in_a_reason(w):
    pull = w.pull()
    run = w.begin("production", pull)
    reason = "see @acme/all #1 [x](https://evil.example) <img src=x> | y ` \r ::error::z \u202e a \u2066 b \x1b[31m"
    pull.review("sam", body=f"/override production {reason}")
    yield "the override itself counts", run.released(), run.seen()
    w.drained()
    time.sleep(0.5)
    checks = w.hub("GET", f"/repos/{pull.name}/commits/{pull.head}/check-runs")["check_runs"]
    texts = [one["output"]["summary"] + one["output"]["text"] for one in checks]
    texts += [one["body"] for one in w.hub("GET", f"/repos/{pull.name}/issues/{pull.number}/comments")]
    marks = ("@acme", "https://evil", "<img", "](", "\r", "\u202e", "\u2066", "\x1b")
    found = [ascii(mark) for mark in marks for text in texts if mark in text]
    yield "the check and the comment", texts and not found, found
    answers = [one["comment"] for one in w.protected("production", pull.head)]
    found = [ascii(mark) for mark in marks for text in answers if mark in text]
    yield "the answer to GitHub Actions", answers and not found, found
    said = [one["text"] + one["subject"] for one in w.notifications() if one["event"] == "overridden"][-1]
    yield "the message to channels", not controls(said), controls(said)
    yield "the log", "\x1b" not in w.log_text(), ""


@attack("control characters and workflow commands in a title", "plain text everywhere")
def markup_in_a_title(w):
    title = "Fix \u202e\u2066 @acme/all <img src=x> \x1b[31m\r\n::error::forged\n::set-output name=a::b"
    branch = f"title-{w.serial}"
    w.push(branch, [{"message": "Change"}])
    opened = w.hub("POST", "/repos/acme/checkout/pulls", {"title": title, "head": branch, "base": "main"})
    run = w.begin("production", None, pullRequest=f"acme/checkout#{opened['number']}")
    until(lambda: run.status() != "RUNNING" or run.decision())
    w.drained()
    head = opened["head"]["sha"]
    checks = w.hub("GET", f"/repos/acme/checkout/commits/{head}/check-runs")["check_runs"]
    texts = [one["output"]["title"] + one["output"]["summary"] + (one["output"]["text"] or "") for one in checks]
    texts += [one["body"] for one in w.hub("GET", f"/repos/acme/checkout/issues/{opened['number']}/comments")]
    found = [mark for text in texts for mark in controls(text)] + [
        one for one in ("@acme", "<img") for text in texts if one in text
    ]
    yield "the check and the comment", not found, found
    sent = [one for one in w.notifications() if run.request in str(one)]
    found = [mark for one in sent for mark in controls(one["subject"]) + controls(one["text"])]
    lines = [line for one in sent for line in one["text"].splitlines() if line.startswith("::")]
    yield "messages to channels", not found and not lines, found + lines
    yield (
        "a subject is one line of fewer than 100 ASCII characters",
        all(len(one["subject"]) < 100 and one["subject"].isascii() and "\n" not in one["subject"] for one in sent),
        [one["subject"] for one in sent],
    )


@attack("names that are so long that a subject no longer says what happened", "the names are shortened")
def long_names(w):
    pull = w.pull()
    environment = "preview-" + "x" * 110
    run = w.begin(environment, pull)
    pull.review("mallory", "REQUEST_CHANGES", "no")
    until(lambda: run.status() == "FAILED")
    sent = {
        one["event"]: one["subject"] for one in w.notifications() if run.request in str(one) or environment in str(one)
    }
    short = all(len(one) < 100 and one.isascii() for one in sent.values())
    yield "fewer than 100 ASCII characters", short and sent, sent
    said = "appro" in sent.get("requested", "").lower() and "rejected" in sent.get("rejected", "").lower()
    yield "each says what happened", said, sent


@attack("a secret of the gate in any text that it shows or logs", "never")
def secrets_in_texts(w):
    shown = w.http("GET", w.gate + "/requests")[1], w.notifications(), w.hub("GET", "/_standin/world")
    found = [
        name for name, text in zip(("requests", "notifications", "simulator"), map(str, shown)) if w.secret in text
    ]
    yield "the webhook secret", not found and w.secret not in w.log_text(), found
    tokens = re.findall(r'"(?:task_)?token": ?"[^"]+', str(shown[0]))
    yield "task tokens", not tokens, tokens[:1]
