"""The figures of due texts: looked at, renewed where today's facts allow it, else cancelled."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import psycopg

from duly.core import digest
from duly.service.outbox.auditing import audit
from duly.service.outbox.renewing import Renewed
from duly.service.outbox.written import Written
from duly.service.rows import Row

#: Why a text with old figures was cancelled.
STALE = "figures_stale"

_KEEP = """
UPDATE store_message SET text = %(text)s, params = %(params)s::jsonb, facts = %(facts)s::jsonb,
    segments = %(segments)s, figures_at = %(at)s, figures_on = %(on)s
WHERE message_id = %(id)s AND state = 'released'
"""


class Figures(Protocol):
    """Who knows which texts are old, and writes them anew."""

    def stale(
        self, connection: psycopg.Connection[Any], rows: Sequence[Row], *, at: datetime
    ) -> Mapping[str, str]:
        """Return why a text is old, by message id."""
        ...

    def renew(
        self, connection: psycopg.Connection[Any], rows: Sequence[Row], *, at: datetime
    ) -> Mapping[str, Renewed]:
        """Return the new texts by message id."""
        ...


def renewed(
    connection: psycopg.Connection[Any],
    figures: Figures,
    rows: Sequence[Row],
    why: Mapping[str, str],
    *,
    written: Written,
    at: datetime,
) -> list[Row]:
    """Return the rows whose text was written anew; note as cancelled those for which it cannot be.

    Within the claim's transaction, which holds their persons.
    """
    texts = figures.renew(connection, rows, at=at)
    found = []
    for row in rows:
        name = row["message_id"]
        new = texts.get(name)
        if new is None:
            written.ended.append((name, "cancelled", STALE))
            written.say("cancelled", name, {"reason": STALE, "why": why[name]})
            continue
        connection.execute(
            _KEEP,
            {"text": new.text, "params": new.params, "facts": new.facts, "id": name,
             "segments": new.segments, "at": new.figures_at, "on": new.figures_on},
        )  # fmt: skip
        audit(connection, "message.renewed", [(name, _told(row, new, why[name]))])
        found.append(
            {**row, "text": new.text, "params": json.loads(new.params), "segments": new.segments,
             "facts": json.loads(new.facts), "figures_at": new.figures_at,
             "figures_on": new.figures_on}
        )  # fmt: skip
    return found


def _told(row: Row, new: Renewed, why: str) -> dict[str, object]:
    return {
        "why": why,
        "before": {"text_sha256": digest.of_bytes(row["text"].encode()), "params": row["params"]},
        "after": {
            "text_sha256": digest.of_bytes(new.text.encode()),
            "params": json.loads(new.params),
        },
        "figures_at": new.figures_at.isoformat(),
        "figures_on": new.figures_on.isoformat(),
    }
