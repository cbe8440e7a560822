"""The fold of a book and events in plain Python: one key at a time, obviously right, slow."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

Row = dict[str, str]
Tables = dict[str, list[Row]]
KEYS = {
    "loans": ("loan_id",),
    "payments": ("payment_id",),
    "borrowers": ("borrower_id",),
    "contact_points": ("borrower_id", "channel", "address"),
    "consents": ("borrower_id", "purpose", "channel"),
    "signals": ("signal_id",),
}
ABOUT = {
    "payment.posted": "payments",
    "payment.reversed": "payments",
    "loan.upserted": "loans",
    "borrower.upserted": "borrowers",
    "borrower.preferred": "",
    "contact_point.changed": "contact_points",
    "consent.granted": "consents",
    "consent.withdrawn": "consents",
    "signal.raised": "signals",
    "signal.cleared": "signals",
}


def fold(
    book: Mapping[str, list[Row]], cut: datetime, events: Iterable[Mapping[str, Any]], at: datetime
) -> Tables:
    """Return what is known at an instant of these tables, rows sorted by all their cells."""
    once = {(one["source"], one["id"]): one for one in events}
    told = sorted(once.values(), key=lambda one: (_time(one), one["source"], one["id"]))
    state: Tables = {name: [dict(row) for row in book.get(name, ())] for name in KEYS}
    for name, key in KEYS.items():
        keys = {_key(one["data"], key) for one in told if ABOUT[one["type"]] == name}
        for value in sorted(keys):
            mine = [
                one for one in told
                if ABOUT[one["type"]] == name and _key(one["data"], key) == value
            ]  # fmt: skip
            rows = [row for row in state[name] if _key(row, key) == value]
            others = [row for row in state[name] if _key(row, key) != value]
            state[name] = others + _of_key(name, rows, mine, cut if rows else None, at)
    wishes = {one["data"]["borrower_id"]: one["data"] for one in told
              if one["type"] == "borrower.preferred"}  # fmt: skip
    for wish in wishes.values():
        _wish(state["borrowers"], wish)
    return _joined(state, book.get("agreed", ()))


def _wish(people: list[Row], wish: Mapping[str, Any]) -> None:
    """Lay a borrower's own wish over what books and events say of him, however old it is."""
    for row in people:
        if row["borrower_id"] == wish["borrower_id"]:
            row |= {name: wish[name] for name in ("locale", "preferred_channel") if wish.get(name)}
            row |= {name: wish.get(name) or "" for name in ("quiet_from", "quiet_until")}


def _time(event: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(event["time"])


def _key(row: Mapping[str, Any], key: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(row.get(name) or "" for name in key)


def _of_key(
    name: str, rows: list[Row], events: list[Mapping[str, Any]], cut: datetime | None, at: datetime
) -> list[Row]:
    """Fold the events of one key over its rows of the book."""
    starts = [one for one in events if one["type"] not in ("payment.reversed", "signal.cleared")]
    ends = [one for one in events if one["type"] in ("payment.reversed", "signal.cleared")]
    if starts and _counts(starts[-1], cut, at):
        last = starts[-1]
        if name == "consents":
            rows = _consented(rows, last)
        else:
            rows = [{cell: value for cell, value in last["data"].items() if value is not None}]
    if ends and rows and _counts(ends[-1], cut, at, ends_an_event=cut is None):
        row, said = rows[0], ends[-1]["data"]
        if name == "payments":
            row["reversed_on"] = max(row["paid_on"], said["reversed_on"])
        else:
            known = [one for one in (row.get("ends_at"), said["ends_at"]) if one]
            row["ends_at"] = max(row["starts_at"], min(known))
    return rows


def _counts(
    event: Mapping[str, Any], cut: datetime | None, at: datetime, *, ends_an_event: bool = False
) -> bool:
    if cut is not None and cut > _time(event):
        return False
    if at - _time(event) < timedelta(hours=72) or ends_an_event:
        return True
    data = event["data"]
    if event["type"] == "signal.raised":
        return data["kind"] not in ("promise", "payment_pending")
    if event["type"] == "contact_point.changed":
        return data.get("status") in ("wrong_person", "invalid")
    return event["type"] == "consent.withdrawn"


def _consented(rows: list[Row], last: Mapping[str, Any]) -> list[Row]:
    data = {name: value for name, value in last["data"].items() if value}
    if last["type"] == "consent.granted":
        return [*rows, data]
    still = [row for row in rows if not row.get("withdrawn_at")]
    for row in still:
        row["withdrawn_at"] = max(row.get("granted_at", ""), data["withdrawn_at"])
    return rows if still else [*rows, data]


def _joined(state: Tables, agreed: Iterable[Row]) -> Tables:
    """Keep what belongs to somebody known; a number that is wrong for one is wrong for all."""
    people = {row["borrower_id"] for row in state["borrowers"]}
    loans = {row["loan_id"]: row for row in state["loans"] if row["borrower_id"] in people}
    state["loans"] = list(loans.values())
    kept = []
    for row in state["payments"]:
        if row.get("loan_id") in loans:
            row["borrower_id"] = ""
            kept.append(row)
        elif row.get("borrower_id") in people:
            row["loan_id"] = ""
            kept.append(row)
    state["payments"] = kept
    for name in ("contact_points", "consents", "signals"):
        state[name] = [row for row in state[name] if row["borrower_id"] in people]
    for row in state["signals"]:
        loan = loans.get(row.get("loan_id", ""))
        if loan is None or loan["borrower_id"] != row["borrower_id"]:
            row["loan_id"] = ""
    state["agreed"] = []
    for row in state["signals"]:
        told: Any = row.pop("agreed", None)
        if row["kind"] == "plan":
            mine = [one for one in agreed if one["signal_id"] == row["signal_id"]]
            state["agreed"] += [{**one, "signal_id": row["signal_id"]} for one in told or mine]
    return state


def canonical(rows: Iterable[Mapping[str, Any]], columns: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return rows as sorted tuples of cells: empty is empty, an instant is its UTC second."""
    return sorted(tuple(_cell(row.get(name)) for name in columns) for row in rows)


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    if text.startswith("{"):
        return json.dumps(json.loads(text), sort_keys=True)
    if "T" in text and text[:2] == "20":
        return str(int(datetime.fromisoformat(text).timestamp()))
    return text
