"""The rules in force: each with its source and dates, and about how many loans it spoke today."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

from django.http import HttpRequest, HttpResponse

from duly.core.words import say
from duly.rules import Rule, active, legal_key, lenders_rules
from duly.rules.model import FORCES
from duly.rules.pages import meaning, show_case
from duly.service.api.serving import present
from duly.service.console.files import spreadsheet
from duly.service.console.pages import page, problem
from duly.service.console.reasons import told_rules
from duly.service.console.signing_in import Signed, allowed, who_of
from duly.service.console.today import RUN, asked
from duly.service.faces.looks import look_of
from duly.service.operations.recording import record
from duly.service.rows import Row

DATED = ("now", "later", "over", "all")
#: Decisions by which nobody is written to or called today.
KEPT = ("wait", "hold", "blocked")
_NOWHERE = 404
_LONG = 200
_SPOKE = """
SELECT said.rule, d.decision, count(*) AS count
FROM store_decision AS d, jsonb_array_elements_text(d.legal) AS said (rule)
WHERE d.run_id = %(run)s AND (%(rule)s = '' OR said.rule = %(rule)s)
GROUP BY 1, 2 ORDER BY 1, array_position(
    ARRAY['contact', 'task', 'wait', 'hold', 'blocked', 'quarantined', 'none'], d.decision::text)
