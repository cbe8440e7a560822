"""`duly risk`: learn from a book who pays by themselves, and say it of each loan on a day."""

from __future__ import annotations

import csv
import io
from dataclasses import asdict
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from duly import book as books
from duly.cli import arguments, output, settings
from duly.cli.book import opened_snapshot
from duly.core import files
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    from duly.book import Lender
    from duly.risk.apart import Apart
    from duly.risk.feature_table import Family
    from duly.risk.model import Model

_DIGITS = 6  #: of a probability
_APART = (
    "as_of", "loan_id", "ability", "ability_words", "ability_reasons", "willingness",
    "willingness_words", "willingness_reasons",
)  # fmt: skip
_COLUMNS = ("as_of", "loan_id", "number", "question", "probability", "reasons")


def train(
    book: arguments.Book,
    /,
    *,
    out: arguments.Out,
    until: Annotated[str | None, arguments.worded("option.until")] = None,
    owner: Annotated[str | None, arguments.worded("option.owner")] = None,
    relations: Annotated[bool, arguments.named("--relations", "option.relations")] = False,
    label: Annotated[str | None, arguments.worded("option.label")] = None,
    without: Annotated[str, arguments.worded("option.without")] = "",
    lender: arguments.LenderFile = None,
) -> int:
    """Learn from a book, or with --label from a flat file, and write a model and its card."""
    locale, terms = settings.locale(), books.load_lender(settings.lender_file(lender))
    try:
        with output.progress(say("cli", "training_risk", locale)):
            if label is not None:
                model, card = _of_table(book, label, arguments.by_commas(without))
            elif until is None:
                raise Refused(Diagnostic(area="risk", code="until_needed"))
            else:
                model, card = _of_book(book, arguments.day(until), terms, relations=relations)
    except ModuleNotFoundError as missing:
        values = {"module": missing.name}
        raise Refused(Diagnostic(area="risk", code="no_training", values=values)) from None
    card["owner"] = owner or terms.name
    _write_model(out, model, card, locale)
    output.line(say("cli", "risk_trained", locale, path=out, sha256=card["fingerprint"]))
    _say_measures(card, locale)
    return output.DONE


def _of_book(
    book: Path, until: date, terms: Lender, *, relations: bool
) -> tuple[bytes, dict[str, Any]]:
    from duly.risk import card as cards
    from duly.risk import model, training
    from duly.risk.feature_table import FAMILIES

    families: tuple[Family, ...] = (*FAMILIES, "relations") if relations else FAMILIES
    with opened_snapshot(book, terms, settings.locale(), tells=True) as taken:
        found = training.train(taken, until, time_zone=terms.time_zone, families=families)
    made = model.dump(
        kind="book", until=until.isoformat(), families=families, scale=found.scale,
        answers=found.answers,
    )  # fmt: skip
    card = {
        "fingerprint": model.fingerprint(made),
        "expires": cards.expiry(until).isoformat(),
        "data": f"book {taken.book_sha256}",
        "until": until.isoformat(),
        "relations": relations,
        "questions": {
            name: cards.told(one, found.rows[name], [training.day_of(day) for day in one.split])
            for name, one in found.fitted.items()
        },
        "skipped": {
            name: {"rows": why.rows, "came": why.came} for name, why in found.skipped.items()
        },
        "groups": {
            name: {group: asdict(one) for group, one in groups.items()}
            for name, groups in found.groups.items()
        },
        "fairness": {
            name: {
                by: {group: asdict(one) for group, one in groups.items()}
                for by, groups in told.items()
            }
            for name, told in found.fairness.items()
        },
    }
    return made, card


def _of_table(path: Path, label: str, without: list[str]) -> tuple[bytes, dict[str, Any]]:
    from duly.core import digest
    from duly.risk import card as cards
    from duly.risk import model, table
    from duly.risk.features import Scale

    columns, values, came = table.read_table(path, label=label, without=without)
    found = table.train_table(values, came)
    answer = model.Answer(
        columns=columns,
        forest=found.forest,
        slope=found.calibration.slope,
        shift=found.calibration.shift,
        steps=found.calibration.steps,
    )
    made = model.dump(
        kind="table", until="", families=(), scale=Scale(principal={}, products=()),
        answers={label: answer},
    )  # fmt: skip
    card = {
        "fingerprint": model.fingerprint(made),
        "expires": "",
        "data": f"table {digest.of_file(path)}",
        "until": "",
        "relations": False,
        "questions": {label: cards.told(found, came.size, ("-", "-"))},
        "skipped": {},
        "groups": {},
    }
    return made, card


