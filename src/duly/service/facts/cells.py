"""One value of an event's data, by the column of the book that it stands for."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import cast

from duly.book.expressions import zones
from duly.book.schema import CHANNELS, DATE_MAX, DATE_MIN, MONEY_MAX_MAJOR, Column, Kind
from duly.core.money import CURRENCIES

ID_BYTES_MAX = 200
TEXT_MAX = 10_000
_DECIMALS_MAX = max(CURRENCIES.values())
_PLAIN = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,8})?", re.ASCII)
_WHOLE = re.compile(r"-?[0-9]{1,10}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})",
    re.ASCII,
)
_CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_AMOUNT = re.compile(r"[0-9]{1,12}(\.[0-9]+)?", re.ASCII)
_RATE_SCALE = 100_000_000


class BadCell(ValueError):
    """The value breaks a rule of its column; `code` says which."""

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def text_of(column: Column, value: object) -> str | None:
    """Return a JSON value as the text of a book's cell, None where it is empty.

    Instants become UTC. Refuses (BadCell) what a book would quarantine, and numbers with a fraction
    that are no text: their digits are lost on the way.
    """
    if value is None or value == "":
        if column.filled:
            raise BadCell("missing_value")
        return None
    return _READERS[column.kind](column, value)


def instant_of(value: object) -> datetime:
    """Return an instant in UTC; refuse (BadCell) what is none or out of range."""
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise BadCell("bad_instant")
    try:
        found = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadCell("bad_instant") from error
    if not DATE_MIN <= f"{found:%Y-%m-%d}" <= DATE_MAX:
        raise BadCell("out_of_range")
    return found


def written(instant: datetime) -> str:
    """Return an instant as a cell has it."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _text(column: Column, value: object) -> str:
    del column
    if not isinstance(value, str):
        raise BadCell("bad_text")
    if len(value) > TEXT_MAX:
        raise BadCell("too_long")
    if "\0" in value or not _storable(value):
        raise BadCell("control_character")
    return value


def _storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _id(column: Column, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**18 else value
    text = _text(column, value)
    if _CONTROL.search(text):
        raise BadCell("control_character")
    if text != text.strip(" ") or len(text.encode()) > ID_BYTES_MAX:
        raise BadCell("bad_id")
    return text


def _number(value: object) -> str:
    if isinstance(value, bool | float) or not isinstance(value, int | str):
        raise BadCell("not_exact" if isinstance(value, float) else "bad_number")
    text = str(value) if isinstance(value, str) or abs(value) < 10**18 else ""
    if not _PLAIN.fullmatch(text):
        raise BadCell("bad_number")
    return text


def _bounded(column: Column, amount: Decimal, most: Decimal) -> None:
    if column.sign == "positive" and amount <= 0:
        raise BadCell("not_positive")
    if column.sign == "not_negative" and amount < 0:
        raise BadCell("negative")
    if amount > most:
        raise BadCell("out_of_range")


def _money(column: Column, value: object) -> str:
    text = _number(value)
    if len(text.partition(".")[2]) > _DECIMALS_MAX:
        raise BadCell("too_many_decimals")
    _bounded(column, Decimal(text), Decimal(MONEY_MAX_MAJOR))
    return text


def _rate(column: Column, value: object) -> str:
    text = _number(value)
    assert column.most is not None
    _bounded(column, Decimal(text), Decimal(column.most) / _RATE_SCALE)
    return text


def _integer(column: Column, value: object) -> str:
    text = _number(value)
    if not _WHOLE.fullmatch(text):
        raise BadCell("bad_number")
    if not (column.least or 0) <= int(text) <= (column.most or 0):
        raise BadCell("out_of_range")
    return str(int(text))


def _date(column: Column, value: object) -> str:
    del column
    return date_of(value)


def date_of(value: object) -> str:
    """Return a date as its cell has it; refuse (BadCell) what is none or out of range."""
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise BadCell("bad_date")
    try:
        date.fromisoformat(value)
    except ValueError as error:
        raise BadCell("bad_date") from error
    if not DATE_MIN <= value <= DATE_MAX:
        raise BadCell("out_of_range")
    return value


def _instant(column: Column, value: object) -> str:
    del column
    return written(instant_of(value))


def _clock(column: Column, value: object) -> str:
    del column
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise BadCell("bad_time")
    return value


def _listed(code: str, values: Callable[[Column], tuple[str, ...]]) -> Reader:
    def read(column: Column, value: object) -> str:
        if not isinstance(value, str) or value not in values(column):
            raise BadCell(code)
        return value

    return read


def _json(column: Column, value: object) -> str:
    if isinstance(value, str):
        try:
            value = json.loads(value, parse_float=str)
        except (ValueError, RecursionError) as error:
            raise BadCell("bad_json") from error
    if not isinstance(value, dict):
        raise BadCell("bad_json")
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    if "\\u0000" in text:
        raise BadCell("control_character")
    return _text(column, text)


Reader = Callable[[Column, object], str]
_READERS: Mapping[Kind, Reader] = {
    "id": _id,
    "text": _text,
    "money": _money,
    "rate": _rate,
    "integer": _integer,
    "date": _date,
    "instant": _instant,
    "clock": _clock,
    "choice": _listed("bad_choice", lambda column: column.values),
    "currency": _listed("bad_currency", lambda _: tuple(CURRENCIES)),
    "zone": _listed("bad_time_zone", lambda _: zones()),
    "json": _json,
}


def check_detail(kind: str, detail: str | None) -> None:
    """Refuse (BadCell) a signal's detail that does not say what its kind must say."""
    said = cast("dict[str, object]", json.loads(detail or "{}"))
    if kind == "promise":
        amount = said.get("amount")
        if not isinstance(amount, str) or not _AMOUNT.fullmatch(amount) or Decimal(amount) <= 0:
            raise BadCell("bad_detail")
        _dated(said.get("on"))
    allowed: dict[str, tuple[str, tuple[str, ...]]] = {
        "opt_out": ("channel", CHANNELS),
        "abnormal_transaction": ("kind", ("account_security", "other")),
        "plan": ("accrual", ("stops", "runs")),
        "dispute": ("accrual", ("stops", "runs")),
    }
    if kind in allowed:
        name, values = allowed[kind]
        if said.get(name) is not None and said[name] not in values:
            raise BadCell("bad_detail")
    if kind == "bureau_reporting":
        for name in ("report_on", "notified_on"):
            if said.get(name) is not None:
                _dated(said[name])


def _dated(value: object) -> None:
    try:
        date_of(value)
    except BadCell as error:
        raise BadCell("bad_detail") from error
