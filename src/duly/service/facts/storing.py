"""Events into the store: each once, and the last word about each key, whatever the order."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import connection

from duly.service.facts.cloud_events import NewWord, ReadEvent
from duly.service.facts.problems import EventProblem, EventsRefused

_KEEP = """
INSERT INTO store_event (source, event_id, type, subject, time, data, body_sha256, received_at)
SELECT e.source, e.event_id, e.type, e.subject, e.time, e.data::jsonb, e.body, %(at)s
FROM unnest(%(source)s::text[], %(event_id)s::text[], %(type)s::text[], %(subject)s::text[],
    %(time)s::timestamptz[], %(data)s::text[], %(body)s::text[])
    AS e(source, event_id, type, subject, time, data, body)
ON CONFLICT (source, event_id) DO NOTHING
RETURNING source, event_id
"""
_KNOWN = """
SELECT e.source, e.event_id, e.body_sha256 FROM store_event AS e
JOIN unnest(%(source)s::text[], %(event_id)s::text[]) AS n(source, event_id)
    ON e.source = n.source AND e.event_id = n.event_id
"""
_SAY = """
INSERT INTO store_word AS w (kind, key, time, source, event_id, borrower_id, loan_id, address_key,
    data)
SELECT n.kind, n.key, n.time, n.source, n.event_id, n.borrower_id, n.loan_id, n.address_key,
    n.data::jsonb
FROM unnest(%(kind)s::text[], %(key)s::text[], %(time)s::timestamptz[], %(source)s::text[],
    %(event_id)s::text[], %(borrower_id)s::text[], %(loan_id)s::text[], %(address_key)s::text[],
    %(data)s::text[])
    AS n(kind, key, time, source, event_id, borrower_id, loan_id, address_key, data)
ON CONFLICT (kind, key) DO UPDATE SET time = EXCLUDED.time, source = EXCLUDED.source,
    event_id = EXCLUDED.event_id, borrower_id = EXCLUDED.borrower_id, loan_id = EXCLUDED.loan_id,
    address_key = EXCLUDED.address_key, data = EXCLUDED.data
WHERE (w.time, w.source, w.event_id) < (EXCLUDED.time, EXCLUDED.source, EXCLUDED.event_id)
"""

Name = tuple[str, str]
#: What the words of a key are sorted by; the sources and ids by their bytes, as the store has them.
Place = tuple[datetime, bytes, bytes]


def place_of(event: ReadEvent) -> Place:
    """Return where an event stands in the fold."""
    return event.time, event.source.encode(), event.event_id.encode()


def store(
    batch: Sequence[tuple[int, ReadEvent]], *, at: datetime
) -> tuple[tuple[ReadEvent, ...], int]:
    """Store a batch within a transaction; return the events that are new, and how many were not.

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
    _say(added)
    return added, len(batch) - len(added)


def _other_body(index: int, event: ReadEvent) -> EventProblem:
    return EventProblem(
        index=index, field="id", code="other_body",
        values={"source": event.source, "id": event.event_id},
    )  # fmt: skip


def _keep(events: Sequence[ReadEvent], at: datetime) -> set[Name]:
    with connection.cursor() as cursor:
        cursor.execute(
            _KEEP,
            {
                "at": at,
                "source": [one.source for one in events],
                "event_id": [one.event_id for one in events],
                "type": [one.type for one in events],
                "subject": [one.subject for one in events],
                "time": [one.time for one in events],
                "data": [one.data for one in events],
                "body": [one.body_sha256 for one in events],
            },
        )
        return {(source, name) for source, name in cursor.fetchall()}


def _known(names: Sequence[Name]) -> Mapping[Name, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            _KNOWN, {"source": [one[0] for one in names], "event_id": [one[1] for one in names]}
        )
        return {(source, name): body for source, name, body in cursor.fetchall()}


def _say(events: Sequence[ReadEvent]) -> None:
    last: dict[tuple[str, str], tuple[ReadEvent, NewWord]] = {}
    for event in sorted(events, key=place_of):
        last |= {(word.kind, word.key): (event, word) for word in event.words}
    rows = [last[key] for key in sorted(last)]
    if not rows:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            _SAY,
            {
                "kind": [word.kind for _, word in rows],
                "key": [word.key for _, word in rows],
                "time": [event.time for event, _ in rows],
                "source": [event.source for event, _ in rows],
                "event_id": [event.event_id for event, _ in rows],
                "borrower_id": [word.borrower_id for _, word in rows],
                "loan_id": [word.loan_id for _, word in rows],
                "address_key": [word.address_key for _, word in rows],
                "data": [json.dumps(word.cells, ensure_ascii=False) for _, word in rows],
            },
        )
