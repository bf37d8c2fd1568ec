"""The project's GitHub simulator beside the gate on AWS, and the people who use it.

`countersign dev` serves it. Its local gate runs too but gets nothing to do, because the webhook points to the HTTP API.
"""

import json
import pathlib

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from running import Process, call, free_port, until

REPOSITORY = "acme/shop"
PEOPLE = ("dave", "pia", "pat", "sam", "lee")
APP_ID = 1


class Simulator:
    """A simulated GitHub with one repository, its people, and an App."""

    def __init__(self, binary: pathlib.Path, policy: pathlib.Path, folder: pathlib.Path):
        self.branches, gate, github = 0, free_port(), free_port()
        self.gate, self.url = f"http://127.0.0.1:{gate}", f"http://127.0.0.1:{github}"
        listen = ["--listen", f"127.0.0.1:{gate}", "--github", f"127.0.0.1:{github}"]
        command = [str(binary), "dev", "--policy", str(policy), "--data", str(folder / "github"), *listen]
        self.process = Process(command, folder / "github.log")
        until("the simulator answers", self._answers)
        self.private_key = self._make_app()
        for login in PEOPLE:
            self.control("POST", "users", login=login)
        self.control("POST", "repos", name=REPOSITORY)
        self.push("main", "Begin")

    def _answers(self) -> bool:
        try:
            return call("GET", f"{self.gate}/health")[0] == 200
        except OSError:
            return False

    def _make_app(self) -> str:
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        self.control("PUT", "app", slug="countersign", public_key=public.decode())
        return key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
        ).decode()

    def control(self, method: str, path: str, **body) -> object:
        """Calls a path that GitHub's own API does not have."""
        status, answer = call(method, f"{self.url}/_standin/{path}", body or None)
        assert status < 300, (method, path, status, answer)
        return answer

    def act(self, by: str, method: str, path: str, **body) -> dict:
        """Calls GitHub's REST API as a person."""
        status, answer = call(
            method, f"{self.url}/repos/{REPOSITORY}/{path}", body or None, {"authorization": f"Bearer standin_{by}"}
        )
        assert status < 300, (by, method, path, status, answer)
        return answer

    def hook(self, url: str, secret: str) -> None:
        """Sets where deliveries go, and the secret that signs them."""
        self.control("PUT", "hook", url=url, secret=secret)

    def push(self, branch: str, message: str, by: str = "dave") -> str:
        """Pushes a commit and returns its hash."""
        commit = {"message": message, "files": [{"path": f"{branch}.txt"}]}
        return self.control("POST", f"repos/{REPOSITORY}/branches/{branch}", by=by, commits=[commit])["head"]

    def pull_request(self, title: str) -> "PullRequest":
        """Opens a pull request by dave with one commit."""
        self.branches += 1
        branch = f"change-{self.branches}"
        self.push(branch, title)
        number = self.act("dave", "POST", "pulls", title=title, head=branch, base="main")["number"]
        return PullRequest(self, number)

    def advance(self, seconds: int) -> None:
        """Moves the simulator's clock."""
        status, answer = call("POST", f"{self.gate}/clock", {"advance": f"{seconds}s"})
        assert status == 200, answer

    def deliveries(self) -> list[dict]:
        """Returns deliveries that were sent or are pending."""
        return self.control("GET", "world")["deliveries"]

    def drained(self) -> None:
        """Returns when every delivery has been sent."""
        until("deliveries are sent", lambda: all(delivery["outcome"] for delivery in self.deliveries()))

    def stop(self) -> None:
        """Stops the process."""
        self.process.stop()


class PullRequest:
    """A pull request of the repository."""

    def __init__(self, host: Simulator, number: int):
        self.host, self.number, self.name = host, number, f"{REPOSITORY}#{number}"

    def review(self, by: str, event: str = "APPROVE", body: str = "") -> None:
        """Submits a review on the current head."""
        self.host.act(
            by, "POST", f"pulls/{self.number}/reviews", event=event, body=body or f"{by} says {event.lower()}"
        )

    def comments(self) -> list[str]:
        """Returns the texts of its comments."""
        return [comment["body"] for comment in self.host.act("dave", "GET", f"issues/{self.number}/comments")]


def app_secret(private_key: str) -> str:
    """Returns the content of the gate's secret for GitHub."""
    return json.dumps({"app_id": APP_ID, "private_key": private_key})
