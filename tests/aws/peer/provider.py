"""Patch: calls that the hashicorp/aws provider makes at plan and refresh, and that moto does not know."""

import json

from moto.stepfunctions.responses import StepFunctionResponse


def install() -> None:
    """Puts the patch in place."""
    StepFunctionResponse.validate_state_machine_definition = lambda self: json.dumps(
        {"result": "OK", "diagnostics": [], "truncated": False}
    )
    StepFunctionResponse.list_state_machine_versions = lambda self: json.dumps({"stateMachineVersions": []})
