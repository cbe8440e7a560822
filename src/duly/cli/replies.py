"""`duly replies`: what borrowers answered, and the small model behind the reading."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from duly.cli import arguments, output, settings
from duly.core import files
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    from duly.replies import Reading, Row

STDIN = "-"


def read(
    file: Annotated[str, arguments.worded("option.replies", hyphen=True)],
    /,
    *,
    signals: Annotated[Path | None, arguments.named("--signals", "option.signals")] = None,
) -> int:
    """Read replies, one JSON object a line in and out."""
    from duly import replies

    if file.startswith("-") and file != STDIN:
        values = {"name": file, "near": "", "command": "duly replies read"}
        raise Refused(Diagnostic(area="cli", code="unknown_option", values=values))
    data = sys.stdin.buffer.read() if file == STDIN else Path(file).read_bytes()
    name = "stdin" if file == STDIN else file
    rows, wrong = replies.rows_of(data, name, senders=signals is not None)
    if wrong:
        raise Refused(*wrong)
    with output.progress(say("cli", "reading_replies", settings.locale())):
        readings = [replies.read(row.reply) for row in rows]
    if signals is not None:
        made = [
            signal
            for row, reading in zip(rows, readings, strict=True)
            if row.sender is not None
            for signal in replies.signals_of(reading, row.sender, row.reply.received_at).signals
        ]
        files.put(signals, replies.to_csv(made).encode())
    unicode = output.speaks_unicode()
    for row, reading in zip(rows, readings, strict=True):
        output.line(json.dumps(_told(row, reading), ensure_ascii=not unicode))
    return output.DONE


def _told(row: Row, reading: Reading) -> dict[str, Any]:
    """Return the contract's keys, then more about the same reading."""
    from duly.replies import tasks_of

    day = reading.promise_date
    owed = row.sender.owed if row.sender else None
    return {
        "id": reading.id,
        "intent": reading.intent,
        "promise_date": day.isoformat() if day else None,
        "amount": None if reading.amount is None else float(reading.amount),
        "vulnerable": reading.vulnerable,
        "confidence": float(reading.confidence),
        "promise_date_expr": reading.promise_date_expr,
        "date_confidence": reading.date_confidence,
        "secondary_intent": reading.secondary_intent,
        "needs_person": reading.needs_person,
        "fate": reading.fate,
        "tasks": list(tasks_of(reading, row.reply.received_at, owed=owed)),
        "words": list(reading.words),
    }


def train(*, out: arguments.Out) -> int:
    """Train the model of the replies from the corpus in the package."""
    out.mkdir(parents=True, exist_ok=True)  # What cannot be written is refused before the work.
    try:
        from duly.replies import model, training

        with output.progress(say("cli", "training_replies", settings.locale())):
            trained = training.train()
    except ModuleNotFoundError as missing:
        raise Refused(
            Diagnostic(area="replies", code="no_training", values={"module": missing.name})
        ) from None
    path = out / "model.bin"
    files.put(path, model.dumped(trained))
    output.line(
        say("cli", "replies_trained", settings.locale(), path=path,
            count=len(training.corpus()), sha256=trained.corpus_sha256)
    )  # fmt: skip
    return output.DONE
