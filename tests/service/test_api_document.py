"""Goal: the OpenAPI document tells the truth. Method: requests made from it, good and broken."""

from __future__ import annotations

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

_CHECKS = (
    not_a_server_error,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
_SETTINGS = settings(
    max_examples=20, deadline=None, phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck), database=None,
)  # fmt: skip
PATHS = {
    "/api/v1/events": {"post"},
    "/api/v1/runs": {"get", "post"},
    "/api/v1/runs/{run_id}": {"get"},
    "/api/v1/loans/{loan_id}": {"get"},
    "/api/v1/loans/{loan_id}/decisions": {"get"},
    "/api/v1/messages/{message_id}": {"get"},
    "/api/v1/messages/{message_id}/cancel": {"post"},
    "/api/v1/messages/{message_id}/evidence": {"get"},
    "/api/v1/contacts/reserve": {"post"},
    "/api/v1/dead-letters": {"get"},
    "/api/v1/dead-letters/{message_id}/retry": {"post"},
    "/api/v1/dead-letters/{message_id}/close": {"post"},
    "/api/v1/tasks": {"get"},
    "/api/v1/tasks/{number}/close": {"post"},
    "/api/v1/verify": {"post"},
    "/api/v1/webhooks/{route}": {"post"},
    "/api/v1/payments/{provider}": {"post"},
}


@pytest.fixture(scope="module")
def document(served):
    found = served.get("/api/v1/openapi.json", key=None)
    assert found.status == 200
    return found.json


@pytest.fixture
def schema(document):
    return schemathesis.openapi.from_dict(document)


def test_names_every_address_of_the_contract(document):
    assert {path: set(told) for path, told in document["paths"].items()} == PATHS


def test_says_how_each_is_opened_and_refused(document):
    for path, operations in document["paths"].items():
        for method, told in operations.items():
            public = path.endswith(("/verify", "/webhooks/{route}", "/payments/{provider}"))
            assert ("security" in told) is not public, (path, method)
            assert "application/problem+json" in told["responses"]["default"]["content"]


@pytest.mark.parametrize("name", ["MessageOut", "MessageDetailOut", "DeadLetterOut"])
def test_names_fields_as_answers_do(document, name):
    told = document["components"]["schemas"][name]
    assert "class" in told["required"]
    assert "message_class" not in told["properties"]


def test_names_no_place_of_this_machine(document, served):
    assert str(served.folder) not in json.dumps(document)


_OPERATIONS = [(path, method) for path, methods in PATHS.items() for method in sorted(methods)]


@pytest.mark.parametrize(("path", "method"), _OPERATIONS)
def test_answers_as_it_says(schema, served, path, method):
    operation = schema[path][method.upper()]

    @given(case=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    @_SETTINGS
    def asked_as_it_says(case):
        ask(case, served)

    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    @_SETTINGS
    def asked_otherwise(case):
        ask(case, served)

    asked_as_it_says()
    asked_otherwise()


def ask(case, served):
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {served.key}"}
    answer = case.call(base_url=f"http://127.0.0.1:{served.port}", timeout=60)
    case.validate_response(answer, checks=list(_CHECKS))
