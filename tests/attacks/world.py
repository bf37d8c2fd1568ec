"""A running `countersign dev` to attack: the gate, the GitHub simulator, people, pull requests, executions.

Everything is on loopback, and every wait is bounded.
"""

import hashlib
import hmac
import http.client
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.parse
import uuid

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.path.abspath(os.environ.get("COUNTERSIGN", ROOT / "target" / "debug" / "countersign"))
REPOSITORY = "acme/checkout"
PEOPLE = ("dave", "pia", "pat", "kit", "dana", "lee", "sam", "mallory", "erin")

POLICY = """version: 1
groups:
  payments: { users: [pia, pat, kit] }
  security: { users: [dana, lee] }
  sre: { users: [sam] }
  pinned: { users: ["quinn#9001"] }
channels: { oncall: { email: [oncall@acme.example] } }
defaults: { repository: acme/checkout, timeout: 4h, notify: [oncall] }
services:
  checkout:
    repository: acme/checkout
    branches: [main, "release*"]
    environments:
      production: { require: { all_of: [1 of payments] }, veto: [security], override: { by: 1 of sre } }
      staging: { require: 1 of payments }
      two: { require: 2 of payments }
      vault: { require: 1 of payments, explicit: true }
      held: { require: 1 of payments, veto: [security], on_changes_requested: block }
      own: { require: 1 of payments, exclude: [author, committers, pushers] }
      asked: { require: 1 of payments, exclude: [author, committers, requester] }
      pin: { require: 1 of pinned }
      asked-pinned: { require: 1 of pinned, exclude: [author, committers, requester] }
      team: { require: "@acme/Reviewers" }
      labelled: { require: { all_of: [1 of payments, { count: 1, of: [security], when: { labels: [needs-security] } }] } }
      "*": { require: "@mallory" }
"""


class CannotAttack(Exception):
    """The attack could not be made. That is no refusal."""


def until(what, patience=20.0):
    """Returns what `what()` returns as soon as that is true."""
    end = time.monotonic() + patience
    while True:
        try:
            got = what()
        except OSError:
            got = None
        if got:
            return got
        if time.monotonic() > end:
            raise CannotAttack("what was waited for did not happen in time")
        time.sleep(0.05)


