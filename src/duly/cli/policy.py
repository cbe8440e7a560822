"""`duly policy`: is what the lender wants well said, right for everybody, and what changes?"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from duly.cli import arguments, output, settings
from duly.core.diagnostic import Diagnostic
from duly.core.words import say

if TYPE_CHECKING:
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
    from duly import policy
    from duly.messages import template_names

    locale = settings.locale()
    found = policy.check(name, templates=template_names())
    errors = [item for item in found if item.severity == "error"]
    if errors:
        if json:
            output.as_json([_item(item, locale) for item in found])
        else:
            output.diagnostics(found, locale)
        unread = any(item.code == "unreadable" for item in errors)
        return output.REFUSED if unread else output.FOUND_WRONG
    with output.progress(say("cli", "proving", locale)):
        world = _world(name, lender, at)
        proof = _prove(name, world, seconds)
    if books is not None:
        _write_books(proof, world, books)
    if json:
        output.as_json(_data(proof, world, locale))
    else:
        _show(proof, world, locale)
    return output.DONE if proof.sound else output.FOUND_WRONG


def _world(name: str, lender: Path | None, at: str | None) -> World:
    from duly import book, policy
    from duly.messages import template_names
    from duly.proofs.draft import Moment
    from duly.proofs.rerun import World
    from duly.rules import active, load_packs
    from duly.rules.zones import zone

    whose = book.load_lender(settings.lender_file(lender))
    local = zone(whose.time_zone)
    instant = datetime.now(local) if at is None else arguments.instant(at).astimezone(local)
    if at is None:
        instant = instant.replace(hour=_HOUR, minute=0, second=0, microsecond=0)
    moment = Moment(instant=instant, zone=local, lender_name=whose.name, jurisdiction=whose.licence)
    return World(
        policy=policy.load(name, templates=template_names()),
        lender=whose,
        rules=active(load_packs(whose.packs, door=False), moment.today),
        moment=moment,
        clock=time.perf_counter,
    )


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
