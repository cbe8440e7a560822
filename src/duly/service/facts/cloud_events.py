"""What one CloudEvent says: read, checked whole, and turned into words about keys."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cache
from itertools import pairwise

from duly.book import TABLES
from duly.book.schema import Column
from duly.core.digest import of_value
from duly.plan.addresses import key_of
from duly.service.facts.cells import BadCell, check_detail, instant_of, text_of, written
from duly.service.facts.kinds import TYPES
from duly.service.facts.problems import EventProblem

NAME_BYTES_MAX = 400  #: of a source and of an id: both stand in one index
SUBJECT_MAX = 1_000
SCHEDULE_MAX = 1_200  #: installments of one loan in one event: a hundred years of months
AGREED_MAX = 360  #: amounts of one agreed plan
#: A clock may run ahead a little; one that runs far ahead would win over every later word.
_KEY_MAX = 200
AHEAD = timedelta(hours=1)

#: A NUL as JSON writes it, which no database keeps as text.
_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")

Cells = dict[str, str | None]

#: Type → table of the book and the word that it gives; the rest of a type's meaning is in `_words`.
_TABLE: Mapping[str, str] = {
    "payment.posted": "payments",
    "payment.reversed": "payments",
    "loan.upserted": "loans",
    "borrower.upserted": "borrowers",
    "borrower.preferred": "borrowers",
    "contact_point.changed": "contact_points",
    "consent.granted": "consents",
    "consent.withdrawn": "consents",
    "signal.raised": "signals",
    "signal.cleared": "signals",
}
#: Of types that say less than a row: which columns they may name, and which of those they must.
_PART: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "payment.reversed": (("payment_id", "reversed_on"), ("payment_id",)),
    "signal.cleared": (("signal_id", "ends_at"), ("signal_id",)),
    "borrower.preferred": (
        ("borrower_id", "locale", "preferred_channel", "quiet_from", "quiet_until"),
        ("borrower_id",),
    ),
    "consent.granted": (
        ("borrower_id", "purpose", "channel", "granted_at", "detail"),
        ("borrower_id", "purpose"),
    ),
    "consent.withdrawn": (
        ("borrower_id", "purpose", "channel", "withdrawn_at", "detail"),
        ("borrower_id", "purpose"),
    ),
}
#: What the event's own time says where its data do not: column → whether a date is wanted.
_FROM_TIME: Mapping[str, tuple[str, bool]] = {
    "payment.reversed": ("reversed_on", True),
    "contact_point.changed": ("changed_on", True),
    "consent.granted": ("granted_at", False),
    "consent.withdrawn": ("withdrawn_at", False),
    "signal.raised": ("starts_at", False),
    "signal.cleared": ("ends_at", False),
}


@dataclass(frozen=True, kw_only=True)
class NewWord:
    """What an event says about one key: the cells of a row of the book."""

    kind: str
    key: str
    cells: Mapping[str, object]
    borrower_id: str | None = None
    loan_id: str | None = None
    address_key: str | None = None


@dataclass(frozen=True, kw_only=True)
class ReadEvent:
    """A checked event; `words` is what is folded from it, `unread` the data's unknown fields."""

    source: str
    event_id: str
    type: str
    subject: str | None
    time: datetime
    data: str
    body_sha256: str
    words: tuple[NewWord, ...]
    unread: tuple[str, ...] = ()


def read_all(
    events: Sequence[object], *, at: datetime
) -> tuple[list[ReadEvent], list[EventProblem]]:
    """Return the good events and every fault of the others, in the order of the batch."""
    found: list[ReadEvent] = []
    problems: list[EventProblem] = []
    for index, event in enumerate(events):
        reader = _Reader(index)
        one = reader.read(event, at)
        problems += reader.problems
        if one is not None and not reader.problems:
            found.append(one)
    return found, problems


@cache
def _columns(kind: str) -> tuple[Column, ...]:
    """Return what the data of a type may say; a part of a row needs fewer."""
    table = TABLES[_TABLE[kind]]
    if kind not in _PART:
        return table.columns
    names, needed = _PART[kind]
    return tuple(replace(table.column(name), filled=name in needed) for name in names)