class World:
    """One local gate with its GitHub simulator."""

    def __init__(self, policy=POLICY):
        self.home = tempfile.mkdtemp(prefix="countersign-attack-")
        self.policy = os.path.join(self.home, "policy.yaml")
        pathlib.Path(self.policy).write_text(policy)
        self.data = os.path.join(self.home, "data")
        self.serial = 0
        self.start()
        self.create_people()

    def start(self):
        """Starts the process on the data folder."""
        self.log = open(os.path.join(self.home, "log"), "a")
        environment = {**os.environ, "COUNTERSIGN_LOG": "info", "NO_COLOR": "1"}
        command = [BINARY, "dev", "--policy", self.policy, "--data", self.data]
        command += ["--listen", "127.0.0.1:0", "--github", "127.0.0.1:0"]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self.log, text=True, env=environment)
        lines = [self.process.stdout.readline().split() for _ in range(2)]
        if not all(lines):
            raise CannotAttack(f"`countersign dev` does not start: {self.log_text()[-500:]}")
        self.gate, self.github = (line[-1] for line in lines)
        until(lambda: self.http("GET", self.gate + "/health")[0] == 200)
        self.secret = (pathlib.Path(self.data) / "webhook-secret").read_text()

    def stop(self, keep=False):
        """Stops the process, and removes its files unless they are to be kept."""
        self.process.terminate()
        self.process.wait(timeout=30)
        self.process.stdout.close()
        self.log.close()
        if not keep:
            shutil.rmtree(self.home)

    def log_text(self):
        """Returns what the process logged."""
        return (pathlib.Path(self.home) / "log").read_text(errors="replace")

    # HTTP.

    def http(self, method, url, body=None, headers=None, timeout=30):
        """Sends one request; returns the status, and the answer as JSON or text."""
        at = urllib.parse.urlsplit(url)
        connection = http.client.HTTPConnection(at.hostname, at.port, timeout=timeout)
        try:
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            headers = {"content-type": "application/json", **(headers or {})}
            connection.request(method, at.path + ("?" + at.query if at.query else ""), body, headers)
            answer = connection.getresponse()
            text = answer.read()
            try:
                return answer.status, json.loads(text)
            except ValueError:
                return answer.status, text.decode("utf-8", "replace")
        finally:
            connection.close()

    def raw(self, data, door=None, timeout=5):
        """Sends bytes on a bare socket; returns the status codes of the answers, and all bytes of them."""
        at = urllib.parse.urlsplit(door or self.gate)
        with socket.create_connection((at.hostname, at.port), timeout=timeout) as connection:
            connection.sendall(data)
            connection.settimeout(timeout)
            got = b""
            try:
                while chunk := connection.recv(65536):
                    got += chunk
            except (TimeoutError, ConnectionResetError):
                pass
        return [int(code) for code in re.findall(rb"HTTP/1\.[01] (\d{3})", got)], got

    # GitHub.

    def hub(self, method, path, body=None, by="dave", ok=True):
        """Calls the GitHub simulator as somebody."""
        status, answer = self.http(method, self.github + path, body, {"authorization": f"Bearer standin_{by}"})
        if ok and status >= 300:
            raise CannotAttack(f"{method} {path}: {status} {answer}")
        return answer if ok else (status, answer)

    def create_people(self):
        """Creates the accounts, two repositories and their branches."""
        for login in PEOPLE:
            self.hub("POST", "/_standin/users", {"login": login})
        self.hub("POST", "/_standin/users", {"login": "quinn", "id": 9001})
        self.hub("POST", "/_standin/users", {"login": "web-flow", "id": 19864447})
        for bot in ("robot[bot]", "github-actions[bot]"):
            self.hub("POST", "/_standin/users", {"login": bot, "type": "Bot"})
        self.hub("POST", "/_standin/teams", {"team": "acme/reviewers", "members": [{"login": "pia"}]})
        for name in (REPOSITORY, "acme/other"):
            self.hub("POST", "/_standin/repos", {"name": name})
            self.push("main", [{"message": "Begin"}], name=name)
        for branch in ("release", "Main"):
            self.push(branch, [{"message": "Release"}])

    def user_id(self, login):
        """Returns the numeric id of an account."""
        return self.hub("GET", f"/users/{login}")["id"]

    def push(self, branch, commits, by="dave", name=REPOSITORY, **more):
        """Pushes commits to a branch, and returns the new head."""
        path = f"/_standin/repos/{name}/branches/{urllib.parse.quote(branch, safe='')}"
        return self.hub("POST", path, {"by": by, "commits": commits, **more})["head"]

    def pull(self, by="dave", commits=None, branch=None, base="main", name=REPOSITORY):
        """Opens a pull request with one commit."""
        self.serial += 1
        branch = branch or f"change-{self.serial}"
        commits = commits or [{"message": "Change", "files": [{"path": "src/a.rs"}]}]
        head = self.push(branch, commits, by=by, name=name)
        opened = self.hub("POST", f"/repos/{name}/pulls", {"title": "Change", "head": branch, "base": base}, by=by)
        return Pull(self, opened["number"], branch, head, name)

    def unhook(self):
        """From now on deliveries are lost."""
        # No review that follows is given in the second of a push.
        self.advance("1m")
        self.drained()
        self.hub("DELETE", "/_standin/hook")

    def hook(self):
        """From now on deliveries arrive."""
        self.hub("PUT", "/_standin/hook", {"url": self.gate + "/webhooks/github", "secret": self.secret})

    def drained(self, patience=60.0):
        """Returns when every delivery has been answered."""
        until(lambda: all(one["outcome"] for one in self.hub("GET", "/_standin/world")["deliveries"]), patience)

    def protected(self, environment, sha, by="dave"):
        """A workflow of GitHub Actions reaches an environment. Returns the gate's answers: states and comments."""
        path = f"/_standin/repos/{REPOSITORY}/deployments"
        run = self.hub("POST", path, {"by": by, "environment": environment, "sha": sha})["run_id"]
        self.drained()
        time.sleep(0.6)
        for deployment in self.hub("GET", path)["deployments"]:
            protection = deployment["protection"]
            if protection and protection["run_id"] == run:
                return protection["answers"]
        raise CannotAttack("the simulator does not list the deployment")

    # The gate.

    def begin(self, environment, pull=None, name=None, wait=True, **more):
        """Starts an execution, and returns when it waits or has ended."""
        self.serial += 1
        name = name or f"run-{self.serial}-{uuid.uuid4().hex[:6]}"
        given = {"service": "checkout", "environment": environment, **more}
        if pull is not None:
            given.setdefault("pullRequest", f"{pull.name}#{pull.number}")
        status, answer = self.http("POST", f"{self.gate}/executions?name={name}", given)
        if status != 201:
            raise CannotAttack(f"{status} {answer}")
        run = Run(self, name, answer["request_id"])
        if wait:
            until(lambda: run.status() != "RUNNING" or (run.get()["waits"] and "state" in run.approval_request()))
        return run

    def sign(self, body, secret=None):
        """Returns the signature of a body."""
        return "sha256=" + hmac.new((secret or self.secret).encode(), body, hashlib.sha256).hexdigest()

    def deliver(self, payload, event="pull_request_review", delivery=None, signature=..., headers=None, secret=None):
        """Sends a delivery to the gate's webhook."""
        body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
        given = {"x-github-event": event, "x-github-delivery": delivery or str(uuid.uuid4())}
        signature = self.sign(body, secret) if signature is ... else signature
        if signature is not None:
            given["x-hub-signature-256"] = signature
        given.update(headers or {})
        return self.http("POST", self.gate + "/webhooks/github", body, given)

    def advance(self, by):
        """Moves the clock, so that the gate reads every open request again."""
        status, answer = self.http("POST", self.gate + "/clock", {"advance": by}, timeout=120)
        if status != 200:
            raise CannotAttack(f"the clock cannot be moved: {answer}")

    def notifications(self):
        """Returns what the gate sent to channels."""
        return self.http("GET", self.gate + "/notifications")[1]["notifications"]

    def countersign(self, *words, text=None):
        """Runs the command line."""
        return subprocess.run([BINARY, *words], input=text, capture_output=True, text=True, timeout=60)


