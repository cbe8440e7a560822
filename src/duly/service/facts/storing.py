"""Events into the store: each once, and the last word about each key, whatever the order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from duly.service.facts.cloud_events import NewWord, ReadEvent
from duly.service.facts.problems import EventProblem, EventsRefused

_KEEP = """
INSERT INTO store_event (source, event_id, type, subject, time, data, body_sha256, received_at)
SELECT e.source, e.event_id, e.type, e.subject, e.time, e.data::jsonb, e.body, %(at)s
FROM json_to_recordset(%(rows)s) AS e(source text, event_id text, type text, subject text,
    time timestamptz, data text, body text)
ON CONFLICT (source, event_id) DO NOTHING
RETURNING source, event_id
"""
_KNOWN = """
SELECT e.source, e.event_id, e.body_sha256 FROM store_event AS e
JOIN json_to_recordset(%(rows)s) AS n(source text, event_id text)
    ON e.source = n.source AND e.event_id = n.event_id
"""
_SAY = """
INSERT INTO store_word AS w (kind, key, time, source, event_id, borrower_id, loan_id, address_key,
    data)
SELECT n.kind, n.key, n.time, n.source, n.event_id, n.borrower_id, n.loan_id, n.address_key,
    n.data
FROM json_to_recordset(%(rows)s) AS n(kind text, key text, time timestamptz, source text,
    event_id text, borrower_id text, loan_id text, address_key text, data jsonb)
ON CONFLICT (kind, key) DO UPDATE SET time = EXCLUDED.time, source = EXCLUDED.source,
    event_id = EXCLUDED.event_id, borrower_id = EXCLUDED.borrower_id, loan_id = EXCLUDED.loan_id,
    address_key = EXCLUDED.address_key, data = EXCLUDED.data
WHERE (w.time, w.source, w.event_id) < (EXCLUDED.time, EXCLUDED.source, EXCLUDED.event_id)
RETURNING w.kind, w.key, w.xmax = 0
"""

Name = tuple[str, str]
#: What the words of a key are sorted by; the sources and ids by their bytes, as the store has them.
Place = tuple[datetime, bytes, bytes]


def place_of(event: ReadEvent) -> Place:
    """Return where an event stands in the fold."""
    return event.time, event.source.encode(), event.event_id.encode()


@dataclass(frozen=True, kw_only=True)
class Stored:
    """What a batch added: new events, how many were not, and the words whose key nobody had told.

    `first` is true of one transaction only, whatever else tells the same key at the same time.
    """

    new: tuple[ReadEvent, ...]
    duplicates: int
    first: tuple[NewWord, ...]


def store(batch: Sequence[tuple[int, ReadEvent]], *, at: datetime) -> Stored:
    """Store a batch within a transaction; return what it added.

    Refuses (EventsRefused) a name that stands for another body, here or in the store; each event
    comes with its place in the batch. Rows are written in the order of their keys: two batches at
    once never wait for each other.
    """
    first: dict[Name, tuple[int, ReadEvent]] = {}
    problems = []
    for index, one in batch:
        _, other = first.setdefault((one.source, one.event_id), (index, one))
        if other.body_sha256 != one.body_sha256:
            problems.append(_other_body(index, one))
    named = sorted(first)
    new = _keep([first[name][1] for name in named], at)
    if len(new) < len(named):
        known = _known([name for name in named if name not in new])
        problems += [
            _other_body(*first[name])
            for name, body in known.items()
            if first[name][1].body_sha256 != body
        ]
    if problems:
        raise EventsRefused(sorted(problems, key=lambda one: one.index))
    added = tuple(first[name][1] for name in named if name in new)
    return Stored(new=added, duplicates=len(batch) - len(added), first=_say(added))


def _other_body(index: int, event: ReadEvent) -> EventProblem:
    return EventProblem(
        index=index, field="id", code="other_body",
        values={"source": event.source, "id": event.event_id},
    )  # fmt: skip


def _rows(rows: Sequence[Mapping[str, object]]) -> str:
    """Return rows as one JSON text: the database takes it apart faster than we could quote it."""
    return json.dumps(rows, ensure_ascii=False)


def _keep(events: Sequence[ReadEvent], at: datetime) -> set[Name]:
    rows = [
        {"source": one.source, "event_id": one.event_id, "type": one.type, "subject": one.subject,
         "time": one.time.isoformat(), "data": one.data, "body": one.body_sha256}
        for one in events
    ]  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(_KEEP, {"at": at, "rows": _rows(rows)})
        return {(source, name) for source, name in cursor.fetchall()}


def _known(names: Sequence[Name]) -> Mapping[Name, str]:
    rows = [{"source": source, "event_id": name} for source, name in names]
    with connection.cursor() as cursor:
        cursor.execute(_KNOWN, {"rows": _rows(rows)})
        return {(source, name): body for source, name, body in cursor.fetchall()}


def _say(events: Sequence[ReadEvent]) -> tuple[NewWord, ...]:
    """Say the last word about each key; return those about keys that had none."""
    last: dict[tuple[str, str], tuple[ReadEvent, NewWord]] = {}
    for event in sorted(events, key=place_of):
        last |= {(word.kind, word.key): (event, word) for word in event.words}
    rows = []
    for event, word in (last[key] for key in sorted(last)):
        rows.append(
            {"kind": word.kind, "key": word.key, "time": event.time.isoformat(),
             "source": event.source, "event_id": event.event_id,
             "borrower_id": word.borrower_id, "loan_id": word.loan_id,
             "address_key": word.address_key, "data": word.cells}
        )  # fmt: skip
    if not rows:
        return ()
    with connection.cursor() as cursor:
        cursor.execute(_SAY, {"rows": _rows(rows)})
        # A row that was only changed bears the number of who changed it.
        said = [(kind, key) for kind, key, first in cursor.fetchall() if first]
    return tuple(last[key][1] for key in sorted(said))
