"""The gate on the offline AWS with the GitHub simulator, as the scenarios use and observe it.

Everything is observed from outside: executions, received notifications, the table's content, the logs.
"""

import json
from dataclasses import dataclass, field

import github
from running import Peer, until


@dataclass
class Installation:
    """The names and addresses of an installation's parts, and its secrets' ARNs."""

    state_machine: str
    webhook_url: str
    table: str
    topics: dict[str, str]
    functions: dict[str, str]
    github_secret: str
    webhook_secret: str
    caller: str | None = None


@dataclass(frozen=True)
class Notification:
    """A notification that reached the test's queue."""

    event: str
    request: str
    attributes: dict[str, str]
    subject: str
    body: dict


@dataclass
class World:
    """One installation with its peer and its GitHub."""

    peer: Peer
    host: github.Simulator
    installation: Installation
    secret: str
    received: list[Notification] = field(default_factory=list)
    raw: list[str] = field(default_factory=list)

    def __post_init__(self):
        self.states = self.peer.client("stepfunctions")
        self.sqs, self.sns = self.peer.client("sqs"), self.peer.client("sns")
        self.queue = self.sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        for topic in self.installation.topics.values():
            self.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.host.hook(self.installation.webhook_url, self.secret)

    # Executions.

    def start(
        self, environment: str, pull: github.PullRequest | None, machine: str | None = None, **more
    ) -> "Execution":
        """Starts an execution, as a pipeline would."""
        given = {"service": "checkout", "environment": environment, "requestedBy": "dave", **more}
        if pull is not None:
            given["pullRequest"] = pull.name
        arn = machine or self.installation.state_machine
        started = self.states.start_execution(stateMachineArn=arn, input=json.dumps(given))
        return Execution(self, started["executionArn"])

    # Time.

    def advance(self, seconds: int) -> None:
        """Moves all clocks: the functions', the state machine's, GitHub's."""
        self.host.advance(seconds)
        self.peer.ask("clock", advance=seconds)

    def sweep(self) -> None:
        """Fires the schedule, as EventBridge does every minute."""
        answers = self.peer.ask("tick")
        assert answers, "no schedule is enabled"
        for answer in answers:
            assert "failure" not in answer, answer

    # Notifications.

    def notifications(self) -> list[Notification]:
        """Returns everything that reached the queue so far, in order of arrival."""
        while messages := self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self.raw.append(message["Body"])
                self.received.append(_notification(json.loads(message["Body"])))
                self.sqs.delete_message(QueueUrl=self.queue, ReceiptHandle=message["ReceiptHandle"])
        return self.received

    def events_of(self, pull: github.PullRequest) -> list[str]:
        """Returns the events of a pull request's notifications."""
        return [sent.event for sent in self.notifications() if sent.body.get("pull_request") == pull.name]

    def notified(self, pull: github.PullRequest, event: str, times: int = 1) -> None:
        """Returns when an event of a pull request has reached the queue exactly this often."""
        try:
            until(event, lambda: self.events_of(pull).count(event) >= times)
        except AssertionError:
            raise AssertionError(f"no notification {event} of {pull.name}; there were {self.events_of(pull)}") from None
        assert self.events_of(pull).count(event) == times, self.events_of(pull)

    def taken(self, guid: str) -> None:
        """Returns when the function has accepted this delivery."""

        def taken() -> bool:
            lines = self.peer.lines("api.jsonl")
            return any(line["headers"].get("x-github-delivery") == guid and line["status"] == 200 for line in lines)

        until(f"the delivery {guid} is accepted", taken)

    # Stored data and logs.

    def items(self) -> list[dict]:
        """Returns everything in the table."""
        pages = self.peer.client("dynamodb").get_paginator("scan").paginate(TableName=self.installation.table)
        return [item for page in pages for item in page["Items"]]

    def metrics(self) -> set[tuple[str, str, tuple[tuple[str, str], ...]]]:
        """Returns the metrics that the functions wrote in the embedded metric format: namespace, name, dimensions."""
        found = set()
        for line in self.logs().splitlines():
            said = _object(line)
            for group in said.get("_aws", {}).get("CloudWatchMetrics", ()):
                for names in group["Dimensions"]:
                    dimensions = tuple(sorted((name, said[name]) for name in names))
                    found |= {
                        (group["Namespace"], metric["Name"], dimensions)
                        for metric in group["Metrics"]
                        if metric["Name"] in said
                    }
        return found

    def logs(self) -> str:
        """Returns what the functions logged."""
        return "\n".join(path.read_text(errors="replace") for path in sorted((self.peer.data / "logs").glob("*.log")))


@dataclass
class Execution:
    """An execution of a state machine."""

    world: World
    arn: str

    def describe(self) -> dict:
        """Returns its current description."""
        return self.world.states.describe_execution(executionArn=self.arn)

    def history(self) -> list[dict]:
        """Returns its history."""
        return self.world.states.get_execution_history(executionArn=self.arn)["events"]

    def waits(self, times: int = 1) -> "Execution":
        """Returns when it waits for people: a token was issued, and the function that received it has answered."""

        def submitted() -> bool:
            described = self.describe()
            if described["status"] != "RUNNING":
                raise AssertionError(f"it does not wait: {described}")
            return sum(event["type"] == "TaskSubmitted" for event in self.history()) >= times

        until("it waits for people", submitted)
        return self

    def enters(self, kind: str) -> "Execution":
        """Returns when it has entered a state of this type."""
        until(
            f"it enters a {kind} state", lambda: any(event["type"] == f"{kind}StateEntered" for event in self.history())
        )
        return self

    def tried_in_vain(self) -> "Execution":
        """Returns when a run of a step has failed."""
        until("a run fails", lambda: any(event["type"] == "TaskFailed" for event in self.history()))
        return self

    def token(self) -> str:
        """Returns the newest token."""
        given = [event["taskScheduledEventDetails"] for event in self.history() if event["type"] == "TaskScheduled"]
        tokens = [_token(json.loads(details["parameters"])) for details in given]
        return [token for token in tokens if token][-1]

    def ended(self, seconds: float = 20) -> dict:
        """Waits for its end and returns its description."""
        try:
            return until("it ends", lambda: (d := self.describe())["status"] != "RUNNING" and d, seconds)
        except AssertionError:
            raise AssertionError(f"it does not end: {[event['type'] for event in self.history()]}") from None

    def releases(self) -> dict:
        """Waits for success and returns the output."""
        ended = self.ended()
        assert ended["status"] == "SUCCEEDED", ended
        output = json.loads(ended["output"])
        assert output["approved"] is True, output
        return output

    def fails(self, error: str) -> dict:
        """Waits for this failure and returns the cause."""
        ended = self.ended()
        assert (ended["status"], ended.get("error")) == ("FAILED", error), ended
        return json.loads(ended["cause"])

    def runs(self) -> bool:
        """Whether it is running."""
        return self.describe()["status"] == "RUNNING"


def _object(line: str) -> dict:
    try:
        said = json.loads(line)
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}


def _token(value: object) -> str | None:
    if isinstance(value, dict):
        found = [inner if key == "token" and isinstance(inner, str) else _token(inner) for key, inner in value.items()]
        return next((token for token in found if token), None)
    return None


def _notification(envelope: dict) -> Notification:
    attributes = {name: attribute["Value"] for name, attribute in envelope.get("MessageAttributes", {}).items()}
    body = json.loads(envelope["Message"])
    return Notification(
        event=attributes.get("event", ""),
        request=body.get("request_id", ""),
        attributes=attributes,
        subject=envelope.get("Subject", ""),
        body=body,
    )
