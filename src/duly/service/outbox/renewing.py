"""Texts whose figures are no longer sure, written anew: today's plan for these borrowers alone.

Every stage, rule and check of a plan is asked again, so a text is renewed only where today's plan
says the same thing to the same address; what it would say otherwise, or not at all, is not sent.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from django.db import connection as django

from duly.book import Lender, take_snapshot
from duly.core.errors import Refused
from duly.messages import Catalogue, fill_code
from duly.plan.inputs import PlanInputs
from duly.plan.making import wishes, wishes_of
from duly.plan.pipeline import make_plan
from duly.plan.proven import facts_of
from duly.policy import Policy
from duly.risk.registry import champion
from duly.rules import Rule
from duly.service.facts.book_out import copy_out
from duly.service.outbox.freshness import Freshness, books_of
from duly.service.outbox.wording import MARK
from duly.service.rows import Row, unpacked

#: Persons are locked while they are planned anew: so many at a time, the others in the next round.
RENEWED_AT_ONCE = 100
#: What must be as it was when the run was made; the book is what may differ.
_SAME = ("policy", "packs", "templates", "model", "stages")
_SAME_WORDS = ("borrower_id", "channel", "address", "locale", "template", "tone")

_SOURCE = "SELECT text FROM store_source WHERE kind = 'policy' AND sha256 = %s"
_VERSIONS = "SELECT plan_sha256, summary->'versions' FROM store_run WHERE plan_sha256 = ANY(%s)"


@dataclass(frozen=True, kw_only=True)
class Renewed:
    """A text with today's figures, and what the rules are asked about it."""

    text: str
    params: str  #: JSON
    facts: str  #: JSON
    segments: int
    figures_at: datetime
    figures_on: date


class Renewal:
    """Writes texts anew by one lender's policy, rules and templates."""

    def __init__(self, lender: Lender) -> None:
        self._lender = lender
        self._fresh = Freshness(
            age_hours=lender.limits.figures_age_hours, zone=ZoneInfo(lender.time_zone)
        )
        self._wishes: tuple[tuple[date, str], tuple[Policy, tuple[Rule, ...], Catalogue]] | None
        self._wishes = None

    def stale(
        self, connection: psycopg.Connection[Any], rows: Sequence[Row], *, at: datetime
    ) -> Mapping[str, str]:
        """Return why a text is old, by message id."""
        return self._fresh.stale(connection, rows, at=at)

    def renew(
        self, connection: psycopg.Connection[Any], rows: Sequence[Row], *, at: datetime
    ) -> dict[str, Renewed]:
        """Return the renewed texts by message id; what is missing must not be sent.

        The caller's transaction holds the locks of these persons: no fact about them can change.
        Missing is what no book of the allowed age has, what was planned by another policy or other
        texts, and what today's plan does not say in the same words to the same address.
        """
        known = self._known_until(connection, rows, at)
        rows = [row for row in rows if row["message_id"] in known]
        if not rows:
            return {}
        versions = dict(
            connection.execute(_VERSIONS, (sorted({row["run_id"] for row in rows}),)).fetchall()
        )
        try:
            with tempfile.TemporaryDirectory(prefix="duly-renew-") as work:
                planned_by = _policy_of(connection, versions)
                today, inputs = self._planned(Path(work), rows, at, planned_by)
        except Refused:
            return {}  # What the facts known do not carry is not said; the caller cancels it.
        found = {}
        for row in rows:
            same = today.get(_words_of(row, row["message_class"]))
            if same is None or not _same(unpacked(versions[row["run_id"]]), inputs.versions()):
                continue
            text = fill_code(same["text"], row["code"])
            mark = inputs.asked.mark(row["message_class"], row["channel"], text)
            found[row["message_id"]] = Renewed(
                text=text,
                params=same["params"],
                facts=json.dumps({**json.loads(same["facts"]), MARK: mark}),
                segments=same["segments"],
                figures_at=known[row["message_id"]],
                figures_on=inputs.business_date,
            )
        return found

    def _known_until(
        self, connection: psycopg.Connection[Any], rows: Sequence[Row], at: datetime
    ) -> dict[str, datetime]:
        """Return up to when all loans of a message are known, where that is not too long ago."""
        loans = sorted({loan for row in rows for loan in row["loan_ids"]})
        cuts = books_of(connection, loans)
        found = {}
        for row in rows:
            if all(loan in cuts for loan in row["loan_ids"]):
                until = min(at, *(cuts[loan] for loan in row["loan_ids"]))
                if not self._fresh.too_old(until, at):
                    found[row["message_id"]] = until
        return found

    def _planned(
        self, work: Path, rows: Sequence[Row], at: datetime, planned_by: tuple[str, bytes]
    ) -> tuple[Mapping[tuple[object, ...], Row], PlanInputs]:
        """Plan the borrowers of these messages; return what is said, by whom and how."""
        book = work / "book"
        book.mkdir()
        people = sorted({row["borrower_id"] for row in rows})
        try:
            copy_out(book, lender=self._lender.name, at=at, borrower_ids=people,
                     age_hours=self._lender.limits.book_age_hours)  # fmt: skip
        finally:
            django.close()  # A worker's thread keeps no connection that nobody counts.
        snapshot = take_snapshot(
            book, work / "snapshot", lender=self._lender, needs="plan", threads=1
        )
        policy, rules, catalogue = self._wished(at.astimezone(self._fresh.zone).date(), planned_by)
        inputs = PlanInputs(snapshot=snapshot, instant=at, lender=self._lender, policy=policy,
                            rules=rules, catalogue=catalogue,
                            champion=champion(self._lender.models))  # fmt: skip
        plan = make_plan(inputs, clock=lambda: 0.0, threads=1, work=work, keep_stages=True)
        try:
            facts = {one["message_id"]: one["facts"] for one in facts_of(plan).to_pylist()}
            said = plan.messages.to_pylist()
        finally:
            plan.connection.close()
        return {
            _words_of(one, one["class"]): {**one, "facts": facts[one["message_id"]]} for one in said
        }, inputs

    def _wished(
        self, today: date, planned_by: tuple[str, bytes]
    ) -> tuple[Policy, tuple[Rule, ...], Catalogue]:
        sha256, text = planned_by
        if self._wishes is None or self._wishes[0] != (today, sha256):
            found = (
                wishes_of(f"{sha256[:12]}.yaml", text, self._lender, today)
                if text
                else wishes(self._lender.policy, self._lender, today)
            )
            self._wishes = (today, sha256), found
        return self._wishes[1]


def _policy_of(
    connection: psycopg.Connection[Any], versions: Mapping[str, Any]
) -> tuple[str, bytes]:
    """Return fingerprint and text of the policy that the first of these runs was planned by.

    It may have been published since that another one counts, and the lender file may name a third:
    a run goes on by its own. Texts of other runs are then not said, as ever. An empty text: it is
    not kept, and the lender file's has to be the same.
    """
    found = {(unpacked(one) or {}).get("policy") or "" for one in versions.values()}
    sha256: str = min(found, default="")
    row = connection.execute(_SOURCE, (sha256,)).fetchone()
    return sha256, b"" if row is None else str(row[0]).encode()


def _words_of(row: Row, message_class: str) -> tuple[object, ...]:
    return (message_class, tuple(sorted(row["loan_ids"])), *(row[name] for name in _SAME_WORDS))


def _same(then: Mapping[str, str] | None, now: Mapping[str, str]) -> bool:
    return then is not None and all(then.get(name) == now[name] for name in _SAME)
