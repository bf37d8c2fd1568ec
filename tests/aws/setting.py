"""The one world that the scenarios share: made by `open_world`, changed by `redeploy`, taken down by `close`.

Terraform makes the installation where it and its provider can be had. Else a state machine and functions are made by
hand from the module's own template, and what only Terraform shows is not shown.
"""

import json
import os
import pathlib
import secrets as random
import subprocess
from dataclasses import dataclass

import install_without_terraform
import github
import policy
import terraform
from running import Peer
from world import Installation, World

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULE = ROOT / "terraform"
LOUD = """
module "countersign" {
  logs = { level = "debug", retention_days = 30 }
}
"""
"""Everything that the functions can say is looked through for secrets."""


@dataclass
class Setting:
    """What a run is made of."""

    folder: pathlib.Path
    binary: pathlib.Path
    packages: pathlib.Path
    peer: Peer
    host: github.StandIn
    made: "install_without_terraform.WithoutTerraform | WithTerraform"
    world: World
    secret: str


_the: Setting | None = None


def world() -> World:
    """The world, which `open_world` has made."""
    assert _the is not None, "run scripts/test-aws"
    return _the.world


def roles_are_the_modules() -> bool:
    """Whether Terraform made the roles, so that what IAM says is said of the module."""
    return isinstance(_the.made, WithTerraform)


def secrets() -> dict[str, str]:
    """What must not get out, by what it is."""
    return {"the App's private key": _the.host.private_key, "the webhook's secret": _the.secret}


def files() -> dict[str, str]:
    """What is kept on disk by who made the installation."""
    return _the.made.files()


def redeploy(**changed: str) -> None:
    """Brings out another policy, as an operator does."""
    _the.made.apply(bundle(_the.binary, _the.folder, **changed))


def bundle(binary: pathlib.Path, folder: pathlib.Path, **changed: str) -> pathlib.Path:
    """What `countersign bundle` makes of the policy."""
    out = folder / "bundle"
    source = policy.write(folder / "policy", **changed)
    subprocess.run([str(binary), "--policy", str(source), "bundle", "-o", str(out)], check=True, capture_output=True)
    return out


class WithTerraform:
    """The example of the module, and of a pipeline that calls it, applied."""

    def __init__(self, folder: pathlib.Path, peer: Peer, packages: pathlib.Path, github_url: str):
        self.peer, self.packages, self.github_url = peer, packages, github_url
        self.gate = terraform.Terraform(MODULE, "complete", folder / "gate", peer.url, LOUD)
        self.caller = terraform.Terraform(MODULE, "caller-pipeline", folder / "caller", peer.url)

    def apply(self, bundled: pathlib.Path) -> float:
        """Applies the gate; the seconds that took."""
        return self.gate.apply(
            package=str(self.packages),
            policy_bundle=str(bundled),
            github_url=self.github_url,
            deletion_protection=False,
        )

    def installation(self) -> Installation:
        """Where everything is, and the pipeline that calls it."""
        outputs = self.gate.outputs()
        self.caller.apply(caller=outputs["caller"])
        host, path = outputs["webhook"]["url"].split("://", 1)[1].split("/", 1)
        return Installation(
            state_machine=outputs["gate"]["state_machine_arn"],
            webhook_url=f"{self.peer.front}/{host.split('.')[0]}/{path}",
            table=outputs["table"]["name"],
            topics=outputs["notifications"]["topics"],
            functions={name: function["name"] for name, function in outputs["functions"].items()},
            github_secret=outputs["secrets"]["github_arn"],
            webhook_secret=outputs["secrets"]["webhook_arn"],
            caller=self.caller.outputs()["pipeline"]["state_machine_arn"],
        )

    def files(self) -> dict[str, str]:
        """The states."""
        return {
            f"{name}: {place}": text
            for name, made in (("gate", self.gate), ("caller", self.caller))
            for place, text in made.files().items()
        }

    def destroy(self) -> float:
        """Takes everything down; the seconds that took."""
        return self.caller.destroy() + self.gate.destroy()


def open_world(folder: pathlib.Path, binary: pathlib.Path, packages: pathlib.Path, say) -> Setting:
    """Makes the world. `say` is told what happens."""
    global _the
    peer = Peer(folder / "peer")
    try:
        secret = random.token_hex(24)
        bundled = bundle(binary, folder)
        host = github.StandIn(binary, folder / "policy", folder)
        try:
            made = _made(folder, peer, packages, host, say)
            say(f"applied in {made.apply(bundled):.0f} s")
            installation = made.installation()
            keep = peer.client("secretsmanager").put_secret_value
            keep(SecretId=installation.github_secret, SecretString=github.app_secret(host.private_key))
            keep(SecretId=installation.webhook_secret, SecretString=json.dumps({"current": secret, "previous": None}))
            _the = Setting(folder, binary, packages, peer, host, made, World(peer, host, installation, secret), secret)
            return _the
        except BaseException:
            host.stop()
            raise
    except BaseException:
        peer.stop()
        raise


def _made(folder, peer, packages, host, say):
    try:
        return WithTerraform(folder, peer, packages, host.url)
    except terraform.Unavailable as why:
        if os.environ.get("CI_NEEDS_TERRAFORM"):
            raise
        say(
            f"!!! skipped: apply, second plan, IAM and destroy of the module ({why}); "
            "state machine and functions are made by hand"
        )
        return install_without_terraform.WithoutTerraform(MODULE, peer, packages, host.url)


def close() -> None:
    """Ends the processes."""
    if _the is not None:
        _the.host.stop()
        _the.peer.stop()
