"""Faults of a body or a query, all of them, each with its place and a sentence; never a value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from duly.core.words import catalogue, say
from duly.service.api.problems import Problem

ERRORS_MAX = 100  #: named in one answer
_CODES: Mapping[str, str] = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "string_too_long": "too_long",
    "string_too_short": "too_short",
    "string_pattern_mismatch": "wrong_form",
    "literal_error": "not_one_of",
    "int_parsing": "wrong_type",
    "greater_than_equal": "out_of_range",
    "less_than_equal": "out_of_range",
}


def fault(pointer: str, code: str, locale: str, **values: object) -> dict[str, object]:
    """Return one fault with its sentence in a locale."""
    detail = say("api", f"field.{code}", locale, **values)
    return {"pointer": pointer, "code": code, "detail": detail}


def invalid(errors: Iterable[Mapping[str, Any]], locale: str) -> Problem:
    """Return the problem that names every fault that a schema found."""
    found = []
    for one in list(errors)[:ERRORS_MAX]:
        code = _CODES.get(one["type"], "")
        if not code:
            code = "wrong_type" if one["type"].endswith("_type") else "wrong_form"
        if f"field.{code}" not in catalogue("api", locale):
            code = "wrong_form"
        # The first names are where it stood (body, query, path) and the argument of our function.
        where, *path = [str(part) for part in one["loc"]]
        place = path[1:] if where == "body" else path
        allowed = str(one.get("ctx", {}).get("expected", ""))
        found.append(fault("".join(f"/{part}" for part in place), code, locale, allowed=allowed))
    return Problem("invalid", errors=found)
