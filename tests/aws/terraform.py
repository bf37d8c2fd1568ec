"""Runs the real Terraform with the real hashicorp/aws provider against the peer, or reports why it cannot."""

import json
import os
import pathlib
import shutil
import subprocess
import time

from peer import REGION

MIRROR = pathlib.Path(__file__).resolve().parents[2] / "scripts" / "provider-mirror"

OVERRIDE = """# Written by the test. Terraform merges it into the example, to use the offline peer instead of AWS.
provider "aws" {{
  region                      = "{region}"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
}}
{more}"""


class Unavailable(Exception):
    """Terraform or its provider is not available."""


def mirror() -> pathlib.Path | None:
    """Returns a folder that holds the provider, unpacked or packed. `None` if there is none."""
    found = subprocess.run([str(MIRROR)], capture_output=True, text=True, check=True).stdout.strip()
    return pathlib.Path(found) if found else None


class Terraform:
    """One configuration, in its own copy, with its state."""

    def __init__(self, source: pathlib.Path, example: str, folder: pathlib.Path, endpoint: str, more: str = ""):
        if shutil.which("terraform") is None:
            raise Unavailable("terraform is not installed")
        self.folder = folder / "terraform" / "examples" / example
        shutil.rmtree(folder / "terraform", ignore_errors=True)
        shutil.copytree(source, folder / "terraform", ignore=shutil.ignore_patterns(".terraform", "*.tfstate*"))
        (self.folder / "peer_override.tf").write_text(OVERRIDE.format(region=REGION, more=more))
        self.environment = {
            **os.environ,
            "AWS_ENDPOINT_URL": endpoint,
            "TF_IN_AUTOMATION": "1",
            "CHECKPOINT_DISABLE": "1",
        }
        self.environment |= {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        self._configure(folder)
        self.variables = self.folder / "peer.auto.tfvars.json"
        self._init()

    def _configure(self, folder: pathlib.Path) -> None:
        lines, found = ["disable_checkpoint = true"], mirror()
        if found is not None:
            # Each block needs its own lines, or the file does not parse.
            lines += ["provider_installation {", "  filesystem_mirror {", f'    path = "{found}"', "  }", "}"]
        file = folder / "terraform.rc"
        file.write_text("\n".join(lines) + "\n")
        self.environment["TF_CLI_CONFIG_FILE"] = str(file)

    def _init(self) -> None:
        done = self._run("init", "-input=false", "-no-color", check=False)
        if done.returncode:
            raise Unavailable(f"no provider: {done.stderr.strip()[-400:]}")

    def apply(self, **variables) -> float:
        """Applies with these variables. Returns the seconds it took."""
        self.variables.write_text(json.dumps(variables))
        began = time.monotonic()
        self._run("apply", "-input=false", "-no-color", "-auto-approve")
        return time.monotonic() - began

    def changes(self) -> dict[str, list[str]]:
        """Returns what a plan would change: the address and the attributes of each resource."""
        self._run("plan", "-input=false", "-no-color", "-out=second.plan")
        plan = json.loads(self._run("show", "-json", "second.plan").stdout)
        changed = [change for change in plan.get("resource_changes", []) if change["change"]["actions"] != ["no-op"]]
        changed = [change for change in changed if change["change"]["actions"] != ["read"]]
        return {change["address"]: _attributes(change["change"]) for change in changed}

    def outputs(self) -> dict:
        """Returns the outputs' values."""
        return {name: output["value"] for name, output in json.loads(self._run("output", "-json").stdout).items()}

    def destroy(self) -> float:
        """Destroys everything. Returns the seconds it took."""
        began = time.monotonic()
        self._run("destroy", "-input=false", "-no-color", "-auto-approve")
        return time.monotonic() - began

    def files(self) -> dict[str, str]:
        """Returns Terraform's files that could contain a secret: its states and its variables."""
        kept = [*self.folder.glob("*.tfstate*"), self.variables]
        return {f"Terraform's {path.name}": path.read_text() for path in kept}

    def _run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
        command = ["terraform", f"-chdir={self.folder}", *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        if check and done.returncode:
            raise AssertionError(f"terraform {arguments[0]} failed:\n{done.stderr[-6000:]}\n{done.stdout[-2000:]}")
        return done


def _attributes(change: dict) -> list[str]:
    before, after = change.get("before") or {}, change.get("after") or {}
    unknown = change.get("after_unknown") or {}
    changed = [name for name in after if before.get(name) != after[name]]
    return sorted({*changed, *(name for name, value in unknown.items() if value)}) or change["actions"]
