"""The JSON interface against its own OpenAPI document, with data that schemathesis makes up."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from equipoise.access.permissions import PERMITTED
from equipoise.enrolment.state import ParticipantRow
from equipoise.web.api.table import OPENAPI_PATH
from equipoise.web.clinic import Clinic
from equipoise.web.commands.catalogue import SLUGS
from tests.web.programs import API, Program

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
READ_EXAMPLES, COMMAND_EXAMPLES = 3, 2
SPOILT = {"AssessEvent", "RecordForm", "SubmitSafetyReport", "WithdrawParticipant"}
"""Commands that are given with spoilt bodies too: between them they have fields of every type."""

_NAMES = {slug: name for name, slug in SLUGS.items()}


def try_operation(
    operation: Any, mode: GenerationMode, token: str, settle: Callable[[Any], None]
) -> list[int]:
    """Send made-up requests to an operation, check each answer, and return their statuses."""
    checks = CHECKS if mode is GenerationMode.POSITIVE else [*CHECKS, negative_data_rejection]
    statuses = []

    @settings(
        max_examples=READ_EXAMPLES if operation.method == "get" else COMMAND_EXAMPLES,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def check(case: Any) -> None:
        settle(case)
        headers = {"Authorization": token, "Host": "testserver"}
        response = case.call(headers=headers)
        case.validate_response(response, checks=checks, headers=headers)
        statuses.append(response.status_code)

    check()
    return statuses


def read_operations() -> list[Any]:
    """Return every operation of the OpenAPI document that the clinic serves."""
    schema = schemathesis.openapi.from_wsgi(
        f"{API}{OPENAPI_PATH}", get_wsgi_application(), headers={"Host": "testserver"}
    )
    operations = []
    for found in schema.get_all_operations():
        assert isinstance(found, Ok), found
        operations.append(found.ok())
    return operations


def test_every_operation_answers_as_its_document_says(clinic: Clinic):
    roles = {role.kind for role in clinic.definition.study.roles}
    codes = cycle(row.participant for row in clinic.trial.tables.all(ParticipantRow))
    programs: dict[str, Program] = {}

    def settle(case: Any) -> None:
        # A made-up code is nobody's, and says little of what the trial answers.
        if "participant" in (case.path_parameters or {}):
            case.path_parameters["participant"] = next(codes)
        if isinstance(case.body, dict) and isinstance(case.body.get("participant"), str):
            case.body["participant"] = next(codes)

    for operation in read_operations():
        name = _NAMES.get(operation.path.rpartition("/commands/")[2])
        kind = sorted(PERMITTED[name] & roles)[0] if name else "unblinded_statistician"
        program = programs.setdefault(kind, Program(clinic, kind))
        statuses = try_operation(operation, GenerationMode.POSITIVE, program.authorization, settle)
        assert statuses, operation.label
        if name in SPOILT:
            spoilt = try_operation(operation, GenerationMode.NEGATIVE, program.authorization, settle)
            assert 422 in spoilt, operation.label
