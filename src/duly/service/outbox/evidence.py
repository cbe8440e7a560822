"""What a row of the outbox has to say, so that it proves by itself: facts, rules, words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg

from duly.core.digest import of_value
from duly.delivery.door import Told
from duly.rules import Rule
from duly.service.facts.at_door import News
from duly.service.outbox.auditing import audit
from duly.service.rows import unpacked

_CONTACTS_MAX = 20  #: the newest ones; the count is of all
_SAID = (
    "run_id", "borrower_id", "business_date", "channel", "address", "locale", "message_class",
    "template", "tone", "text", "segments", "code", "key_id", "not_before", "not_after",
)  # fmt: skip


def what_the_door_knew(
    *,
    at: datetime,
    asked: str,
    contacts: Sequence[Mapping[str, Any]],
    told: Sequence[Told],
    news: News,
) -> dict[str, object]:
    """Return with what the rules were asked beside the plan's facts, as the record holds it.

    `rules_asked` names the row `rules.asked` that lists the rules; `contacts` are the newest of
    `contacts_counted`.
    """
    newest = sorted(contacts, key=lambda one: one["at"], reverse=True)[:_CONTACTS_MAX]
    return {
        "at": at.isoformat(),
        "rules_asked": asked,
        "contacts_counted": len(contacts),
        "contacts": [
            {"at": one["at"].isoformat(), "channel": one["channel"], "class": one["class"],
             "direction": one["direction"], "outcome": one["outcome"]}
            for one in newest
        ],
        "signals": [
            {"kind": one.kind, "loan_id": one.loan_id, "starts_at": one.starts_at.isoformat(),
             "ends_at": None if one.ends_at is None else one.ends_at.isoformat()}
            for one in told
        ],
        "news": {**news.facts, **news.person},
    }  # fmt: skip


def what_is_said(
    row: Mapping[str, Any], *, route: str, attempt: int, at: datetime
) -> dict[str, object]:
    """Return a message as it goes to the wire: to whom, in which words, with which facts."""
    return {
        "at": at.isoformat(),
        "route": route,
        "attempt": attempt,
        **{name: row[name] for name in _SAID},
        "loan_ids": unpacked(row["loan_ids"]),
        "params": unpacked(row["params"]),
        "facts": unpacked(row["facts"]),
    }


def record_rules(connection: psycopg.Connection[Any], rules: Sequence[Rule]) -> str:
    """Write down the rules that a door asks, once for each set of them; return the set's SHA-256.

    Each with its source and clause, its dates, and what it says in words.
    """
    told = [_rule(rule) for rule in sorted(rules, key=lambda one: (one.id, one.in_force_from))]
    name = of_value(told)
    with connection.transaction():
        known = connection.execute(
            "SELECT 1 FROM store_audit WHERE kind = 'rules.asked' AND subject = %s LIMIT 1", (name,)
        ).fetchone()
        if known is None:
            audit(connection, "rules.asked", [(name, {"rules": told})])
    return name


def _rule(rule: Rule) -> dict[str, object]:
    return {
        "id": rule.id,
        "pack": rule.pack,
        "force": rule.force,
        "about": rule.about,
        "source": rule.source.text,
        "clause": rule.source.clause,
        "confidence": list(rule.source.confidence),
        "in_force_from": rule.in_force_from.isoformat(),
        "in_force_to": None if rule.in_force_to is None else rule.in_force_to.isoformat(),
        "says": dict(rule.says),
    }
