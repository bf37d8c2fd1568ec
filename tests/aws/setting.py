"""The one world that all scenarios share: `open_world` creates it, `redeploy` changes it, `close` stops it.

Terraform creates the installation if it and its provider are available. Otherwise `install_without_terraform` creates
the state machine and functions from the module's own template, and tests that need Terraform are skipped.
"""

import json
import os
import pathlib
import secrets as random
import subprocess
from dataclasses import dataclass

import github
import install_without_terraform
import policy
import terraform
from between import Between
from running import Peer
from world import Installation, World

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULE = ROOT / "terraform"
LOUD = """
module "countersign" {
  logs = { level = "debug", retention_days = 30 }
}
"""
"""Debug logs, because the search for leaked secrets covers everything that the functions can log."""


@dataclass
class Setting:
    """The parts of a run."""

    folder: pathlib.Path
    binary: pathlib.Path
    packages: pathlib.Path
    peer: Peer
    host: github.Simulator
    between: Between
    made: "install_without_terraform.WithoutTerraform | WithTerraform"
    world: World
    secret: str


_the: Setting | None = None


def world() -> World:
    """Returns the world that `open_world` created."""
    assert _the is not None, "run scripts/test-aws"
    return _the.world


def between() -> Between:
    """Returns what stands between the functions and the simulator."""
    return _the.between


def roles_are_the_modules() -> bool:
    """Whether Terraform created the roles, so that IAM results hold for the module."""
    return isinstance(_the.made, WithTerraform)


def secrets() -> dict[str, str]:
    """Returns the secrets that must not leak, by name."""
    return {"the App's private key": _the.host.private_key, "the webhook's secret": _the.secret}


def files() -> dict[str, str]:
    """Returns the files that the installation method keeps on disk."""
    return _the.made.files()


def redeploy(**changed: str) -> None:
    """Deploys another policy, as an operator would."""
    _the.made.apply(bundle(_the.binary, _the.folder, **changed))


def bundle(binary: pathlib.Path, folder: pathlib.Path, **changed: str) -> pathlib.Path:
    """Runs `countersign bundle` on the policy and returns the folder."""
    out = folder / "bundle"
    source = policy.write(folder / "policy", **changed)
    subprocess.run([str(binary), "bundle", "--policy", str(source), "-o", str(out)], check=True, capture_output=True)
    return out


class WithTerraform:
    """The module's example, and the example of a pipeline that calls it, applied with Terraform."""

    def __init__(self, folder: pathlib.Path, peer: Peer, packages: pathlib.Path, github_url: str):
        self.peer, self.packages, self.github_url = peer, packages, github_url
        self.gate = terraform.Terraform(MODULE, "complete", folder / "gate", peer.url, LOUD)
        self.caller = terraform.Terraform(MODULE, "caller-pipeline", folder / "caller", peer.url)

    def apply(self, bundled: pathlib.Path) -> float:
        """Applies the gate. Returns the seconds it took."""
        return self.gate.apply(
            package=str(self.packages),
            policy_bundle=str(bundled),
            github_url=self.github_url,
            deletion_protection=False,
        )

    def installation(self) -> Installation:
        """Applies the pipeline, and returns the names and addresses of all parts."""
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
        """Returns Terraform's state files."""
        return {
            f"{name}: {place}": text
            for name, made in (("gate", self.gate), ("caller", self.caller))
            for place, text in made.files().items()
        }

    def destroy(self) -> float:
        """Destroys everything. Returns the seconds it took."""
        return self.caller.destroy() + self.gate.destroy()


def open_world(folder: pathlib.Path, binary: pathlib.Path, packages: pathlib.Path, say) -> Setting:
    """Creates the world. Calls `say` with progress messages."""
    global _the
    peer = Peer(folder / "peer")
    try:
        secret = random.token_hex(24)
        bundled = bundle(binary, folder)
        host = github.Simulator(binary, folder / "policy", folder)
        try:
            between = Between(host.url)
            host.control("PATCH", "host", address=between.url)
            made = _made(folder, peer, packages, between.url, say)
            say(f"applied in {made.apply(bundled):.0f} s")
            installation = made.installation()
            keep = peer.client("secretsmanager").put_secret_value
            keep(SecretId=installation.github_secret, SecretString=github.app_secret(host.private_key))
            keep(SecretId=installation.webhook_secret, SecretString=json.dumps({"current": secret, "previous": None}))
            world = World(peer, host, installation, secret)
            _the = Setting(folder, binary, packages, peer, host, between, made, world, secret)
            return _the
        except BaseException:
            host.stop()
            raise
    except BaseException:
        peer.stop()
        raise


def _made(folder, peer, packages, github_url, say):
    try:
        return WithTerraform(folder, peer, packages, github_url)
    except terraform.Unavailable as why:
        if os.environ.get("CI_NEEDS_TERRAFORM"):
            raise
        say(
            f"!!! skipped: apply, second plan, IAM and destroy of the module ({why}); "
            "state machine and functions are created without Terraform"
        )
        return install_without_terraform.WithoutTerraform(MODULE, peer, packages, github_url)


def close() -> None:
    """Stops the processes."""
    if _the is not None:
        _the.host.stop()
        _the.between.stop()
        _the.peer.stop()
