"""Attacks that reach the functions: partial answers of GitHub, forged authors, look-alikes, other cases, floods.

`tests/attacks` makes many more attacks on the local gate. Here are those that need the real client of GitHub, the HTTP
API or the table. They share the world of `test_chain`.
"""

import copy
import json
import unittest

import setting
from between import every
from running import call

PULLS = "repos/acme/shop/pulls"


def partial(**fields):
    """Returns an edit that sets these keys wherever they stand."""

    def change(answer):
        changed = copy.deepcopy(answer)
        for key, value in fields.items():
            every(changed.get("data"), key, lambda at, key=key, value=value: at.__setitem__(key, value))
        return changed

    return change


def in_list(name, edit):
    """Returns an edit of every connection of this name: its nodes are changed."""

    def change(answer):
        changed = copy.deepcopy(answer)

        def edit_nodes(at):
            if isinstance(at[name], dict) and isinstance(at[name].get("nodes"), list):
                at[name]["nodes"] = edit(at[name]["nodes"])

        every(changed.get("data"), name, edit_nodes)
        return changed

    return change


def errors(kind, **more):
    """Returns an edit that puts an error beside the data, or changes the data too."""
    return lambda answer: {**answer, **more, "errors": [{"type": kind, "message": "no", "path": ["repository"]}]}


def more_pages(answer):
    """Returns the answer with a next page in every list. Each such page again says that there is one more."""
    changed = copy.deepcopy(answer)
    every(changed.get("data"), "hasNextPage", lambda at: at.update(hasNextPage=True, endCursor="more"))
    return changed


PARTIAL = {
    "errors beside all data": errors("SOMETHING"),
    "forbidden, and no data": errors("FORBIDDEN", data=None),
    "a rate limit": errors("RATE_LIMITED", data=None),
    "too many nodes": errors("MAX_NODE_LIMIT_EXCEEDED", data=None),
    "resource limits, and a part of the data": errors("RESOURCE_LIMITS_EXCEEDED"),
    "no data and no errors": lambda _: {"data": None},
    "an empty object": lambda _: {},
    "half of the answer": lambda answer: json.dumps(answer).encode()[:-40],
    "no repository": partial(repository=None),
    "no pull request": partial(pullRequest=None),
    "no reviews": partial(reviews=None),
    "no commits": partial(commits=None),
    "no timeline": partial(timelineItems=None),
    "an unknown head": partial(headRefOid=None),
    "an unknown state": partial(state="SOMETHING_NEW"),
    "commits that are left out": in_list("commits", lambda nodes: nodes[:0]),
    "a commit that is `null`": in_list("commits", lambda nodes: [*nodes, None]),
    "reviews that are `null`": in_list("reviews", lambda nodes: [None for _ in nodes]),
    "reviews without a person": in_list("reviews", lambda nodes: [{**one, "author": None} for one in nodes]),
    "another page that does not come": more_pages,
}


