"""Runs all steps in order and prints how long each took. `scripts/test-aws` calls it."""

import argparse
import contextlib
import os
import pathlib
import re
import subprocess
import sys
import time
import unittest

import setting

GAPS: dict[str, tuple[str, ...]] = {}
"""Changes in a second plan that the peer causes: resource type → attributes, each with a reason."""


class Failed(Exception):
    """A step failed."""


@contextlib.contextmanager
def step(what: str):
    """Prints the step's name, and how long it took."""
    print(f"\n== {what}", flush=True)
    began = time.monotonic()
    yield
    print(f"   {time.monotonic() - began:.0f} s", flush=True)


def tests(module: str, only: list[str]) -> None:
    """Runs the tests of one file."""
    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{pattern}*" for pattern in only] or None
    result = unittest.TextTestRunner(verbosity=2, stream=sys.stdout).run(loader.loadTestsFromName(module))
    for test, why in result.skipped:
        print(f"!!! skipped: {test}: {why}")
    if not result.wasSuccessful():
        raise Failed(f"{module}: {len(result.failures) + len(result.errors)} of {result.testsRun} tests failed")


def second_plan(made: "setting.WithTerraform") -> None:
    """Fails if a second plan has changes, except for the known gaps of the peer."""
    left = []
    for name, configuration in (("complete", made.gate), ("caller-pipeline", made.caller)):
        for address, attributes in configuration.changes().items():
            gaps = next((gaps for kind, gaps in GAPS.items() if f"{kind}." in address), ())
            unknown = [attribute for attribute in attributes if attribute not in gaps]
            left += [f"{address}: {attribute}" for attribute in unknown]
            print(f"   {name}: {address}: {', '.join(attributes)}" + ("" if unknown else " (a known gap of the peer)"))
    if left:
        raise Failed(f"a second plan would change {', '.join(left)}")


def nothing_is_left(peer) -> None:
    """Fails if something remains after destroy. The policy's layer stays, as the module documents."""
    left = {
        "functions": peer.client("lambda").list_functions()["Functions"],
        "tables": peer.client("dynamodb").list_tables()["TableNames"],
        "state machines": peer.client("stepfunctions").list_state_machines()["stateMachines"],
        "topics": peer.client("sns").list_topics()["Topics"],
        "rules": peer.client("events").list_rules()["Rules"],
        "HTTP APIs": peer.client("apigatewayv2").get_apis()["Items"],
        "secrets": peer.client("secretsmanager").list_secrets()["SecretList"],
        "roles": peer.client("iam").list_roles()["Roles"],
        "log groups": peer.client("logs").describe_log_groups()["logGroups"],
        "alarms": peer.client("cloudwatch").describe_alarms()["MetricAlarms"],
    }
    kinds = [kind for kind, found in left.items() if found]
    if kinds:
        raise Failed(f"after destroy there are still {', '.join(kinds)}")


def store_contract(peer_url: str) -> None:
    """Runs the store's contract tests, which are in Rust, against the peer's DynamoDB."""
    command = ["cargo", "test", "--features", "lambda", "--test", "integration", "dynamodb", "--", "--ignored"]
    environment = {**os.environ, "COUNTERSIGN_TEST_DYNAMODB": peer_url}
    done = subprocess.run(command, cwd=setting.ROOT, env=environment, capture_output=True, text=True)
    print("\n".join(f"   {line}" for line in done.stdout.splitlines()[-40:]))
    passed = re.search(r"test result: ok\. ([1-9][0-9]*) passed", done.stdout)
    if done.returncode or not passed:
        raise Failed(f"the store's contract tests failed on DynamoDB, or did not run: {done.stderr[-2000:]}")


def main() -> int:
    """Returns 0 if everything passed."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--folder", type=pathlib.Path, required=True, help="the folder for all files of the run")
    arguments.add_argument("--binary", type=pathlib.Path, required=True, help="the countersign command")
    arguments.add_argument("--packages", type=pathlib.Path, required=True, help="the folder of the three zips")
    arguments.add_argument("--only", action="append", default=[], help="run only scenarios whose names contain this text")
    arguments.add_argument("--no-store", action="store_true", help="skip the store's contract tests")
    given = arguments.parse_args()
    # Some processes run in other folders.
    given.folder, given.binary, given.packages = (path.resolve() for path in (given.folder, given.binary, given.packages))
    began = time.monotonic()
    try:
        if not given.only:
            with step("the peer behaves as AWS documents"):
                for module in ("test_interpreter", "test_services", "test_leaks"):
                    tests(module, [])
        with step("an installation on the peer"):
            made = setting.open_world(
                given.folder, given.binary, given.packages, lambda what: print(f"   {what}", flush=True)
            ).made
        terraformed = isinstance(made, setting.WithTerraform)
        if terraformed:
            with step("a second plan changes nothing"):
                second_plan(made)
        with step("the whole chain"):
            tests("test_chain", given.only)
        with step("attacks"):
            tests("test_attacks", given.only)
        if not given.no_store:
            with step("the store's contract on DynamoDB"):
                store_contract(setting.world().peer.url)
        if terraformed:
            with step("destroy"):
                made.destroy()
                nothing_is_left(setting.world().peer)
    except Failed as why:
        print(f"\nfailed: {why}; the files of the run are in {given.folder}")
        return 1
    finally:
        setting.close()
    print(f"\nall passed, in {time.monotonic() - began:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
