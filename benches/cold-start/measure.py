"""Measures cold starts of our functions, the tutorial's and a minimal one: docs/performance.md, "A cold start".

The starts are interleaved. It checks every answer, so that no failing function is measured. It prints a table, and with
--json writes all figures.
"""

import argparse
import collections
import json
import pathlib
import secrets as random
import statistics
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass, field

import aws
from launch import Start, launch
from simulator import SERVICE, Simulator

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ARN = f"arn:aws:{{}}:{aws.REGION}:{aws.ACCOUNT}:{{}}"
GITHUB, WEBHOOK = (ARN.format("secretsmanager", f"secret:{name}-a1b2c3") for name in ("github", "webhook"))
MOST_CPU_MS, MOST_MEMORY_MB, LEAST_RATIO = 10, 16, 20

FLOOR = "floor: Rust, Lambda's runtime, no SDK"
ASK = "tutorial, Python and boto3: keep a token, send a link"
ANSWER = "tutorial, Python and boto3: let the execution go on"
NOBODY = "`gate`: evaluate, nobody has to approve"
PULL = "`gate`: evaluate, a pull request"
PING = "`webhook`: a signed ping"
REVIEW = "`webhook`: a signed review, which approves"
ORDER = (FLOOR, ASK, ANSWER, NOBODY, PULL, PING, REVIEW)
BESIDE = {NOBODY: ASK, PULL: ASK, PING: ANSWER, REVIEW: ANSWER}
"""The tutorial's function with which each of ours is compared."""


@dataclass
class Line:
    """All starts of one kind."""

    starts: list[Start] = field(default_factory=list)
    calls: collections.Counter = field(default_factory=collections.Counter)

    def median(self, what: str) -> float:
        """Returns the median of one figure."""
        return statistics.median(getattr(start, what) for start in self.starts)

    def figures(self) -> dict:
        """Returns all figures as data."""
        spread = {}
        for what in ("cpu_ms", "wall_ms", "memory_mb"):
            all_of_them = [getattr(start, what) for start in self.starts]
            spread[what] = {
                name: round(of(all_of_them), 3)
                for name, of in (("median", statistics.median), ("least", min), ("most", max))
            }
        return {**spread, "starts": len(self.starts), "aws_calls": dict(sorted(self.calls.items()))}


class Bench:
    """Everything that the functions need to start."""

    def __init__(self, given: argparse.Namespace, folder: pathlib.Path):
        self.given, self.folder, secret = given, folder, random.token_hex(24)
        policy = ROOT / "policies"
        command = [str(given.countersign), "bundle", "--policy", str(policy), "-o", str(folder)]
        subprocess.run(command, check=True, capture_output=True)
        with zipfile.ZipFile(folder / "policy.zip") as layer:
            layer.extractall(folder / "opt")
        self.described = json.loads((folder / "policy.json").read_text())
        self.simulator = Simulator(given.countersign, policy, folder, secret)
        app = {"app_id": 1, "private_key": self.simulator.private_key}
        self.aws = aws.Aws({GITHUB: app, WEBHOOK: {"current": secret, "previous": None}})
        self.lines = collections.defaultdict(Line)

    def variables(self) -> dict[str, str]:
        """A function's environment, as Lambda and the module set it."""
        topics = {channel: ARN.format("sns", f"countersign-{channel}") for channel in self.described["channels"]}
        return {
            "AWS_LAMBDA_FUNCTION_NAME": "measured",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_REGION": aws.REGION,
            "AWS_DEFAULT_REGION": aws.REGION,
            "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "measured",
            "AWS_SESSION_TOKEN": "measured",
            "AWS_ENDPOINT_URL": self.aws.url,
            "COUNTERSIGN_NAME": "countersign",
            "COUNTERSIGN_TABLE": "countersign",
            "COUNTERSIGN_POLICY": str(self.folder / "opt" / "countersign" / "policy.json"),
            "COUNTERSIGN_POLICY_DIGEST": self.described["digest"],
            "COUNTERSIGN_TOPICS": json.dumps(topics),
            "COUNTERSIGN_GITHUB_URL": self.simulator.url,
            "COUNTERSIGN_GITHUB_SECRET": GITHUB,
            "COUNTERSIGN_WEBHOOK_SECRET": WEBHOOK,
            "PATH": "/usr/bin:/bin",
            "PYTHONDONTWRITEBYTECODE": "1",
            "TABLE": "tokens",
            "TOPIC": ARN.format("sns", "approvals"),
            "API": "https://abc123.execute-api.eu-central-1.amazonaws.com",
        }

    def start(self, name: str | None, command: list[str], event: dict) -> dict:
        """Starts a function. Adds the figures to the line of this name."""
        self.aws.calls.clear()
        started = launch(command, self.variables(), event, self.folder / "functions.log")
        if name is not None:
            self.lines[name].starts.append(started)
            self.lines[name].calls = self.aws.calls.copy()
        return started.answer

    def ours(self, name: str | None, function: str, event: dict) -> dict:
        """Starts one of our functions."""
        return self.start(name, [str(self.given.functions / function)], event)

    def tutorial(self, name: str, module: str, event: dict) -> dict:
        """Starts one of the tutorial's functions."""
        return self.start(name, [sys.executable, str(HERE / "tutorial" / "bootstrap.py"), module], event)

    def round(self, number: int) -> None:
        """Makes one start of each kind."""
        self.start(FLOOR, [str(self.given.floor)], {})

        asked = self.tutorial(ASK, "ask", {"token": "A" * 700, "input": {"service": SERVICE}})
        link = {"queryStringParameters": {"id": asked["id"], "action": "approve"}}
        self.is_so(self.tutorial(ANSWER, "answer", link)["statusCode"] == 200 and self.aws.calls["SendTaskSuccess"])

        staging = {"service": "checkout", "environment": "staging", "requestedBy": "dave"}
        answered = self.ours(NOBODY, "gate", step("evaluate", f"{number}-none", staging, pinned=None))
        self.is_so(answered["route"] == "verify", answered)

        pull = self.simulator.pull_request(number)
        production = {"service": SERVICE, "environment": "production", "requestedBy": "dave", "pullRequest": pull}
        answered = self.ours(PULL, "gate", step("evaluate", f"{number}-pull", production, pinned=None))
        self.is_so(answered["route"] == "request-approval", answered)

        answered = self.ours(PING, "webhook", self.simulator.ping)
        self.is_so(answered["statusCode"] == 200, answered)

        more = {"pinned": None, "token": "A" * 700, "retry": 0}
        evaluated = self.ours(None, "gate", step("evaluate", f"{number}-asked", production, pinned=None))
        more["pinned"] = evaluated["pinned"]
        self.ours(None, "gate", step("request-approval", f"{number}-asked", production, **more))
        answered = self.ours(REVIEW, "webhook", self.simulator.approve(pull))
        self.is_so(answered["statusCode"] == 200 and self.aws.calls["SendTaskSuccess"] == 1, answered, self.aws.calls)

    def is_so(self, right: object, *seen: object) -> None:
        """Raises an error if an answer is wrong."""
        if not right:
            log = (self.folder / "functions.log").read_text()[-3000:]
            raise RuntimeError(f"a wrong answer, which must not be measured: {seen}\n{log}")