class AttackTests(unittest.TestCase):
    """What is tried against an installation, and refused."""

    @classmethod
    def setUpClass(cls):
        cls.world = setting.world()
        cls.host, cls.peer, cls.between = cls.world.host, cls.world.peer, setting.between()

    def pull(self, commits=None, by="dave"):
        """Opens a pull request by dave for this test."""
        title = f"Change for {self._testMethodName.removeprefix('test_')[:60]}"
        pull = self.host.pull_request(title)
        if commits:
            self.host.control("POST", f"{PULLS}/{pull.number}/pushes", by=by, commits=commits)
        return pull

    def waits(self, execution):
        """Fails unless it still waits once everything is delivered and read again."""
        self.host.drained()
        self.world.advance(601)
        self.world.sweep()
        self.assertTrue(execution.runs(), execution.describe())

    def test_a_partial_answer_of_github_never_releases(self):
        for what, change in PARTIAL.items():
            with self.subTest(what):
                pull = self.pull()
                execution = self.world.start("production", pull).waits()
                self.between.change, before = change, self.between.changed
                try:
                    pull.review("pia")
                    self.host.drained()
                    self.assertTrue(execution.runs(), execution.describe())
                finally:
                    self.between.change = None
                self.assertGreater(self.between.changed, before, "no answer was changed")
                self.world.advance(601)
                self.world.sweep()
                self.assertEqual(execution.releases()["decision"]["counts"], ["pia"])

    def test_an_objection_that_a_partial_answer_hides_still_stands(self):
        pull = self.pull()
        execution = self.world.start("production", pull).waits()
        self.between.change = in_list(
            "reviews", lambda nodes: [one for one in nodes if one["state"] != "CHANGES_REQUESTED"]
        )
        self.addCleanup(setattr, self.between, "change", None)
        pull.review("pat", "REQUEST_CHANGES")
        pull.review("pia")
        self.host.drained()
        self.assertNotEqual(execution.describe()["status"], "SUCCEEDED")

    def test_an_approver_who_pushed_or_wrote_a_part_does_not_count(self):
        pia = call("GET", f"{self.host.url}/users/pia", headers={"authorization": "Bearer standin_dave"})[1]["id"]
        trailer = f"Update\n\nCo-authored-by: pia <{pia}+pia@users.noreply.github.com>"
        for what, by, commit in (
            ("pushed under another name", "pia", {"message": "Sneak", "author": "dave", "committer": "dave"}),
            ("as a co-author", "dave", {"message": trailer, "author": "dave", "committer": "dave"}),
            ("by nobody", "pia", {"message": "Sneak", "author": None, "committer": None}),
        ):
            with self.subTest(what):
                pull = self.pull([commit], by)
                execution = self.world.start("production", pull).waits()
                pull.review("pia")
                self.waits(execution)
                pull.review("pat")
                self.assertEqual(execution.releases()["decision"]["counts"], ["pat"])

    def test_what_looks_like_a_command_approves_nothing(self):
        pull = self.pull()
        execution = self.world.start("production", pull).waits()
        for body in (
            "`/approve canary`",
            "\uff0fapprove canary",
            "LGTM\n\n/approve canary",
            "> /approve canary",
            "/\u0430pprove canary",
        ):
            pull.review("pia", body=body)
        self.waits(execution)
        pull.review("pat", body="/Approve CHECKOUT:Production")
        execution.releases()

    def test_a_target_in_another_case_has_the_same_rule(self):
        pull = self.pull()
        execution = self.world.start("PRODUCTION", pull, service="Checkout").waits()
        pull.review("lee")
        self.waits(execution)
        pull.review("pia")
        execution.releases()

    def test_requested_changes_of_a_closed_pull_request_count_for_the_same_commit_again(self):
        pull = self.pull()
        pull.review("pat", "REQUEST_CHANGES")
        self.host.drained()
        branch = self.host.act("dave", "GET", f"pulls/{pull.number}")["head"]["ref"]
        self.host.act("dave", "PATCH", f"pulls/{pull.number}", state="closed")
        again = self.host.act("dave", "POST", "pulls", title="Again", head=branch, base="main")["number"]
        execution = self.world.start("production", None, pullRequest=f"acme/shop#{again}")
        self.host.act("pia", "POST", f"pulls/{again}/reviews", event="APPROVE", body="")
        self.host.drained()
        self.assertNotEqual(execution.describe()["status"], "SUCCEEDED")

    def test_an_outsider_s_long_comments_do_not_keep_a_request_from_settling(self):
        pull = self.pull()
        execution = self.world.start("production", pull).waits()
        for _ in range(8):
            pull.review("lee", "COMMENT", "\U0001f600" * 65_536)
        pull.review("pia")
        execution.releases()

    def test_a_flood_of_unsigned_requests_does_not_keep_an_approval_away(self):
        pull = self.pull()
        execution = self.world.start("production", pull).waits()
        url = self.world.installation.webhook_url
        headers = {
            "x-github-event": "pull_request_review",
            "x-github-delivery": "flood",
            "x-hub-signature-256": "sha256=" + "0" * 64,
        }
        for _ in range(30):
            self.assertEqual(call("POST", url, {"action": "submitted"}, headers)[0], 401)
        pull.review("pia")
        execution.releases()