def score(
    book: arguments.Book,
    /,
    *,
    model: Annotated[Path, arguments.worded("option.model")],
    out: arguments.Out,
    as_of: Annotated[list[str] | None, arguments.worded("option.as_of")] = None,
    can_and_wants: Annotated[
        Path | None, arguments.named("--can-and-wants", "option.can_and_wants")
    ] = None,
    lender: arguments.LenderFile = None,
) -> int:
    """Write the probability of each question for each loan on each day."""
    from duly.risk import model as models

    locale, terms = settings.locale(), books.load_lender(settings.lender_file(lender))
    days = [arguments.day(one) for one in as_of or ()]
    used = models.load(model)
    with output.progress(say("cli", "scoring_risk", locale)):
        if used.kind == "table":
            if can_and_wants is not None:
                raise Refused(Diagnostic(area="risk", code="not_apart"))
            made = [(out, _rows_of_table(book, used))]
        else:
            told = _rows_of_book(book, used, days, terms, locale if can_and_wants else None)
            made = list(zip((out, can_and_wants or out), told, strict=False))
    for path, (head, lines) in made:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(head)
        writer.writerows(lines)
        files.put(path, text.getvalue().encode())
    rows = made[0][1][1]
    output.line(say("cli", "risk_scored", locale, rows=len(rows), out=out))
    return output.DONE


_Rows = tuple[tuple[str, ...], list[tuple[object, ...]]]


def _rows_of_book(
    book: Path, used: Model, days: list[date], terms: Lender, words: str | None
) -> list[_Rows]:
    """Return the scores, and with the locale of `words` ability and willingness apart."""
    from duly.risk import training
    from duly.risk.apart import apart

    if not days:
        raise Refused(Diagnostic(area="risk", code="day_needed"))
    with opened_snapshot(book, terms, settings.locale(), tells=True) as taken:
        found = training.score(taken, used, days, time_zone=terms.time_zone)
        both = apart(taken, used, days, time_zone=terms.time_zone) if words else []
    scores: list[tuple[object, ...]] = [
        (one.as_of, one.loan_id, one.number, one.question,
         f"{one.probability:.{_DIGITS}f}", one.reasons)
        for one in found
    ]  # fmt: skip
    made: list[_Rows] = [(_COLUMNS, scores)]
    if words:
        made.append((_APART, [_both(one, words) for one in both]))
    return made


def _both(one: Apart, locale: str) -> tuple[object, ...]:
    cells: list[object] = [one.as_of, one.loan_id]
    for side, said in (("ability", one.ability), ("willingness", one.willingness)):
        names = [
            f"{reason[0]} {say('risk', f'feature.{reason[1:]}', locale)}" for reason in said.reasons
        ]
        known = "" if said.sign == "not_known" else f"{said.chance:.{_DIGITS}f}"
        cells += [known, say("risk", f"{side}.{said.sign}", locale), "; ".join(names)]
    return tuple(cells)


def _rows_of_table(path: Path, used: Model) -> _Rows:
    from duly.risk import table

    rows: list[tuple[object, ...]] = []
    for question, answer in used.answers.items():
        values = table.read_rows(path, answer.columns)
        said, reasons = answer.probability(values), answer.reasons(values)
        rows += [
            (at + 1, question, f"{said[at]:.{_DIGITS}f}", reasons[at]) for at in range(said.size)
        ]
    return ("row", *_COLUMNS[3:]), rows


def report(
    model: Annotated[Path, arguments.worded("option.model")],
    /,
    *,
    json: arguments.Json = False,
) -> int:
    """Print the card of a model."""
    from duly.risk import card as cards
    from duly.risk import model as models

    used, card = models.load(model), cards.read(model)
    if card["fingerprint"] != used.fingerprint:
        raise Refused(Diagnostic(area="risk", code="model_altered", file=str(model / cards.FILE)))
    if json:
        output.as_json(card)
    else:
        output.line(cards.page(card, settings.locale()))
    return output.DONE


def promote(
    model: Annotated[Path, arguments.worded("option.model")],
    /,
    *,
    registry: Annotated[Path, arguments.worded("option.registry")],
    by: Annotated[str, arguments.worded("option.by")],
) -> int:
    """Approve a model; a second person's approval makes it the champion."""
    from duly.risk import registry as registries

    today = datetime.now(UTC).date()
    made = registries.approve(registry, model, by=by, on=today)
    output.line(
        say("cli", f"risk_{made['role']}", settings.locale(), sha256=made["fingerprint"],
            names=", ".join(one["by"] for one in made["approved"]))
    )  # fmt: skip
    return output.DONE


def _say_measures(card: dict[str, Any], locale: str) -> None:
    for name, one in card["questions"].items():
        output.line(
            say("cli", "risk_measured", locale, question=name, auc=f"{one['auc']:.4f}",
                ks=f"{one['ks']:.4f}", brier=f"{one['brier']:.4f}", rows=one["judged_rows"])
        )  # fmt: skip
    for name, why in card["skipped"].items():
        output.line(say("cli", "risk_skipped", locale, question=name, **why))


def _write_model(out: Path, model: bytes, card: dict[str, Any], locale: str) -> None:
    """Write a model and its card whole, into a directory that holds nothing else."""
    from duly.plan.write import write_whole
    from duly.risk import card as cards
    from duly.risk.model import FILE

    made = {FILE: model, **cards.files(card, locale)}

    def fill(half: Path) -> None:
        for name, data in made.items():
            (half / name).write_bytes(data)

    write_whole(out, fill, ours=frozenset(made))
