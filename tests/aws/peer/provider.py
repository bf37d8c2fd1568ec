"""Patch: calls of the hashicorp/aws provider during plan and refresh that moto does not know."""

import json

from moto.stepfunctions.responses import StepFunctionResponse


def install() -> None:
    """Applies the patch."""
    StepFunctionResponse.validate_state_machine_definition = lambda self: json.dumps(
        {"result": "OK", "diagnostics": [], "truncated": False}
    )
    StepFunctionResponse.list_state_machine_versions = lambda self: json.dumps({"stateMachineVersions": []})
