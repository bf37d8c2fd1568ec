"""Who reviews: outsiders, bots, renamed accounts, team members who are none."""

import json
import time

from registry import attack


@attack("approvals by an outsider, a bot and the author", "not eligible, bot, author")
def wrong_people(w):
    w.hub("PATCH", "/_standin/repos/acme/checkout", {"allow_self_review": True})
    pull = w.pull(by="pia")
    run = w.begin("production", pull)
    for who in ("mallory", "robot[bot]", "github-actions[bot]", "pia"):
        pull.review(who)
    w.hub("PATCH", "/_standin/repos/acme/checkout", {"allow_self_review": False})
    yield "none counts", *run.refused()


@attack("somebody takes over the login of a renamed account that is listed with its id", "only the id counts")
def takes_over_a_pinned_login(w):
    w.hub("PATCH", "/_standin/users/quinn", {"login": "quinn-q"})
    w.hub("POST", "/_standin/users", {"login": "quinn"})
    pull = w.pull()
    run = w.begin("pin", pull)
    pull.review("quinn")
    yield "the new owner of the login", *run.refused()
    pull.review("quinn-q")
    yield "the account itself counts", run.released(), run.seen()


@attack(
    "somebody takes over the login of a renamed account that is listed without its id", "`check` warns of such logins"
)
def takes_over_a_plain_login(w):
    ran = w.countersign("check", "--format", "json", w.policy)
    codes = sorted({finding["code"] for finding in json.loads(ran.stdout)["findings"]})
    yield "`check` reports logins without an id", "unpinned-login" in codes, codes


@attack("the requester approves after a change of login", "compared by id")
def renamed_requester(w):
    pull = w.pull()
    run = w.begin("asked", pull, requestedBy="kit")
    pull.review("kit")
    yield "under the login that was given", *run.refused()
    other = w.pull()
    run = w.begin("asked", other, requestedBy="PAT")
    pat = w.user_id("pat")
    w.hub("PATCH", "/_standin/users/pat", {"login": "pat-2"})
    w.hub("PATCH", "/_standin/users/kit", {"login": "kit-2"})
    # Somebody frees a listed login for the requester's account.
    w.hub("PATCH", "/_standin/users/pat-2", {"login": "kit"})
    other.review("kit")
    yield "under another login that the policy lists", *run.refused()
    yield "it is the same account", w.user_id("kit") == pat, ""
    w.hub("PATCH", "/_standin/users/kit", {"login": "pat"})
    w.hub("PATCH", "/_standin/users/kit-2", {"login": "kit"})


@attack("a requester who is listed with an id approves after a change of login", "compared by id")
def renamed_pinned_requester(w):
    before = next(one["login"] for one in w.hub("GET", "/_standin/world")["users"] if one["id"] == 9001)
    pull = w.pull()
    run = w.begin("asked-pinned", pull, requestedBy=before)
    pull.review(before)
    yield "under the login that was given", *run.refused()
    w.hub("PATCH", f"/_standin/users/{before}", {"login": "quinn-renamed"})
    pull.review("quinn-renamed")
    yield "under the new login", *run.refused()


@attack("a requester whom GitHub does not know", "the input is invalid")
def unknown_requester(w):
    pull = w.pull()
    pull.review("pia")
    run = w.begin("asked", pull, requestedBy="nobody-of-that-name")
    yield "released", *run.refused()
    yield "the error", run.get()["error"] == "Countersign.InvalidInput", run.seen()


@attack("a team that cannot be read, or whose member has not accepted the invitation", "nobody is eligible by it")
def team_members(w):
    team = {"team": "acme/reviewers", "members": [{"login": "mallory", "state": "pending"}, {"login": "pia"}]}
    w.hub("POST", "/_standin/teams", team)
    pull = w.pull()
    run = w.begin("team", pull)
    pull.review("mallory")
    yield "a pending member", *run.refused()
    w.hub("PATCH", "/_standin/teams/acme/reviewers", {"readable": False})
    pull.review("pia")
    yield "the team cannot be read", *run.refused()
    w.hub("PATCH", "/_standin/teams/acme/reviewers", {"readable": True})
    w.advance("11m")
    yield "once it can be read, its member counts", run.released(), run.seen()


@attack("a member of a team removes themselves, or is removed, after approving", "no longer counts at release")
def removed_member(w):
    w.hub("POST", "/_standin/teams", {"team": "acme/reviewers", "members": [{"login": "pat"}]})
    pull = w.pull()
    pull.review("pat")
    w.drained()
    w.hub("PATCH", "/_standin/teams/acme/reviewers", {"members": []})
    run = w.begin("team", pull)
    time.sleep(0.3)
    yield "approved while still a member", *run.refused()
