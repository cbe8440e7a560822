"""`duly learn`: how many people an experiment needs, and what its arms did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

from duly import book as books
from duly.cli import arguments, output, settings
from duly.cli.book import opened_snapshot
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    import pyarrow as pa

    from duly.book import Snapshot
    from duly.learn.exposing import Planned
    from duly.learn.judging import Rules
    from duly.learn.observing import Observing
    from duly.learn.power import Design
    from duly.policy import Experiment

Chosen = Annotated[str | None, arguments.worded("option.experiment")]


def plan(
    policy: Annotated[str, arguments.worded("option.policy")],
    /,
    *,
    baseline: Annotated[str, arguments.worded("option.baseline")],
    experiment: Chosen = None,
    effect: Annotated[str | None, arguments.worded("option.effect")] = None,
    people: Annotated[int | None, arguments.worded("option.people")] = None,
    explained: Annotated[str, arguments.worded("option.explained")] = "0%",
    accept_under_powered: Annotated[
        bool, arguments.named("--accept-under-powered", "option.accept_under_powered")
    ] = False,
    json: arguments.Json = False,
) -> int:
    """Say how many people an experiment needs; refuse to start with too few."""
    from duly.learn import page, power
    from duly.policy import load

    locale, told = settings.locale(), dict[str, Any]()
    pages: list[Iterator[str]] = []
    for one in _chosen(load(policy).experiments, experiment):
        design = _design(one, baseline, effect, explained)
        found = (
            power.needed(design)
            if people is None
            else power.require(design, people, accepted=accept_under_powered)
        )
        least = None if people is None else power.detectable(design, people)
        told[one.id] = {**asdict(design), **asdict(found), "given": people, "detectable": least}
        pages.append(page.plan_lines(one.id, design, found, least, locale))
    if json:
        output.as_json({"experiments": told})
    else:
        output.line(page.joined(pages))
    return output.DONE


def _design(one: Experiment, baseline: str, effect: str | None, explained: str) -> Design:
    from duly.learn import power

    wanted = one.detect_basis_points
    if effect is not None:
        sign = -1 if effect.startswith("-") else 1
        wanted = sign * _basis_points(effect.lstrip("+-"))
    if wanted is None:
        raise Refused(Diagnostic(area="learn", code="effect_needed", values={"id": one.id}))
    return power.Design(
        baseline=_basis_points(baseline) / 10_000,
        effect=wanted / 10_000,
        shares={arm.name: arm.basis_points / 10_000 for arm in one.arms},
        control=one.control,
        variance_cut=_basis_points(explained) / 10_000,
    )


def _basis_points(text: str) -> int:
    from duly.policy.grammar import basis_points

    found = basis_points(text)
    if found is None:
        raise Refused(Diagnostic(area="learn", code="not_a_share", values={"value": text}))
    return found


def _chosen(experiments: Sequence[Experiment], wanted: str | None) -> list[Experiment]:
    from duly.conditions import nearest

    kept = [one for one in experiments if wanted is None or one.id == wanted]
    if not experiments:
        raise Refused(Diagnostic(area="learn", code="no_experiments"))
    if not kept:
        near = nearest(wanted or "", tuple(one.id for one in experiments))
        values = {"id": wanted, "suggestion": near}
        raise Refused(Diagnostic(area="learn", code="unknown_experiment", values=values))
    return kept


def report(
    plans: Annotated[list[Path], arguments.worded("option.plans")],
    /,
    *,
    book: arguments.Book,
    as_of: Annotated[str | None, arguments.worded("option.known_until")] = None,
    experiment: Chosen = None,
    stops: Annotated[Path | None, arguments.worded("option.stops")] = None,
    lender: arguments.LenderFile = None,
    json: arguments.Json = False,
) -> int:
    """Say what the arms of experiments did, by what a book knows; 1 where one must end."""
    from duly.learn import judging, page

    locale = settings.locale()
    with _seen(plans, book, as_of, experiment, lender) as (rules, entered, seen, day):
        found = [judging.judge(one, entered, seen) for one in rules]
    ended = [] if stops is None else _end(stops, found)
    if json:
        output.as_json({"as_of": day.isoformat(), "experiments": found, "ended": ended})
    else:
        output.line(say("learn", "as_of", locale, date=day))
        output.line(page.joined([page.report_lines(one, locale) for one in found]))
        for row in ended:
            output.line(say("learn", "ended", locale, path=stops, **row))
    wrong = any(one["mismatched"] or judging.stops(one) for one in found)
    return output.FOUND_WRONG if wrong else output.DONE


def value(
    plans: Annotated[list[Path], arguments.worded("option.plans")],
    /,
    *,
    book: arguments.Book,
    experiment: Annotated[str, arguments.worded("option.experiment")],
    give: Annotated[str, arguments.worded("option.give")],
    as_of: Annotated[str | None, arguments.worded("option.known_until")] = None,
    lender: arguments.LenderFile = None,
    json: arguments.Json = False,
) -> int:
    """Say what a policy would be worth that was never run, by what was drawn."""
    from duly.learn import judging, page

    pairs = [one.partition("=") for one in arguments.by_commas(give)]
    given = {band.strip(): arm.strip() for band, _, arm in pairs}
    with _seen(plans, book, as_of, experiment, lender) as (rules, entered, seen, day):
        found = judging.value(rules[0], entered, seen, given)
    if json:
        output.as_json({"as_of": day.isoformat(), **found})
    else:
        output.line(page.joined([page.value_lines(found, settings.locale())]))
    return output.DONE


@contextmanager
def _seen(
    plans: Sequence[Path],
    book: Path,
    as_of: str | None,
    experiment: str | None,
    lender: Path | None,
) -> Iterator[tuple[list[Rules], pa.Table, Observing, date]]:
    """Give what is judged, who entered, and a book as of the last day that counts."""
    from duly.learn import exposing
    from duly.learn.observing import Observing

    terms = books.load_lender(settings.lender_file(lender))
    told = say("cli", "judging", settings.locale())
    with (
        output.progress(told),
        opened_snapshot(book, terms, settings.locale(), tells=True) as taken,
    ):
        read = [_planned(one) for one in plans]
        rules = _rules(read, experiment)
        entered = exposing.entries(read)
        day = _known_until(taken, as_of, terms.time_zone)
        yield rules, entered, Observing(taken, as_of=day, time_zone=terms.time_zone), day


def _end(path: Path, found: Sequence[dict[str, Any]]) -> list[dict[str, str]]:
    """Add the arms that must end to the lender's file; return those that were not there yet."""
    from duly.learn import judging
    from duly.policy import Stop, add_stops

    new = add_stops(
        path,
        [
            Stop(experiment=name, arm=arm, harm=harm,
                 on=(date(1970, 1, 1) + timedelta(days=day)).isoformat())
            for one in found
            for name, arm, harm, day in judging.stops(one)
        ],
    )  # fmt: skip
    return [asdict(one) for one in new]


