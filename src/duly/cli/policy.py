"""`duly policy`: is what the lender wants well said, right for everybody, and what changes?"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from duly.cli import arguments, output, settings
from duly.core.diagnostic import Diagnostic
from duly.core.words import say

if TYPE_CHECKING:
    from duly.book import Lender
    from duly.proofs.prove import Proof
    from duly.proofs.rerun import World

#: The hour of the business date at which a borrower of a refutation is decided.
_HOUR = 10


def check(
    name: Annotated[str, arguments.worded("option.policy")],
    /,
    *,
    at: Annotated[str | None, arguments.worded("option.law_at")] = None,
    lender: arguments.LenderFile = None,
    books: Annotated[Path | None, arguments.worded("option.books")] = None,
    seconds: Annotated[
        int, arguments.worded("option.question_seconds"), arguments.between(1, 600)
    ] = 10,
    json: arguments.Json = False,
) -> int:
    """Check a policy file or a built-in policy, then prove it."""
    from duly import book

    locale = settings.locale()
    whose = book.load_lender(settings.lender_file(lender))
    errors = _mistakes(name, whose)
    if errors:
        if json:
            output.as_json([_item(item, locale) for item in errors])
        else:
            output.diagnostics(errors, locale)
        unread = any(item.code == "unreadable" for item in errors)
        return output.REFUSED if unread else output.FOUND_WRONG
    with output.progress(say("cli", "proving", locale)):
        world = _world(name, whose, at)
        proof = _prove(name, world, seconds)
    if books is not None:
        _write_books(proof, world, books)
    if json:
        output.as_json(_data(proof, world, locale))
    else:
        _show(proof, world, locale)
    return output.DONE if proof.sound else output.FOUND_WRONG


def _mistakes(name: str, lender: Lender) -> Sequence[Diagnostic]:
    """Return what is wrong with a file before anything is proved: its text, or texts it sends."""
    from duly import policy
    from duly.core.errors import Refused
    from duly.messages import load_templates
    from duly.plan import sendable

    texts = load_templates(lender.templates)
    found = policy.check(name, templates=texts.names, demands=texts.demands)
    errors = [item for item in found if item.severity == "error"]
    if errors:
        return found
    read = policy.load(name, templates=texts.names, demands=texts.demands)
    try:
        sendable.check(read, policy.places_of(name), texts, lender)
    except Refused as refused:
        return refused.diagnostics
    return ()


def _world(name: str, lender: Lender, at: str | None) -> World:
    from duly.plan.making import wishes
    from duly.proofs.draft import Moment
    from duly.proofs.rerun import World
    from duly.rules.zones import zone

    local = zone(lender.time_zone)
    instant = datetime.now(local) if at is None else arguments.instant(at).astimezone(local)
    if at is None:
        instant = instant.replace(hour=_HOUR, minute=0, second=0, microsecond=0)
    moment = Moment(
        instant=instant, zone=local, lender_name=lender.name, jurisdiction=lender.licence
    )
    read, rules, catalogue = wishes(name, lender, moment.today)
    return World(
        policy=read, lender=lender, rules=rules, catalogue=catalogue, moment=moment,
        clock=time.perf_counter,
    )  # fmt: skip


def _prove(name: str, world: World, seconds: int) -> Proof:
    from duly import policy
    from duly.proofs.prove import prove

    return prove(world, policy.places_of(name), seconds=seconds)


def _show(proof: Proof, world: World, locale: str) -> None:
    from duly.proofs.story import told

    output.diagnostics(proof.notes, locale)
    for case in proof.cases:
        output.error(case.diagnostic.render(locale))
        for line in told(case, world.moment, locale):
            output.error(f"    {line}")
    seconds = f"{proof.seconds:.1f}"
    if proof.sound:
        sound = world.policy
        output.line(
            say("cli", "policy_sound", locale, name=sound.name, version=sound.version,
                treatments=len(sound.treatments), sha256=sound.fingerprint)
        )  # fmt: skip
        output.line(
            say("proofs", "proved", locale, seconds=seconds, questions=proof.questions,
                shown=proof.shown, limits=len(proof.limits))
        )  # fmt: skip
        return
    realized = sum(1 for case in proof.cases if case.realized)
    output.error(
        say("proofs", "refuted", locale, seconds=seconds, count=len(proof.cases),
            realized=realized)
    )  # fmt: skip


def _item(item: Diagnostic, locale: str) -> dict[str, Any]:
    return {
        "file": item.file,
        "line": item.line,
        "column": item.column,
        "code": item.code,
        "severity": item.severity,
        "message": item.sentence(locale),
        "hint": item.hint(locale),
    }


def _data(proof: Proof, world: World, locale: str) -> list[Mapping[str, Any]]:
    from duly.proofs.story import as_data

    notes = [_item(one, locale) for one in proof.notes]
    cases = [
        _item(case.diagnostic, locale)
        | {"realized": case.realized, "borrowers": as_data(case, world.moment, locale)}
        for case in proof.cases
    ]
    return [*notes, *cases]


def _write_books(proof: Proof, world: World, folder: Path) -> None:
    """Write each refutation's borrowers as books of one borrower, to be planned by anybody."""
    from duly.core.errors import Refused
    from duly.proofs.rerun import write_book

    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused(Diagnostic(area="plan", code="out_not_empty", values={"path": folder}))
    for place, case in enumerate(proof.cases, start=1):
        for one in case.people:
            name = f"{place:02d}-{case.diagnostic.code}-{one.borrower_id}"
            write_book(folder / name, [one.tables], world.moment)
