"""The GitHub of the measurements: the project's GitHub simulator, with the people and the repository of the policy."""

import pathlib
import queue
import subprocess
import sys

from serve import Handler, serve

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "tests" / "aws"))
from running import Process, call, free_port, until

REPOSITORY = "acme/internal-reports"
SERVICE = "internal-reports"
TEAMS = ("acme/payments", "acme/sre")


class Simulator:
    """The GitHub simulator. Its deliveries are kept in a queue instead of reaching a gate."""

    def __init__(self, binary: pathlib.Path, policy: pathlib.Path, folder: pathlib.Path, secret: str):
        gate, github = free_port(), free_port()
        self.gate, self.url = f"http://127.0.0.1:{gate}", f"http://127.0.0.1:{github}"
        listen = ["--listen", f"127.0.0.1:{gate}", "--github", f"127.0.0.1:{github}"]
        command = [str(binary), "dev", "--policy", str(policy), "--data", str(folder / "github"), *listen]
        self.process = Process(command, folder / "github.log")
        self.delivered: queue.Queue = queue.Queue()
        try:
            until("the simulator answers", self._answers)
            self.private_key = self._make_app(folder)
            for login in ("dave", "pat", "dana", "lee"):
                self._control("POST", "users", login=login)
            for team in TEAMS:
                self._control("POST", "teams", team=team, members=[{"login": "pat"}])
            self._control("POST", "repos", name=REPOSITORY)
            self._push("main", "Begin")
            hook = serve(_handler(self.delivered))
            self._control("PUT", "hook", url=f"http://127.0.0.1:{hook.server_port}/", secret=secret)
            self.ping = self.delivery("ping")
        except BaseException:
            self.stop()
            raise

    def pull_request(self, number: int) -> str:
        """Opens a pull request by dave and returns its name."""
        branch = f"change-{number}"
        self._push(branch, f"Change {number}")
        made = self._act("dave", "pulls", title=f"Change {number}", head=branch, base="main")
        return f"{REPOSITORY}#{made['number']}"

    def approve(self, pull_request: str) -> dict:
        """Submits pat's approval and returns its delivery."""
        number = pull_request.rpartition("#")[2]
        while not self.delivered.empty():
            self.delivered.get()
        self._act("pat", f"pulls/{number}/reviews", event="APPROVE", body="Good.")
        return self.delivery("pull_request_review")

    def delivery(self, event: str) -> dict:
        """Returns the next delivery of an event, as the HTTP API passes it to a function."""
        while True:
            headers, body = self.delivered.get(timeout=20)
            if headers["x-github-event"] == event:
                return {
                    "version": "2.0",
                    "routeKey": "POST /webhooks/github",
                    "rawPath": "/webhooks/github",
                    "headers": headers,
                    "requestContext": {"http": {"method": "POST", "path": "/webhooks/github"}, "stage": "$default"},
                    "isBase64Encoded": False,
                    "body": body,
                }

    def stop(self) -> None:
        """Stops the process."""
        self.process.stop()

    def _answers(self) -> bool:
        try:
            return call("GET", f"{self.gate}/health")[0] == 200
        except OSError:
            return False

    def _make_app(self, folder: pathlib.Path) -> str:
        made = subprocess.run(["openssl", "genrsa", "2048"], check=True, capture_output=True).stdout
        public = subprocess.run(["openssl", "rsa", "-pubout"], input=made, check=True, capture_output=True).stdout
        self._control("PUT", "app", slug="countersign", public_key=public.decode())
        return made.decode()

    def _control(self, method: str, path: str, **body) -> object:
        return self._done(call(method, f"{self.url}/_standin/{path}", body))

    def _act(self, by: str, path: str, **body) -> dict:
        bearer = {"authorization": f"Bearer standin_{by}"}
        return self._done(call("POST", f"{self.url}/repos/{REPOSITORY}/{path}", body, bearer))

    def _push(self, branch: str, message: str) -> None:
        commit = {"message": message, "files": [{"path": f"{branch}.txt"}]}
        self._control("POST", f"repos/{REPOSITORY}/branches/{branch}", by="dave", commits=[commit])

    @staticmethod
    def _done(answered: tuple[int, object]) -> object:
        status, answer = answered
        assert status < 300, answered
        return answer


def _handler(delivered: queue.Queue):
    class Hook(Handler):
        """Accepts every delivery."""

        def do_POST(self):
            headers = {name.lower(): value for name, value in self.headers.items()}
            delivered.put((headers, self.body().decode()))
            self.answer(200, b"", {})

    return Hook
