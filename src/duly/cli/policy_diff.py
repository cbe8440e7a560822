"""`duly policy diff`: what another policy changes, in words and in loans, harm first."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

from duly.cli import arguments, output, settings
from duly.core.words import say

if TYPE_CHECKING:
    from duly.policy import Policy
    from duly.proofs.moved import Group, Moves, Transition
    from duly.proofs.wording import Change

#: How many loans are named on a page; JSON names all.
_NAMED = 10
_TRANSITIONS = 12


def diff(
    old: Annotated[str, arguments.worded("option.old_policy")],
    new: Annotated[str, arguments.worded("option.new_policy")],
    book: arguments.Book,
    /,
    *,
    at: Annotated[str | None, arguments.worded("option.at")] = None,
    lender: arguments.LenderFile = None,
    threads: arguments.Threads = 0,
    json: arguments.Json = False,
) -> int:
    """Compare two policies: their parts, and the plans of one book under each."""
    from duly import book as books
    from duly.cli.book import opened_snapshot
    from duly.plan.making import wishes
    from duly.proofs import moved, wording
    from duly.risk.registry import champion
    from duly.rules.zones import zone

    locale = settings.locale()
    whose = books.load_lender(settings.lender_file(lender))
    local = zone(whose.time_zone)
    instant = datetime.now(local) if at is None else arguments.instant(at)
    instant = instant.replace(microsecond=0)
    today = instant.astimezone(local).date()
    before, rules, catalogue = wishes(old, whose, today)
    after, _, _ = wishes(new, whose, today)
    with (
        output.progress(say("cli", "diffing", locale)),
        opened_snapshot(book, whose, locale, tells=False) as snapshot,
    ):
        found = moved.compare(
            before, after, snapshot=snapshot, lender=whose, instant=instant, threads=threads,
            rules=rules, catalogue=catalogue, clock=time.perf_counter,
            champion=champion(whose.models),
        )  # fmt: skip
    changes = wording.changes(before, after)
    if json:
        output.as_json(_data(before, after, today.isoformat(), changes, found, locale))
    else:
        _show(changes, found, locale)
    return output.DONE


def _show(changes: Sequence[Change], found: Moves, locale: str) -> None:
    def words(key: str, **values: object) -> str:
        return say("proofs", f"diff.{key}", locale, **values)

    output.line(words("words", count=len(changes)))
    for change in changes:
        output.line("  " + change.sentence(locale))
    if not changes:
        output.line("  " + words("same"))
    output.line()
    output.line(words("loans", moved=found.moved, loans=found.loans))
    from duly.proofs.moved import HARM, LESS

    titles = (("harm", HARM), ("less", LESS), ("other", ("changed",)))
    for title, kinds in titles:
        groups = [group for group in found.groups if group.kind in kinds]
        output.line()
        output.line(words(title))
        if not groups:
            output.line("  " + words("nobody"))
        for group in groups:
            _show_group(group, locale)


def _show_group(group: Group, locale: str) -> None:
    count, borrowers = len(group.loan_ids), group.borrowers
    text = say("proofs", f"moved.{group.kind}", locale)
    output.line(
        "  " + say("proofs", "diff.group", locale, text=text, loans=count, borrowers=borrowers)
    )
    for one in group.transitions[:_TRANSITIONS]:
        output.line(f"    {one.loans:>8}  {_told(one.before)} → {_told(one.after)}")
    rest = group.transitions[_TRANSITIONS:]
    if rest:
        more = say("proofs", "diff.more", locale, count=sum(one.loans for one in rest))
        output.line(f"    {more}")
    named = ", ".join(group.loan_ids[:_NAMED]) + (", …" if count > _NAMED else "")
    output.line("    " + say("proofs", "diff.named", locale, loans=named))


def _told(parts: tuple[str | None, ...]) -> str:
    return " · ".join(part for part in parts if part)


def _data(
    old: Policy,
    new: Policy,
    today: str,
    changes: Sequence[Change],
    found: Moves,
    locale: str,
) -> Mapping[str, Any]:
    from duly.proofs.moved import HARM, LESS

    def group(one: Group) -> Mapping[str, Any]:
        return {
            "kind": one.kind,
            "meaning": say("proofs", f"moved.{one.kind}", locale),
            "loans": len(one.loan_ids),
            "borrowers": one.borrowers,
            "transitions": [_transition(each) for each in one.transitions],
            "loan_ids": list(one.loan_ids),
        }

    return {
        **{
            side: {"name": one.name, "version": one.version, "sha256": one.fingerprint}
            for side, one in (("old", old), ("new", new))
        },
        "business_date": today,
        "changes": [
            {"code": one.code, **one.values, "message": one.sentence(locale)} for one in changes
        ],
        "loans": found.loans,
        "moved": found.moved,
        "harm": [group(one) for one in found.groups if one.kind in HARM],
        "less": [group(one) for one in found.groups if one.kind in LESS],
        "other": [group(one) for one in found.groups if one.kind == "changed"],
    }


def _transition(one: Transition) -> Mapping[str, Any]:
    names = ("decision", "reason", "tone", "channel")
    return {
        "from": dict(zip(names, one.before, strict=True)),
        "to": dict(zip(names, one.after, strict=True)),
        "loans": one.loans,
    }