class _Reader:
    """Reads one event and remembers each fault."""

    def __init__(self, index: int) -> None:
        self._index = index
        self.problems: list[EventProblem] = []

    def _fault(self, field: str, code: str, **values: object) -> None:
        self.problems.append(EventProblem(index=self._index, field=field, code=code, values=values))

    def read(self, event: object, at: datetime) -> ReadEvent | None:
        if not isinstance(event, dict):
            self._fault("", "not_an_object")
            return None
        if event.get("specversion") != "1.0":
            self._fault("specversion", "bad_specversion")
        source, name = self._name(event, "source"), self._name(event, "id")
        subject = event.get("subject")
        if subject is not None and not (isinstance(subject, str) and _plain(subject, SUBJECT_MAX)):
            self._fault("subject", "bad_text")
        media = event.get("datacontenttype", "application/json")
        if not isinstance(media, str) or media.split(";")[0].strip() != "application/json":
            self._fault("datacontenttype", "bad_content_type")
        time = self._time(event.get("time"), at)
        kind, data = event.get("type"), event.get("data")
        if not isinstance(kind, str) or kind not in TYPES:
            self._fault("type", "unknown_type", types=", ".join(TYPES))
            return None
        if not isinstance(data, dict):
            self._fault("data", "not_an_object")
            return None
        text = self._stored(data)
        if time is None or text is None:
            return None
        local = str(event["time"])[:10]
        read, words = self._said(kind, data, time, local)
        if self.problems:
            return None
        # The day that its own clock showed stands for dates that the data leave out.
        body = {"type": kind, "subject": subject, "time": written(time), "day": local, "data": text}
        return ReadEvent(
            source=source, event_id=name, type=kind, subject=subject, time=time, data=text,
            body_sha256=of_value(body), words=words,
            unread=tuple(f"{kind}.{one}" for one in sorted(set(data) - read)),
        )  # fmt: skip

    def _name(self, event: Mapping[str, object], field: str) -> str:
        value = event.get(field)
        if not isinstance(value, str) or not value:
            self._fault(field, "missing_value")
            return ""
        if not _plain(value, NAME_BYTES_MAX) or len(value.encode()) > NAME_BYTES_MAX:
            self._fault(field, "bad_id")
        return value

    def _time(self, value: object, at: datetime) -> datetime | None:
        if value is None:
            self._fault("time", "missing_value")
            return None
        try:
            time = instant_of(value)
        except BadCell as bad:
            self._fault("time", bad.code)
            return None
        if time > at + AHEAD:
            self._fault("time", "ahead", at=written(at))
            return None
        return time

    def _stored(self, data: Mapping[str, object]) -> str | None:
        """Return the data as JSON that a database can keep."""
        try:
            text = json.dumps(data, ensure_ascii=False, sort_keys=True, allow_nan=False)
            text.encode()
        except (ValueError, RecursionError, UnicodeEncodeError, TypeError):
            self._fault("data", "bad_json")
            return None
        if _NUL.search(text):
            self._fault("data", "control_character")
            return None
        return text

    def _said(
        self, kind: str, data: Mapping[str, object], time: datetime, local: str
    ) -> tuple[set[str], tuple[NewWord, ...]]:
        """Return which fields were read, and the words; faults are remembered."""
        columns = _columns(kind)
        given = dict(data)
        if kind in _FROM_TIME:
            column, is_date = _FROM_TIME[kind]
            if given.get(column) in (None, ""):
                given[column] = local if is_date else written(time)
        cells = self._cells(columns, given, "data")
        read = {column.name for column in columns}
        rows: list[Cells] | None = None
        if kind == "loan.upserted":
            read.add("installments")
            rows = self._schedule(data.get("installments"), cells.get("loan_id"))
        if kind == "signal.raised":
            read.add("agreed")
            rows = self._agreed(data.get("agreed"), cells)
        if self.problems:
            return read, ()
        self._row(kind, cells)
        return read, () if self.problems else _words(kind, cells, rows)

    def _cells(self, columns: Sequence[Column], given: Mapping[str, object], place: str) -> Cells:
        found: Cells = {}
        for column in columns:
            try:
                found[column.name] = text_of(column, given.get(column.name))
            except BadCell as bad:
                choices = ", ".join(column.values)
                self._fault(f"{place}.{column.name}", bad.code, choices=choices)
        return found

    def _row(self, kind: str, cells: Cells) -> None:
        """Remember the faults that need two columns."""
        if kind == "payment.posted":
            if not cells["loan_id"] and not cells["borrower_id"]:
                self._fault("data.loan_id", "names_nobody")
            if cells["kind"] == "waiver" and not cells["loan_id"]:
                self._fault("data.loan_id", "waiver_of_no_loan")
            if cells["component"] and cells["kind"] != "waiver":
                self._fault("data.component", "component_of_payment")
            if (cells["reversed_on"] or "9") < str(cells["paid_on"]):
                self._fault("data.reversed_on", "ends_before_start")
        if kind == "signal.raised":
            if cells["ends_at"] and instant_of(cells["ends_at"]) < instant_of(cells["starts_at"]):
                self._fault("data.ends_at", "ends_before_start")
            try:
                check_detail(str(cells["kind"]), cells["detail"])
            except BadCell as bad:
                self._fault("data.detail", bad.code)

    def _schedule(self, rows: object, loan_id: str | None) -> list[Cells] | None:
        """Return a loan's schedule, None where the event leaves it as it is."""
        if rows is None:
            return None
        if not isinstance(rows, list) or not 0 < len(rows) <= SCHEDULE_MAX:
            self._fault("data.installments", "bad_schedule", most=SCHEDULE_MAX)
            return None
        found = self._dated_rows("installments", rows, {"loan_id": loan_id})
        for place, cells in enumerate(found):
            if (cells.get("grace_until") or "9") < (cells.get("due_on") or ""):
                self._fault(f"data.installments.{place}.grace_until", "grace_before_due")
        return found

    def _agreed(self, rows: object, signal: Cells) -> list[Cells] | None:
        """Return the amounts of an agreed plan, None where the event tells none."""
        if rows is None:
            return None
        if signal.get("kind") != "plan":
            self._fault("data.agreed", "agreed_of_no_plan")
            return None
        if not isinstance(rows, list) or not 0 < len(rows) <= AGREED_MAX:
            self._fault("data.agreed", "bad_agreed", most=AGREED_MAX)
            return None
        return self._dated_rows("agreed", rows, {"signal_id": signal.get("signal_id")})

    def _dated_rows(
        self, table: str, rows: Sequence[object], key: Mapping[str, object]
    ) -> list[Cells]:
        """Return rows of a table by their numbers, each once and never back in time."""
        found: list[Cells] = []
        for place, row in enumerate(rows):
            where = f"data.{table}.{place}"
            if isinstance(row, dict):
                found.append(self._cells(TABLES[table].columns, {**row, **key}, where))
            else:
                self._fault(where, "not_an_object")
        if not self.problems:
            found.sort(key=lambda one: int(one["number"] or 0))
            for before, after in pairwise(found):
                if before["number"] == after["number"]:
                    self._fault(f"data.{table}", "duplicate_key", number=after["number"])
                elif str(before["due_on"]) > str(after["due_on"]):
                    self._fault(f"data.{table}", "goes_back", number=after["number"])
        return found