class Pull:
    """A pull request."""

    def __init__(self, world, number, branch, head, name):
        self.world, self.number, self.branch, self.head, self.name = world, number, branch, head, name

    def review(self, by, event="APPROVE", body="", ok=True, **more):
        """Submits a review."""
        path = f"/repos/{self.name}/pulls/{self.number}/reviews"
        return self.world.hub("POST", path, {"event": event, "body": body, **more}, by=by, ok=ok)

    def edit(self, review, body, by="mallory"):
        """Edits a review's text."""
        path = f"/repos/{self.name}/pulls/{self.number}/reviews/{review['id']}"
        return self.world.hub("PUT", path, {"body": body}, by=by)

    def dismiss(self, review, by):
        """Dismisses a review."""
        path = f"/repos/{self.name}/pulls/{self.number}/reviews/{review['id']}/dismissals"
        return self.world.hub("PUT", path, {"message": "no"}, by=by)

    def change(self, **fields):
        """Edits the pull request."""
        return self.world.hub("PATCH", f"/repos/{self.name}/pulls/{self.number}", fields)

    def push(self, commits, by="dave", **more):
        """Pushes commits to the branch."""
        self.head = self.world.push(self.branch, commits, by=by, name=self.name, **more)
        return self.head

    def opened_again(self):
        """Closes it, and opens another one for the same commit."""
        self.change(state="closed")
        body = {"title": "Again", "head": self.branch, "base": "main"}
        opened = self.world.hub("POST", f"/repos/{self.name}/pulls", body)
        return Pull(self.world, opened["number"], self.branch, self.head, self.name)

    def payload(self, login, state="approved", body="", review=None, head=None, action="submitted", name=None):
        """Returns a delivery of a review, as somebody who holds the secret might make it up."""
        user = {"id": self.world.user_id(login), "login": login, "type": "User"}
        return {
            "action": action,
            "review": {
                "id": review or 99_000_001,
                "user": user,
                "body": body,
                "commit_id": head or self.head,
                "submitted_at": "2030-01-01T00:00:00Z",
                "state": state,
            },
            "pull_request": {"number": self.number},
            "repository": {"full_name": name or self.name},
            "sender": user,
        }


class Run:
    """An execution."""

    def __init__(self, world, name, request):
        self.world, self.name, self.request = world, name, request

    def get(self):
        """Returns the execution."""
        return self.world.http("GET", f"{self.world.gate}/executions/{self.name}")[1]

    def status(self):
        """Returns the execution's status."""
        return self.get()["status"]

    def approval_request(self):
        """Returns its approval request."""
        return self.world.http("GET", f"{self.world.gate}/requests/{self.request}")[1]

    def decision(self):
        """Returns the latest decision: of the open request, or of the ended execution."""
        got = self.get()
        ended = got.get("cause") or (got.get("output") or {}).get("decision")
        return ended if isinstance(ended, dict) else self.approval_request().get("decision") or {}

    def trail(self):
        """Returns the audit records of the request."""
        return self.world.http("GET", f"{self.world.gate}/requests/{self.request}/trail", timeout=60)[1]["records"]

    def redrive(self):
        """Redrives the execution."""
        self.world.http("POST", f"{self.world.gate}/executions/{self.name}/redrive", {})

    def released(self, patience=15.0):
        """Whether it succeeds within this time."""
        end = time.monotonic() + patience
        while time.monotonic() < end:
            if self.status() != "RUNNING":
                return self.status() == "SUCCEEDED"
            time.sleep(0.05)
        return False

    def refused(self, patience=0.7):
        """Whether it is not released once all deliveries are answered, and what was seen."""
        self.world.drained()
        released = self.released(patience)
        return not released, self.seen()

    def seen(self):
        """Returns a short text: the status, the error, the reasons of reviews."""
        got = self.get()
        reasons = ",".join(f"{one['user']}:{one['reason']}" for one in self.decision().get("reviews", []))
        return " ".join(filter(None, (got["status"], got.get("error"), reasons)))

    def reason_of(self, login):
        """Returns the reason of the latest review of somebody."""
        reasons = [one["reason"] for one in self.decision().get("reviews", []) if one["user"] == login]
        return reasons[-1] if reasons else None
