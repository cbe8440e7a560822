"""Read the rows of a file of replies (contract, section 4): JSON lines, every mistake gathered."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from duly.core.diagnostic import Diagnostic
from duly.replies.reading import Menu, Reply

#: Keys whose value is a text where they are given.
_TEXTS = ("borrower_id", "loan_id", "channel", "address")
OWED_MAX = 100_000_000_000
YEARS = range(1990, 2200)


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who sent a reply, as far as the row says: it turns a reading into signals of the book."""

    borrower_id: str
    loan_id: str = ""
    channel: str = "sms"
    address: str = ""
    owed: Decimal | None = None  #: what the reply answers to: a promise without a figure means it


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of a file: the reply, its sender where known, and everything the row holds."""

    reply: Reply
    sender: Sender | None
    held: Mapping[str, Any]


def rows_of(data: bytes, name: str, *, senders: bool = False) -> tuple[list[Row], list[Diagnostic]]:
    """Return the replies of a file's bytes and what is wrong with it; empty lines are passed over.

    With `senders` each row has to name its borrower, and no reply may come twice.
    """
    rows, wrong = list[Row](), list[Diagnostic]()
    seen: dict[str, int] = {}
    for number, line in enumerate(data.removeprefix(b"\xef\xbb\xbf").split(b"\n"), start=1):
        if not line.strip():
            continue
        row, found = _row(line, name, number, senders=senders)
        if row is not None and senders and row.reply.id in seen:
            found.append(_wrong("reply_twice", name, number, "id", value=row.reply.id,
                                first=seen[row.reply.id]))  # fmt: skip
        wrong += found
        if row is not None:
            seen.setdefault(row.reply.id, number)
            rows.append(row)
    return rows, wrong


def _wrong(code: str, name: str, line: int, column: str = "", **values: object) -> Diagnostic:
    return Diagnostic(area="replies", code=code, file=name, line=line, column=column, values=values)


def _row(
    line: bytes, name: str, number: int, *, senders: bool
) -> tuple[Row | None, list[Diagnostic]]:
    try:
        held = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        return None, [_wrong("bad_utf8", name, number, str(error.start + 1))]
    except json.JSONDecodeError as error:
        return None, [_wrong("bad_json", name, number, str(error.colno), problem=error.msg)]
    except RecursionError:
        return None, [_wrong("bad_json", name, number, problem="nested too deeply")]
    if not isinstance(held, dict):
        return None, [_wrong("not_an_object", name, number)]
    wrong = _wrong_values(held, name, number, senders=senders)
    at = _instant(held.get("received_at"))
    if at is None and isinstance(held.get("received_at"), str):
        value = held["received_at"]
        wrong.append(_wrong("bad_received_at", name, number, "received_at", value=value))
    if wrong or at is None:
        return None, wrong
    reply = Reply(id=held["id"], text=held["text"], received_at=at, lang=_lang(held.get("lang")),
                  menu=_menu(held.get("menu")))  # fmt: skip
    sender = None
    if held.get("borrower_id"):
        told = {key: held[key] for key in _TEXTS if held.get(key)}
        sender = Sender(**told, owed=_owed(held.get("owed")))
    return Row(reply=reply, sender=sender, held=held), []


def _wrong_values(
    held: Mapping[str, Any], name: str, number: int, *, senders: bool
) -> list[Diagnostic]:
    """Return what is wrong with the values of a row, the instant aside."""
    wrong = []
    for key in ("id", "text", "received_at"):
        if held.get(key) is None:
            wrong.append(_wrong("missing_key", name, number, key))
    for key in ("id", "text", "received_at", "lang", *_TEXTS):
        if held.get(key) is not None and not isinstance(held[key], str):
            wrong.append(_wrong("not_text", name, number, key, value=held[key]))
    if not _is_menu(held.get("menu")):
        wrong.append(_wrong("bad_menu", name, number, "menu"))
    if held.get("owed") is not None and _owed(held["owed"]) is None:
        wrong.append(_wrong("bad_owed", name, number, "owed", value=held["owed"]))
    if senders and not held.get("borrower_id"):
        wrong.append(_wrong("no_borrower", name, number, "borrower_id"))
    return wrong


def _instant(value: object) -> datetime | None:
    """Return an instant with an offset in the contract's years, or None."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError:
        return None
    if found.utcoffset() is None or found.year not in YEARS:
        return None
    return found


def _owed(value: object) -> Decimal | None:
    """Return an amount of money above nothing, or None."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() and 0 < found <= OWED_MAX else None


def _lang(value: str | None) -> str | None:
    """Return zh or en for any tag of the two (zh-CN, en_US), else None: not known."""
    tag = (value or "").casefold().replace("_", "-").partition("-")[0]
    return tag if tag in ("zh", "en") else None


def _is_menu(value: object) -> bool:
    """Tell whether a value is a menu: words by digit, a list of options, or the text sent."""
    if value is None or isinstance(value, str):
        return True
    options = list(value.values() if isinstance(value, dict) else value) if isinstance(
        value, dict | list) else [None]  # fmt: skip
    return all(isinstance(one, str | dict) for one in options)


def _menu(value: Any) -> Menu:
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        try:
            found = json.loads(value)
        except json.JSONDecodeError:
            return value
        return found if _is_menu(found) else value
    menu: Menu = value
    return menu