def _rules(read: Sequence[Planned], wanted: str | None) -> list[Rules]:
    """Return what is judged: the experiments that plans declare, and the holdout."""
    from duly.learn import exposing, judging

    declared = exposing.declared(read)
    latest = max(read, key=lambda one: one.business_date).policy
    if latest.holdout is not None and wanted in (None, exposing.HOLDOUT):
        held = [judging.rules_of_holdout(latest.holdout)]
        if wanted is not None or not declared:
            return held
    else:
        held = []
    chosen = _chosen(tuple(declared.values()), wanted)
    return [*(judging.rules_of(one, exposing.ended_on(read, one.id)) for one in chosen), *held]


def _planned(folder: Path) -> Planned:
    """Return what a plan recorded; refuse a directory that holds none."""
    from duly.learn.exposing import Planned
    from duly.plan import kept
    from duly.plan.replay import read_table
    from duly.policy import load, read_stops, with_stops

    run, policy = kept.read_run(folder), load(str(folder / "inputs" / "policy.yaml"))
    stops = folder / "inputs" / kept.STOPS
    return Planned(
        business_date=date.fromisoformat(str(run["business_date"])),
        policy=with_stops(policy, read_stops(stops)) if stops.exists() else policy,
        decisions=read_table(folder, "decisions"),
        positions=read_table(folder, "positions"),
    )


def _known_until(taken: Snapshot, asked: str | None, time_zone: str) -> date:
    """Return the last day of which the book knows everything, or an earlier one that is asked."""
    if taken.cut_at is None:
        if asked is None:
            raise Refused(Diagnostic(area="learn", code="day_needed"))
        return arguments.day(asked)
    cut = taken.cut_at if taken.cut_at.tzinfo else taken.cut_at.replace(tzinfo=UTC)
    last = (cut.astimezone(ZoneInfo(time_zone)) - timedelta(days=1)).date()
    if asked is None:
        return last
    if arguments.day(asked) > last:
        values = {"asked": asked, "last": last}
        raise Refused(Diagnostic(area="learn", code="book_ends_earlier", values=values))
    return arguments.day(asked)
