"""The page of a bundle: what was sent when, why it was allowed, which figures it named."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from minijinja import Environment

from duly.book import Lender
from duly.core.money import major
from duly.core.words import catalogue, say
from duly.service.evidence.gathering import Gathered
from duly.service.operations.proving import Row

#: Amounts among the figures of a decision; the others are days, dates and words.
_MONEY = frozenset({"overdue_total", "late_charge", "outstanding_total", "next_due_amount"})
_FIGURES = (
    "overdue_total", "days_past_due", "bucket", "late_charge", "outstanding_total", "next_due_on",
    "next_due_amount", "last_paid_on",
)  # fmt: skip
_ENDS = (
    "message.answered", "message.receipt", "message.unknown", "message.waits_again",
    "message.falls_back", "message.dead",
)  # fmt: skip


def page(
    found: Gathered,
    *,
    loan_id: str,
    lender: Lender,
    made_at: datetime,
    key_id: str,
    fingerprint: str,
    sources: Sequence[Mapping[str, str]],
    locale: str,
) -> str:
    """Return the page as one HTML file that needs nothing else, in one locale.

    Instants are shown in the lender's zone with their offset.
    """
    told = [(row, _told(row)) for row in found.rows]
    view = _View(locale, ZoneInfo(lender.time_zone), told)
    return _rendered(
        {
            "locale": locale,
            "t": view.say,
            "loan_id": loan_id,
            "lender": lender.name,
            "made_at": view.instant(made_at),
            "by": next((t["by"] for r, t in reversed(told) if r.kind == "evidence.exported"), "-"),
            "rows": len(found.rows),
            "forgotten": sum(row.payload is None for row in found.rows),
            "deleted": [
                {"at": view.instant(row.at), **payload}
                for row, payload in told
                if row.kind == "person.deleted"
            ],
            "messages": view.messages(),
            "timeline": [view.entry(row, payload) for row, payload in told],
            "rules": view.rules(),
            "sources": sources,
            "size": found.size,
            "root": found.root.hex(),
            "root_at": view.instant(found.at),
            "days": len(found.days),
            "key_id": key_id,
            "fingerprint": fingerprint,
        }
    )


def _told(row: Row) -> dict[str, Any]:
    return {} if row.payload is None else dict(json.loads(row.payload.text))


def _rendered(context: Mapping[str, object]) -> str:
    here = resources.files("duly.service.evidence")
    environment = Environment(
        templates={"page.html": here.joinpath("page.html").read_text(encoding="utf-8")},
        undefined_behavior="strict", debug=False, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    return str(environment.render_template("page.html", **context))


class _View:
    """Rows of the record as a reader of one language sees them."""

    def __init__(
        self, locale: str, zone: ZoneInfo, told: Sequence[tuple[Row, dict[str, Any]]]
    ) -> None:
        self._locale, self._zone, self._told = locale, zone, told
        self._entries = catalogue("evidence", locale)
        self._rules = {
            (rule["id"], rule["in_force_from"]): rule
            for row, payload in told
            if row.kind == "rules.asked"
            for rule in payload.get("rules", ())
        }

    def say(self, key: str, **values: object) -> str:
        return say("evidence", key, self._locale, **values)

    def instant(self, at: datetime) -> str:
        """Return an instant in the lender's zone, to the second."""
        return at.astimezone(self._zone).isoformat(" ", "seconds")

    def entry(self, row: Row, payload: Mapping[str, Any]) -> dict[str, object]:
        """Return one row as a line of the timeline."""
        key = f"kind.{row.kind.replace('.', '_')}"
        if row.payload is None:
            sentence = self.say("kind.forgotten", kind=row.kind)
        elif key in self._entries:
            sentence = self.say(key, subject=row.subject, **self._values(payload))
        else:
            sentence = self.say("kind.other", kind=row.kind, subject=row.subject)
        return {
            "number": row.number, "at": self.instant(row.at),
            "utc": row.at.astimezone(UTC).isoformat(), "kind": row.kind, "subject": row.subject,
            "sentence": sentence, "leaf": row.index, "rules": self._spoke(payload),
            "figures": self._figures(payload) if row.kind == "decision.made" else [],
        }  # fmt: skip

    def messages(self) -> list[dict[str, object]]:
        """Return what was submitted, each with its words, its figures, its door and its end."""
        return [
            self._message(row, payload)
            for row, payload in self._told
            if row.kind == "message.submitted" and row.payload is not None
        ]

    def _message(self, row: Row, payload: Mapping[str, Any]) -> dict[str, object]:
        own = [(one, said) for one, said in self._told if one.subject == row.subject]
        # What no route took was submitted again: each submission has its own door and its own end.
        before = [pair for pair in own if pair[0].number < row.number]
        after = [pair for pair in own if pair[0].number > row.number]
        later = [one.number for one, _ in after if one.kind == "message.submitted"]
        mine = [pair for pair in after if not later or pair[0].number < later[0]]
        door: dict[str, Any] = next(
            (said for one, said in reversed(before) if one.kind == "message.claimed"), {}
        )
        ends = [self.entry(one, said)["sentence"] for one, said in mine if one.kind in _ENDS]
        return {
            "id": row.subject, "at": self.instant(datetime.fromisoformat(payload["at"])),
            "row": row.number,
            "text": payload["text"], "channel": payload["channel"], "address": payload["address"],
            "template": payload["template"], "route": payload["route"],
            "loans": payload["loan_ids"], "code": payload["code"],
            "figures": [(name, str(value)) for name, value in payload["params"].items()],
            "window": [self.instant(datetime.fromisoformat(payload[name]))
                       for name in ("not_before", "not_after")],
            "contacts": door.get("contacts_counted", 0),
            "rules": len(self._asked(payload)),
            "ends": ends,
        }  # fmt: skip

    def _in_force(self, payload: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
        """Return the rules in force at the instant of a row, each by its id."""
        at = payload.get("at")
        if not isinstance(at, str):
            return {}
        day = datetime.fromisoformat(at).astimezone(self._zone).date().isoformat()
        return {
            rule["id"]: key
            for key, rule in self._rules.items()
            if rule["in_force_from"] <= day < (rule["in_force_to"] or "9999")
        }

    def _asked(self, payload: Mapping[str, Any]) -> set[tuple[str, str]]:
        """Return which rules a door asked about a message: about what it asked, and in force."""
        about = payload["facts"].get("about") or ["contact"]
        keys = self._in_force(payload).values()
        return {key for key in keys if self._rules[key]["about"] in about}

    def _spoken(self, payload: Mapping[str, Any]) -> list[tuple[str, str]]:
        """Return the rules that held a message or stopped it."""
        in_force = self._in_force(payload)
        named = [name for name in payload.get("rules", ()) if isinstance(name, str)]
        return [in_force[name] for name in named if name in in_force]

    def rules(self) -> list[dict[str, object]]:
        """Return the rules that a door asked or that spoke, each with its source and words."""
        wanted: set[tuple[str, str]] = set()
        for row, payload in self._told:
            if row.kind == "message.submitted" and row.payload is not None:
                wanted |= self._asked(payload)
            wanted.update(self._spoken(payload))
        return [
            {**self._rules[key], "says": self._says(key),
             "force": self._named("force", self._rules[key]["force"])}
            for key in sorted(wanted)
        ]  # fmt: skip

    def _says(self, key: tuple[str, str]) -> str:
        says = self._rules[key]["says"]
        return str(says.get(self._locale) or says["en"])

    def _spoke(self, payload: Mapping[str, Any]) -> list[dict[str, str]]:
        """Return the rules that held a message or stopped it, with clause and words."""
        return [
            {"id": key[0], "says": self._says(key),
             "source": f"{self._rules[key]['source']} {self._rules[key]['clause']}"}
            for key in self._spoken(payload)
        ]  # fmt: skip

    def _figures(self, payload: Mapping[str, Any]) -> list[tuple[str, str]]:
        figures = payload.get("figures") or {}
        currency = str(figures.get("currency") or "CNY")
        return [
            (self.say(f"figure.{name}"), f"{major(figures[name], currency)} {currency}"
             if name in _MONEY else str(figures[name]))
            for name in _FIGURES
            if figures.get(name) is not None
        ]  # fmt: skip

    def _values(self, payload: Mapping[str, Any]) -> dict[str, object]:
        """Return the payload as words: codes by their names, instants in the zone."""
        values: dict[str, object] = {}
        for name, value in payload.items():
            if name in ("reason", "decision", "state", "outcome"):
                values[name] = self._named(name, str(value))
            elif name in ("at", "until", "received_at", "starts_at") and isinstance(value, str):
                values[name] = self.instant(datetime.fromisoformat(value))
            else:
                values[name] = "-" if value is None else value
        return values

    def _named(self, group: str, code: str) -> str:
        """Return a code with its name, where a catalogue has one."""
        if group in ("decision", "reason"):
            entries = catalogue("reasons", self._locale)
            key = f"decision.{code}" if group == "decision" else f"name.{code}"
            name = entries.get(key) or entries.get(f"name.{code.partition(':')[0]}")
        elif group == "state":
            name = catalogue("service", self._locale).get(f"state.{code}")
        else:
            name = self._entries.get(f"{group}.{code}")
        return code if name is None or name == code else f"{name} ({code})"