def step(name: str, execution: str, given: dict, **more: object) -> dict:
    """Returns the gate's input, as the state machine passes it."""
    arn = ARN.format("states", f"execution:countersign:{execution}")
    return {"step": name, "execution": {"arn": arn, "name": execution, "redrive": 0, "input": given}, **more}


def table(lines: dict[str, Line]) -> str:
    """Returns the figures as a Markdown table."""
    rows = ["| | CPU | wall | memory | calls to AWS | CPU of the tutorial's, as a multiple |", "|---|---|---|---|---|---|"]
    for name in ORDER:
        line = lines[name]
        times = "" if name not in BESIDE else f"{ratio(lines, name):.0f}×"
        figures = [f"{line.median('cpu_ms'):.1f} ms", f"{line.median('wall_ms'):.0f} ms", f"{line.median('memory_mb'):.1f} MB"]
        rows.append(f"| {' | '.join([name, *figures, str(line.calls.total()), times])} |".replace("|  |", "| |"))
    return "\n".join(rows)


def ratio(lines: dict[str, Line], name: str) -> float:
    """Returns how many times more CPU the tutorial's function takes."""
    return lines[BESIDE[name]].median("cpu_ms") / lines[name].median("cpu_ms")


def missed(lines: dict[str, Line]) -> list[str]:
    """Returns the goals that were missed."""
    found = []
    for name in BESIDE:
        line = lines[name]
        cpu, memory, times = line.median("cpu_ms"), line.median("memory_mb"), ratio(lines, name)
        if cpu > MOST_CPU_MS:
            found.append(f"{name}: {cpu:.1f} ms of CPU; the goal is at most {MOST_CPU_MS}")
        if memory > MOST_MEMORY_MB:
            found.append(f"{name}: {memory:.1f} MB; the goal is at most {MOST_MEMORY_MB}")
        if times < LEAST_RATIO:
            found.append(f"{name}: the tutorial's takes {times:.1f} times the CPU; the goal is at least {LEAST_RATIO}")
    return found


def main() -> int:
    """Runs everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--functions", type=pathlib.Path, required=True, help="the folder with gate and webhook")
    parser.add_argument("--floor", type=pathlib.Path, required=True, help="the floor's binary")
    parser.add_argument("--countersign", type=pathlib.Path, required=True, help="the command")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--json", type=pathlib.Path, help="a file for all figures")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(given, pathlib.Path(folder))
        try:
            # The first round fills the machine's caches and is not counted.
            bench.round(0)
            bench.lines.clear()
            for number in range(given.rounds):
                bench.round(number + 1)
        finally:
            bench.simulator.stop()
    lines = bench.lines
    print(f"Medians of {given.rounds} interleaved rounds.\n\n{table(lines)}")
    for problem in missed(lines):
        print(f"\nMissed: {problem}")
    if given.json:
        figures = {name: line.figures() for name, line in lines.items()}
        given.json.write_text(json.dumps(figures, indent=2) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
