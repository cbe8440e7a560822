"""Was it done in time, and not too early? Terms by the calendar, the first day not counted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta

from duly.conditions import evaluate
from duly.rules import calendars
from duly.rules.calendars import UnknownYearError
from duly.rules.model import Rule, Span, Term, Verdict


def ask_term(rule: Rule, term: Term, facts: Mapping[str, object], today: date | None) -> Verdict:
    """Return whether a term is kept: block `late` after its end, `early` before its least.

    What is not done yet is judged by today. A year without announced working days blocks as
    `missing:calendar`.
    """
    if term.when is not None and evaluate(term.when, facts) is not True:
        return Verdict(rule_id=rule.id, effect="allow")
    begun = [as_date(facts.get(name)) for name in term.since]
    since = max((day for day in begun if day is not None), default=None)
    if since is None:
        return Verdict(rule_id=rule.id, effect="allow")
    done = as_date(facts.get(term.until)) or today
    if done is None:
        return Verdict(rule_id=rule.id, effect="block", reason="missing:at")
    try:
        if term.at_least is not None and done < ends_on(term, since, term.at_least):
            return Verdict(rule_id=rule.id, effect="block", reason="early")
        if term.at_most is not None and done > due_on(term, since, facts):
            return Verdict(rule_id=rule.id, effect="block", reason="late")
    except UnknownYearError:
        return Verdict(rule_id=rule.id, effect="block", reason="missing:calendar")
    return Verdict(rule_id=rule.id, effect="allow")


def due_on(term: Term, since: date, facts: Mapping[str, object]) -> date:
    """Return the last day of a term; the longer one where the borrower was told of it in time."""
    assert term.at_most is not None, "a term without an end is not due"
    due = ends_on(term, since, term.at_most)
    told = as_date(facts.get(term.told)) if term.told else None
    if term.extended is not None and told is not None and told <= due:
        return ends_on(term, since, term.extended)
    return due


def ends_on(term: Term, since: date, span: Span) -> date:
    """Return the day a span after another; an end on a rest day moves on where the term says so."""
    day = calendars.add_months(since, span.years * 12 + span.months)
    day = calendars.add_working_days(term.calendar, day, span.working_days)
    day += timedelta(days=span.days)
    if term.rolls and not calendars.is_working_day(term.calendar, day):
        day = calendars.add_working_days(term.calendar, day, 1)
    return day


def as_date(value: object) -> date | None:
    """Return a date or an ISO text of one as a date; None for anything empty."""
    if isinstance(value, date):
        return value
    return date.fromisoformat(value) if isinstance(value, str) and value else None