def _plain(text: str, most: int) -> bool:
    """Return whether a text can be kept and shown: bounded, no control character, valid Unicode."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return len(text) <= most and text.isprintable()


def _words(kind: str, cells: Cells, rows: list[Cells] | None) -> tuple[NewWord, ...]:
    borrower, loan = cells.get("borrower_id"), cells.get("loan_id")
    if kind == "loan.upserted":
        key = str(loan)
        said = [NewWord(kind="loan", key=key, cells=cells, borrower_id=borrower, loan_id=loan)]
        if rows is not None:
            said.append(
                NewWord(kind="schedule", key=key, cells={"installments": rows}, loan_id=loan)
            )
        return tuple(said)
    if kind == "contact_point.changed":
        address = str(cells["address"])
        return (
            NewWord(kind="contact_point", key=joined(borrower, cells["channel"], address),
                    cells=cells, borrower_id=borrower, address_key=key_of(address)),
        )  # fmt: skip
    if kind.startswith("consent."):
        key = joined(borrower, cells["purpose"], cells["channel"] or "")
        given = cells | {"granted": kind.removeprefix("consent.")}
        return (NewWord(kind="consent", key=key, cells=given, borrower_id=borrower),)
    number = number_of(cells) if kind == "signal.raised" else None
    word, id_ = {
        "payment.posted": ("payment", "payment_id"),
        "payment.reversed": ("reversal", "payment_id"),
        "borrower.upserted": ("borrower", "borrower_id"),
        "borrower.preferred": ("preference", "borrower_id"),
        "signal.raised": ("signal", "signal_id"),
        "signal.cleared": ("clearing", "signal_id"),
    }[kind]
    return (
        NewWord(
            kind=word,
            key=str(cells[id_]),
            # The amounts of a plan are one fact with it: whoever tells it again tells them again.
            cells=cells if rows is None else {**cells, "agreed": rows},
            borrower_id=borrower,
            loan_id=loan,
            address_key=number,
        ),
    )


def number_of(signal: Mapping[str, object]) -> str | None:
    """Return the number that an opt-out came from, where its detail names it by `address`."""
    if signal["kind"] != "opt_out" or not signal["detail"]:
        return None
    address = json.loads(str(signal["detail"])).get("address")
    return key_of(address)[:_KEY_MAX] or None if isinstance(address, str) else None


def joined(*ids: str | None) -> str:
    """Return the key that several ids make together."""
    return json.dumps(ids, ensure_ascii=False)
