"""Bodies: JSON in UTF-8 that a database can hold, nothing else."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest
from ninja.parser import Parser


class StrictParser(Parser):
    """Refuse what other readers would read otherwise: repeated keys, NaN, NUL, half characters."""

    def parse_body(self, request: HttpRequest) -> Any:
        """Return the value that a body holds; refuse (ValueError) any other text."""
        return read_json(request.body)


def read_json(body: bytes) -> Any:
    """Return the value of a JSON text; refuse (ValueError) what is none, or none for a store.

    >>> read_json(b'{"a": 1}')
    {'a': 1}
    """
    text = body.decode("utf-8")
    try:
        found = json.loads(text, object_pairs_hook=_object, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("too deep") from None
    if "\\u" in text:
        written = json.dumps(found, ensure_ascii=False)
        written.encode("utf-8")  # Half of a surrogate pair is no character.
        if "\\u0000" in written:
            raise ValueError("NUL")
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _no_number(text: str) -> Any:
    raise ValueError(text)