"""
_COLUMNS = ("rule", "force", "pack", "says", "source", "clause", "checked", "since", "until",
            "cases", "spoke", "kept")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Spoken:
    """About how many loans of the latest plan a rule spoke, or why nobody can say.

    `code` is `counted`, `door` (no plan asks it), `then` (not in force on the plan's day),
    `secret` (this reader may not know) or `no_plan`.
    """

    code: str
    by: tuple[tuple[str, int], ...] = ()  #: decision and loans

    @property
    def loans(self) -> int:
        """Return about how many loans it spoke."""
        return sum(count for _, count in self.by)

    @property
    def kept(self) -> int:
        """Return how many of them nobody writes to or calls today."""
        return sum(count for decision, count in self.by if decision in KEPT)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One version of a rule as a row of the table."""

    rule: Rule
    says: str
    dated: str  #: now, later or over
    spoken: Spoken

    @property
    def since(self) -> date | None:
        """Return its first day; None where it was always in force."""
        return None if self.rule.in_force_from.year == 1 else self.rule.in_force_from

    @property
    def last(self) -> date | None:
        """Return its last day; None where none is known."""
        until = self.rule.in_force_to
        return None if until is None else until - timedelta(days=1)


@dataclass(frozen=True, kw_only=True)
class Sieve:
    """Which rules a reader asked for."""

    force: str
    pack: str
    dated: str
    text: str
    spoke: bool  #: only those that spoke about a loan of the latest plan

    def keeps(self, line: Line) -> bool:
        """Return whether a rule is one of them."""
        rule = line.rule
        words = (rule.id, line.says, rule.source.text, rule.source.clause)
        return (
            self.force in ("", rule.force)
            and self.pack in ("", rule.pack)
            and self.dated in ("all", line.dated)
            and (line.spoken.loans > 0 or not self.spoke)
            and (not self.text or any(self.text.casefold() in one.casefold() for one in words))
        )


@allowed("rules.see", "GET")
def rules(request: HttpRequest) -> HttpResponse:
    """Show the rules of the lender's packs that are in force, or those asked for."""
    sieve, run, lines = _found(request)
    lender = present().lender
    return page(
        request, "rules", open="rules", lines=lines, sieve=sieve, run=run, forces=FORCES,
        packs=lender.packs, dates=DATED, on=present().today, switched_off=lender.switched_off,
        lists=who_of(request).may("lists.see"),
    )  # fmt: skip


@allowed("rules.see", "GET")
def export(request: HttpRequest) -> HttpResponse:
    """Give the rules asked for as a file; who took it is recorded."""
    sieve, _, lines = _found(request)
    told = {"list": "rules", "rows": len(lines), "force": sieve.force, "pack": sieve.pack,
            "dated": sieve.dated, "text": sieve.text, "spoke": sieve.spoke}  # fmt: skip
    record("staff.exported", [(who_of(request).name, {k: one for k, one in told.items() if one})])
    locale = look_of(request).locale
    head = [say("console", f"rules_column.{one}", locale) for one in _COLUMNS]
    return spreadsheet("rules", head, (list(_cells(line, locale)) for line in lines))


@allowed("rules.see", "GET")
def rule(request: HttpRequest, rule_id: str) -> HttpResponse:
    """Show one rule: the version in force, or that of a day, with its source and its cases."""
    versions = [one for one in _kept() if one.id == rule_id]
    if not versions:
        return problem(request, "nowhere", status=_NOWHERE)
    run = _run()
    staff, locale = who_of(request), look_of(request).locale
    lines = _lines(versions, _spoken_by(run, rule_id), run, staff, locale)
    lines.sort(key=lambda line: line.rule.in_force_from)
    shown = _chosen(lines, request.GET.get("from", ""))
    return page(
        request, "rule", open="rules", line=shown, versions=lines, run=run,
        meant=meaning(shown.rule, locale),
        cases=[show_case(case, locale) for case in shown.rule.cases],
        entries=sorted({case.of for case in shown.rule.cases if case.of}),
        lists=staff.may("lists.see"),
    )  # fmt: skip


def _chosen(lines: list[Line], since: str) -> Line:
    """Return the version that begins on a day; else that in force, the next, or the last."""
    for line in lines:
        if since and line.since is not None and line.since.isoformat() == since:
            return line
    order = ("now", "later")
    return next((line for code in order for line in lines if line.dated == code), lines[-1])


def _found(request: HttpRequest) -> tuple[Sieve, Row | None, list[Line]]:
    sieve, run = _sieve(request), _run()
    lines = _lines(_kept(), _spoken_by(run), run, who_of(request), look_of(request).locale)
    return sieve, run, [line for line in lines if sieve.keeps(line)]


def _sieve(request: HttpRequest) -> Sieve:
    def chosen(name: str, known: tuple[str, ...], otherwise: str = "") -> str:
        given = request.GET.get(name, "")
        return given if given in known else otherwise

    text = " ".join(request.GET.get("text", "")[:_LONG].split())
    return Sieve(
        force=chosen("force", FORCES), pack=chosen("pack", present().lender.packs),
        dated=chosen("dated", DATED, "now"), text=text if text.isprintable() else "",
        spoke=request.GET.get("spoke") == "yes",
    )  # fmt: skip


def _run() -> Row | None:
    return next(iter(asked(RUN, {})), None)


def _spoken_by(run: Row | None, rule_id: str = "") -> Mapping[str, tuple[tuple[str, int], ...]]:
    """Return by rule the decisions of the latest plan in which it spoke, with their loans."""
    if run is None:
        return {}
    found: dict[str, tuple[tuple[str, int], ...]] = {}
    for row in asked(_SPOKE, {"run": run["plan_sha256"], "rule": rule_id}):
        found[row["rule"]] = (*found.get(row["rule"], ()), (row["decision"], row["count"]))
    return found


def _kept() -> tuple[Rule, ...]:
    lender = present().lender
    return _kept_by(lender.packs, lender.switched_off)


@lru_cache(maxsize=8)
def _kept_by(packs: tuple[str, ...], switched_off: tuple[str, ...]) -> tuple[Rule, ...]:
    """Return the rules of a lender, the strongest first, each in all its versions."""
    found = lenders_rules(packs, switched_off)
    return tuple(sorted(found, key=lambda one: (*legal_key(one, one.effect), one.in_force_from)))


def _lines(
    found: tuple[Rule, ...] | list[Rule],
    spoken: Mapping[str, tuple[tuple[str, int], ...]],
    run: Row | None,
    staff: Signed,
    locale: str,
) -> list[Line]:
    today, lender = present().today, present().lender
    told = told_rules(lender.packs, lender.switched_off)
    knows = staff.may("investigation.know")

    def heard(one: Rule) -> Spoken:
        if one.about != "contact":
            return Spoken(code="door")
        if run is None:
            return Spoken(code="no_plan")
        if one not in active([one], run["business_date"]):
            return Spoken(code="then")
        if not knows and one.id not in told:
            return Spoken(code="secret")
        return Spoken(code="counted", by=spoken.get(one.id, ()))

    return [
        Line(rule=one, says=one.says[locale], dated=_dated(one, today), spoken=heard(one))
        for one in found
    ]


def _dated(one: Rule, today: date) -> str:
    if one.in_force_from > today:
        return "later"
    return "now" if active([one], today) else "over"


def _cells(line: Line, locale: str) -> Iterator[str]:
    one: Any = line.rule
    checked = (say("rules", f"checked.{level}", locale) for level in one.source.confidence)
    yield from (one.id, say("rules", f"force.{one.force}", locale), one.pack, line.says)
    yield from (one.source.text, one.source.clause, " + ".join(checked))
    yield line.since.isoformat() if line.since else say("console", "rules.always", locale)
    yield line.last.isoformat() if line.last else ""
    yield str(len(one.cases))
    if line.spoken.code == "counted":
        yield from (str(line.spoken.loans), str(line.spoken.kept))
    else:
        yield from (say("console", f"spoken.{line.spoken.code}", locale), "")
