"""Creates an installation with single API calls, for machines without Terraform or its provider.

The state machine is the module's own template. The rest follows the module as far as the chain needs it. Its roles may
do anything, so it tests nothing about IAM.
"""

import json
import pathlib
import re

import policy
from peer import ACCOUNT, REGION
from running import Peer
from world import Installation

TEMPLATE = "state-machine.asl.json.tftpl"
FUNCTIONS = ("gate", "webhook", "sweep")
NAME = "without-terraform"
INDEXES = {"due": "due_"}
ANYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


class WithoutTerraform:
    """Creates everything on the first `apply`, and deploys a new policy on later ones."""

    def __init__(self, module: pathlib.Path, peer: Peer, packages: pathlib.Path, github_url: str):
        self.peer, self.packages, self.github_url = peer, packages, github_url
        self.template = (module / TEMPLATE).read_text()
        self.made: Installation | None = None

    def apply(self, bundled: pathlib.Path) -> float:
        """Creates the installation, or replaces its policy. Returns 0: the time is negligible."""
        if self.made is None:
            self._make()
        described = json.loads((bundled / "policy.json").read_text())
        layer = self.peer.client("lambda").publish_layer_version(
            LayerName=f"{NAME}-policy", Content={"ZipFile": (bundled / "policy.zip").read_bytes()}
        )["LayerVersionArn"]
        for name in FUNCTIONS:
            self._configure(name, layer, described["digest"])
        return 0

    def installation(self) -> Installation:
        """Returns the names and addresses of the parts."""
        assert self.made is not None
        return self.made

    def files(self) -> dict[str, str]:
        """Returns nothing: no file is kept on disk."""
        return {}

    def _make(self) -> None:
        role = self.peer.client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        self.peer.client("iam").put_role_policy(RoleName=NAME, PolicyName=NAME, PolicyDocument=json.dumps(ANYTHING))
        functions = {name: self._function(name, role) for name in FUNCTIONS}
        machine = self.peer.client("stepfunctions").create_state_machine(
            name=NAME, roleArn=role, definition=self._definition(functions["gate"])
        )["stateMachineArn"]
        secrets = self.peer.client("secretsmanager")
        topic = self.peer.client("sns").create_topic(Name=f"{NAME}-oncall")["TopicArn"]
        self.peer.client("sns").subscribe(TopicArn=topic, Protocol="https", Endpoint=policy.ENDPOINT)
        self._table()
        self._rules(functions["sweep"], machine)
        self.made = Installation(
            state_machine=machine,
            webhook_url=self._api(functions["webhook"]),
            table=NAME,
            topics={"oncall": topic},
            functions={name: f"{NAME}-{name}" for name in functions},
            github_secret=secrets.create_secret(Name=f"{NAME}-github")["ARN"],
            webhook_secret=secrets.create_secret(Name=f"{NAME}-webhook")["ARN"],
        )

    def _function(self, name: str, role: str) -> str:
        code = {"ZipFile": (self.packages / f"{name}.zip").read_bytes()}
        made = self.peer.client("lambda").create_function(
            FunctionName=f"{NAME}-{name}",
            Runtime="provided.al2023",
            Handler="bootstrap",
            Role=role,
            Code=code,
            Timeout=30,
        )
        return made["FunctionArn"]

    def _configure(self, name: str, layer: str, digest: str) -> None:
        made = self.made
        variables = {
            "COUNTERSIGN_NAME": NAME,
            "COUNTERSIGN_TABLE": made.table,
            "COUNTERSIGN_TOPICS": json.dumps(made.topics),
            "COUNTERSIGN_POLICY_DIGEST": digest,
            "COUNTERSIGN_GITHUB_URL": self.github_url,
            "COUNTERSIGN_GITHUB_SECRET": made.github_secret,
            "COUNTERSIGN_WEBHOOK_SECRET": made.webhook_secret,
            "COUNTERSIGN_LOG": "debug",
        }
        self.peer.client("lambda").update_function_configuration(
            FunctionName=made.functions[name], Layers=[layer], Environment={"Variables": variables}
        )

    def _definition(self, gate: str) -> str:
        given = {"partition": "aws", "gate": gate, "timeout_seconds": "70"}
        return re.sub(r"\$\{([a-z_]+)\}", lambda placeholder: given[placeholder[1]], self.template)

    def _table(self) -> None:
        def key(prefix: str) -> list[dict]:
            return [
                {"AttributeName": f"{prefix}pk", "KeyType": "HASH"},
                {"AttributeName": f"{prefix}sk", "KeyType": "RANGE"},
            ]

        indexes = [
            {"IndexName": name, "KeySchema": key(prefix), "Projection": {"ProjectionType": "KEYS_ONLY"}}
            for name, prefix in INDEXES.items()
        ]
        names = [f"{prefix}{part}" for prefix in ("", *INDEXES.values()) for part in ("pk", "sk")]
        self.peer.client("dynamodb").create_table(
            TableName=NAME,
            KeySchema=key(""),
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in names],
            GlobalSecondaryIndexes=indexes,
            BillingMode="PAY_PER_REQUEST",
        )

    def _rules(self, sweep: str, machine: str) -> None:
        events = self.peer.client("events")
        pattern = {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"stateMachineArn": [machine], "status": ["FAILED", "TIMED_OUT", "ABORTED"]},
        }
        rules = {"tick": {"ScheduleExpression": "rate(1 minute)"}, "ended": {"EventPattern": json.dumps(pattern)}}
        for name, what in rules.items():
            arn = events.put_rule(Name=f"{NAME}-{name}", **what)["RuleArn"]
            events.put_targets(Rule=f"{NAME}-{name}", Targets=[{"Id": "sweep", "Arn": sweep}])
            self._permit(sweep, name, "events.amazonaws.com", arn)

    def _api(self, webhook: str) -> str:
        gateway = self.peer.client("apigatewayv2")
        api = gateway.create_api(Name=NAME, ProtocolType="HTTP")["ApiId"]
        integration = gateway.create_integration(
            ApiId=api, IntegrationType="AWS_PROXY", PayloadFormatVersion="2.0", IntegrationUri=webhook
        )["IntegrationId"]
        gateway.create_route(ApiId=api, RouteKey="POST /webhooks/github", Target=f"integrations/{integration}")
        gateway.create_stage(ApiId=api, StageName="$default", AutoDeploy=True)
        source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/*/POST/webhooks/github"
        self._permit(webhook, "api", "apigateway.amazonaws.com", source)
        return f"{self.peer.front}/{api}/webhooks/github"

    def _permit(self, function: str, name: str, service: str, source: str) -> None:
        self.peer.client("lambda").add_permission(
            FunctionName=function, StatementId=name, Action="lambda:InvokeFunction", Principal=service, SourceArn=source
        )
