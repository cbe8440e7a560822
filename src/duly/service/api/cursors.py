"""Cursors: where a list goes on, opaque and signed; a forged one is refused."""

from __future__ import annotations

import base64
import binascii
import json

from duly.service.api.problems import Problem
from duly.service.api.signing import Signer
from duly.service.rows import Row

_MARK_BYTES = 16
_LENGTH_MAX = 1000


def place_of(signer: Signer, listing: str, cursor: str | None) -> list[str]:
    """Return the place after which a page begins; empty at the start of the listing."""
    return [] if cursor is None else decode(signer, listing, cursor)


def page(
    signer: Signer, listing: str, rows: list[Row], limit: int, id_column: str
) -> tuple[list[Row], str | None]:
    """Return the rows of one page, and the cursor after it where `rows` holds one row more.

    The rows stand by their business date and then their id.
    """
    shown = rows[:limit]
    if len(rows) <= limit:
        return shown, None
    last = [shown[-1]["business_date"].isoformat(), shown[-1][id_column]]
    return shown, encode(signer, listing, last)


def encode(signer: Signer, listing: str, place: list[str]) -> str:
    """Return the cursor after a place of a listing; `listing` names it with its filters."""
    data = json.dumps([listing, place], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(signer.sign("cursor", data) + data).decode().rstrip("=")


def decode(signer: Signer, listing: str, cursor: str) -> list[str]:
    """Return the place that a cursor holds; refuse one that is not ours or of another listing."""
    try:
        if len(cursor) > _LENGTH_MAX:
            raise Problem("bad_cursor")
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise Problem("bad_cursor") from None
    mark, data = raw[:_MARK_BYTES], raw[_MARK_BYTES:]
    if not signer.verify("cursor", data, mark):
        raise Problem("bad_cursor")
    found = json.loads(data)
    if found[0] != listing:
        raise Problem("bad_cursor")
    return [str(one) for one in found[1]]
