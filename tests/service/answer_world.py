"""A person who was texted an hour ago and writes back: what the tests of answers begin with."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
from django.db import connection
from outgoing import AT, FACTS, fill, lender

from duly.book import Lender
from duly.delivery import Reply
from duly.rules import load_packs
from duly.service.operations import hearing
from duly.service.operations.proving import ROWS, proven
from duly.service.outbox.claiming import claim
from duly.service.outbox.reports import write_report
from duly.service.store.models import Attempt, Borrower, Message

CN = ("decency", "cn")
NUMBER = "+8613800000001"
NAMES = {"zh-CN": "张**", "zh-TW": "張**", "en": "Z***"}
_RAW = itertools.count()


def house(**given: Any) -> Lender:
    """Return the lender with English words too."""
    named = {
        "name_en": "Example Finance",
        "signature_en": "Example Finance",
        "app_en": "Example app",
    }
    return replace(lender(), **(named | given))


def sent(*, locale: str = "zh-CN", facts: dict[str, Any] | None = None, **given: Any) -> str:
    """Write the text that was sent an hour ago to one person; return its id."""
    values = {"state": "accepted", "route": "box", "locale": locale,
              "params": {"name": NAMES[locale]}, "loan_ids": ["L-2025-001234"]} | given  # fmt: skip
    if facts:
        values["facts"] = {**{one: FACTS[one] for one in FACTS}, **facts}
    (name,) = fill(1, **values)
    Borrower.objects.filter(borrower_id="b00000").update(locale=locale)
    Attempt.objects.create(message_id=name, route="box", number=1, outcome="accepted")
    return name


def bring(store: str, text: str, *, address: str = NUMBER, raw: str = "", said: datetime = AT):
    """Bring a reply as a gateway does: committed, and not yet heard."""
    with psycopg.connect(store, autocommit=True) as ours:
        write_report(ours, "box", Reply(address=address, to="1069", text=text,
                                        raw=raw or f"raw {next(_RAW)}", at=said))  # fmt: skip


def say(
    store: str, text: str, *, at: datetime = AT, by: Lender | None = None, **given: Any
) -> None:
    """Bring a reply and let it be heard at an instant."""
    bring(store, text, **({"said": at} | given))
    hearing.hear_waiting(lender=by or house(), at=at)


def answers(**wanted: Any) -> list[Message]:
    """Return the answers that were written, in the order of their writing."""
    return list(Message.objects.filter(message_class="answer", **wanted).order_by("not_before"))


def rows_told(kind: str) -> list[dict[str, Any]]:
    """Return what the record holds under a kind, the newest first, opened with its keys."""
    with connection.cursor() as cursor:
        cursor.execute(ROWS + "WHERE a.kind = %s ORDER BY a.id DESC", [kind])
        return [json.loads(row.payload.text) for row in proven(cursor.fetchall(), 0)]


def why() -> str:
    """Return why the newest reply has no answer, as the record holds it; empty where it has one."""
    return str(rows_told("reply.heard")[0]["answer"].get("why", ""))


def lead(ours, me, *, at=AT, packs=CN, by=None):
    """Let what is due pass the door, as a worker does."""
    return claim(ours, worker=me, routes=(by or house()).routes, rules=load_packs(packs),
                 at=at, batch=10)  # fmt: skip


def left(ours, me, **given):
    """Let what is due leave."""
    lead(ours, me, **given)
    Message.objects.filter(state="claimed").update(state="submitted")


def claimed(found) -> list[str]:
    return [one.row["template"] for one in found.claimed]
