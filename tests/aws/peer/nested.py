"""Patch: runs `states:startExecution.sync:2`, names executions without a name, and refuses a long input."""

import uuid

import boto3
from moto.core.exceptions import AWSError
from moto.stepfunctions.parser import models
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import StateTaskService

from . import REGION

_clients: dict = {}


class InvalidExecutionInput(AWSError):
    """The input is too long."""

    TYPE, STATUS = "InvalidExecutionInput", 400

    def __init__(self):
        super().__init__("Invalid Input: length is more than 262144 bytes")


def install() -> None:
    """Applies the patch."""
    backend = models.StepFunctionsParserBackend
    start = backend.start_execution

    def start_execution(self, state_machine_arn, name=None, execution_input=None, trace_header=None):
        if len((execution_input or "").encode()) > 262_144:
            raise InvalidExecutionInput
        return start(self, state_machine_arn, name or str(uuid.uuid4()), execution_input, trace_header)

    backend.start_execution = start_execution
    # API parameters start with a lower-case letter, those of optimised integrations with a capital.
    StateTaskService._normalise_parameters = _parameters
    StateTaskService._normalise_response = _response


def _operation(self, service, action):
    service, action = self._get_boto_service_name(service), self._get_boto_service_action(action)
    if service not in _clients:
        _clients[service] = boto3.client(
            service, region_name=REGION, aws_access_key_id="peer", aws_secret_access_key="peer"
        )
    client = _clients[service]
    method = client.meta.method_to_api_mapping.get(action)
    return client.meta.service_model.operation_model(method) if method else None


def _parameters(self, parameters, boto_service_name=None, service_action_name=None) -> None:
    operation = _operation(self, boto_service_name, service_action_name)
    if operation is not None and operation.input_shape is not None:
        self._to_boto_request(parameters, operation.input_shape)


def _response(self, response, boto_service_name=None, service_action_name=None) -> None:
    operation = _operation(self, boto_service_name, service_action_name)
    if operation is not None and operation.output_shape is not None:
        self._from_boto_response(response, operation.output_shape)
