"""The OpenAPI document: every answer that a view may give, problems with their own type."""

from __future__ import annotations

from typing import Any

from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from ninja.responses import codes_4xx, codes_5xx
from pydantic import BaseModel

from duly.service.api.problems import CONTENT_TYPE
from duly.service.api.schemas import ProblemOut

_PROBLEMS_FROM = 400
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key with the same body is done once and answered twice, for 24 hours.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
}


def responses(body: type[BaseModel] | None, *, status: tuple[int, ...] = (200,)) -> dict[Any, Any]:
    """Return what a view may answer: its body (None: of no fixed form), or problem details."""
    return {**dict.fromkeys(status, body), codes_4xx: ProblemOut, codes_5xx: ProblemOut}


class Api(NinjaAPI):
    """The API; its document says of problems what type they have."""

    def get_openapi_schema(self, **given: Any) -> OpenAPISchema:
        """Return the document."""
        schema: OpenAPISchema = super().get_openapi_schema(**given)
        for path, operations in schema["paths"].items():
            for method, operation in operations.items():
                _settle(operation)
                if method == "post" and "security" in operation:
                    operation.setdefault("parameters", []).append(_KEY)
                if path.endswith("/webhooks/{route}"):
                    operation["requestBody"] = {"required": True, "content": {
                        "application/json": {"schema": {}},
                        "application/x-www-form-urlencoded": {"schema": {"type": "object"}},
                    }}  # fmt: skip
                if path.endswith("/payments/{provider}"):
                    operation["requestBody"] = {"required": True, "content": {
                        "application/json": {"schema": {}},
                    }}  # fmt: skip
        return schema


def _settle(operation: dict[str, Any]) -> None:
    """Say once, as `default`, what every problem looks like, and drop the rest of the 4xx."""
    kept: dict[Any, Any] = {}
    problem = None
    for status, told in operation["responses"].items():
        if str(status).isdigit() and int(status) >= _PROBLEMS_FROM:
            problem = told["content"]["application/json"]
        else:
            kept[status] = told
    if problem is not None:
        kept["default"] = {"description": "Problem details", "content": {CONTENT_TYPE: problem}}
    operation["responses"] = kept
