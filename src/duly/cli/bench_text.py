"""`duly bench text`: how well and how fast texts are read.

Messages are measured on the corpora that ship and on a file of your own, replies on a file of your
own; how fast replies are read is measured on the corpus of the small model.
"""

from __future__ import annotations

import json as json_lines
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from duly.cli import arguments, output, settings
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    from duly.messages.lint import Labelled, Scores
    from duly.replies import Label, Reply

_One = TypeVar("_One")
#: Long enough for a steady figure, short enough for a person who waits.
_SECONDS = 1.0
_RENDERED = 20_000
#: So many texts are read again and again to tell how fast: every nth of what there is.
_TIMED_MAX = 600


def text(
    *,
    messages: Annotated[Path | None, arguments.named("--messages", "option.bench_messages")] = None,
    replies: Annotated[Path | None, arguments.named("--replies", "option.bench_replies")] = None,
    json: arguments.Json = False,
) -> int:
    """Score the lint and the reply reader on labelled texts and print texts a second."""
    labelled = _labelled(replies) if replies is not None and replies.exists() else None
    told = _messages(messages) | _replies(str(replies or "replies"), labelled)
    if json:
        output.as_json(told)
        return output.DONE
    locale = settings.locale()
    for name, scores in told["messages"].items():
        if "skipped" in scores:
            output.line(say("cli", "bench_skipped", locale, name=name))
            continue
        output.line(say("cli", "bench_scores", locale, name=name, **_shown(scores)))
        labels = ", ".join(
            f"{label} {_shown({'x': f1})['x']}" for label, f1 in scores["f1"].items()
        )
        output.line(say("cli", "bench_labels", locale, labels=labels))
    ratio = f"{told['lint_to_copying']:.1f}"
    output.line(say("cli", "bench_speed", locale, **_shown(told["texts_per_second"]), ratio=ratio))
    for name, figures in told["replies"].items():
        if "skipped" in figures:
            output.line(say("cli", "bench_skipped", locale, name=name))
            continue
        shown = _shares(figures)
        output.line(say("cli", "bench_replies", locale, name=name, **shown))
        output.line(say("cli", "bench_dangerous", locale, **shown))
    speed, ratio = told["replies_per_second"], f"{told['replies_to_copying']:.1f}"
    output.line(say("cli", "bench_replies_speed", locale, replies=speed, ratio=ratio))
    return output.DONE


def _messages(file: Path | None) -> dict[str, Any]:
    from duly.messages.lint import corpora

    sets: dict[str, Sequence[Labelled]] = dict(corpora())
    told: dict[str, Any] = {}
    if file is not None and not file.exists():
        told[str(file)] = {"skipped": True}
    elif file is not None:
        sets = {str(file): _read(file)} | sets
    with output.progress("bench"):
        told |= {name: _as_json(_scored(rows)) for name, rows in sets.items()}
        texts = _some([row.message for rows in sets.values() for row in rows])
        from duly.messages.lint import lint

        free = _a_second(lambda: [lint(one) for one in texts], len(texts))
        rendered = _a_second(_rendering(), _RENDERED)
        least = _copying([one.text for one in texts])
    return {
        "messages": told,
        "texts_per_second": {"free": free, "rendered": rendered},
        "lint_to_copying": round(least / free, 1),
    }


def _replies(name: str, labelled: Sequence[tuple[Label, Reply]] | None) -> dict[str, Any]:
    """Return the figures of labelled replies, skipped where there are none."""
    from duly.replies import Reply, read, score, values
    from duly.replies.training import RECEIVED_AT, corpus

    told = dict[str, Any]()
    with output.progress("bench"):
        if labelled is None:
            told[name] = {"skipped": True}
        else:
            told[name] = values(score((label, read(one)) for label, one in labelled))
        texts = [
            Reply(id=str(at), text=one.text, lang=one.lang, received_at=RECEIVED_AT)
            for at, one in enumerate(_some(corpus()))
        ]
        speed = _a_second(lambda: [read(one) for one in texts], len(texts))
        least = _copying([one.text for one in texts])
    return {
        "replies": told,
        "replies_per_second": speed,
        "replies_to_copying": round(least / speed, 1),
    }


def _labelled(file: Path) -> list[tuple[Label, Reply]]:
    from duly.replies import label_of, rows_of

    rows, wrong = rows_of(file.read_bytes(), str(file))
    if wrong:
        raise Refused(*wrong)
    return [(label_of(row.held), row.reply) for row in rows if "intent" in row.held]


def _shares(figures: Mapping[str, Any]) -> dict[str, object]:
    """Return counts as people read them: how many of how many, and the share."""
    return {
        name: f"{value['share']:.3f} ({value['right']}/{value['of']})"
        if isinstance(value, dict) and value.get("share") is not None
        else "-" if isinstance(value, dict) or value is None
        else f"{value:.3f}" if isinstance(value, float) else value
        for name, value in figures.items()
    }  # fmt: skip


def _read(file: Path) -> Sequence[Labelled]:
    from duly.messages.lint import labelled, read_messages

    asked, _ = read_messages(file.read_bytes(), str(file))
    return labelled(one.row for one in asked if "labels" in one.row)


def _scored(rows: Sequence[Labelled]) -> Scores:
    from duly.messages.lint import labels_of, lint, score

    return score((row, labels_of(lint(row.message))) for row in rows)


def _as_json(scores: Scores) -> dict[str, Any]:
    found = scores.any_violation
    figures = {
        "precision": found.precision,
        "recall": found.recall,
        "any_f1": found.f1,
        "content_f1": scores.content_f1,
        "missing_f1": scores.missing_f1,
        "missing_without_optout_f1": scores.missing_without_opt_out_f1,
    }
    return {
        "rows": scores.rows,
        "exact": scores.exact,
        **{name: _rounded(value) for name, value in figures.items()},
        "false_alarms": scores.false_alarms,
        "lawful_firm": scores.lawful_firm,
        "polite_found": scores.polite_found,
        "polite_unlawful": scores.polite_unlawful,
        "f1": {label: _rounded(counts.f1) for label, counts in scores.labels.items()},
    }


def _rounded(value: Fraction | None) -> float | None:
    return None if value is None else round(float(value), 4)


def _shown(values: Mapping[str, Any]) -> dict[str, object]:
    return {
        name: f"{value:.3f}" if isinstance(value, float) else "-" if value is None else value
        for name, value in values.items()
    }


def _a_second(work: Callable[[], object], size: int) -> int:
    """Return how many of `size` texts one processor does in a second of its own time."""
    work()  # What is read once is read before the watch runs.
    rounds, start = 0, time.process_time()
    while time.process_time() - start < _SECONDS:
        work()
        rounds += 1
    return int(rounds * size / (time.process_time() - start))


def _some(several: Sequence[_One]) -> list[_One]:
    """Return at most so many of them, spread evenly over all."""
    return list(several[:: max(1, -(-len(several) // _TIMED_MAX))])


def _copying(texts: Sequence[str]) -> int:
    """Return how many of these texts a second are read as a line of JSON and written back.

    No filter of JSON lines does less, so a ratio to it says what the reading itself costs, on any
    machine and beside any neighbor.
    """
    lines = [json_lines.dumps({"id": str(at), "text": one}) for at, one in enumerate(texts)]
    return _a_second(lambda: [json_lines.dumps(json_lines.loads(one)) for one in lines], len(lines))


def _rendering() -> Callable[[], object]:
    """Return the work of writing messages of every template, checked as in a plan."""
    from duly.book import load_lender
    from duly.messages import render_table

    lender = load_lender(None)
    day = date(2026, 3, 20)
    columns: dict[str, list[Any]] = {
        "message_id": [f"m-{n}" for n in range(_RENDERED)],
        "template": ["overdue", "first_late"] * (_RENDERED // 2),
        "locale": ["zh-CN"] * _RENDERED,
        "channel": ["sms"] * _RENDERED,
        "tone": ["plain"] * _RENDERED,
        "name": ["张三", "李四", "王五", "赵六"] * (_RENDERED // 4),
        "loan_ids": [(f"L{n:06}",) for n in range(_RENDERED)],
        "currency": ["CNY"] * _RENDERED,
        "overdue_total": [70_000 + n for n in range(_RENDERED)],
        "overdue_principal": [70_000 + n for n in range(_RENDERED)],
        "days_past_due": [1 + n % 60 for n in range(_RENDERED)],
        "overdue_since": [day - timedelta(days=1 + n % 60) for n in range(_RENDERED)],
        "as_of": [day] * _RENDERED,
        "as_of_time": ["09:30"] * _RENDERED,
        "accrues": [False] * _RENDERED,
    }
    zeros = ("overdue_interest", "overdue_fee", "late_charge", "next_due_amount")
    columns |= {name: [0] * _RENDERED for name in zeros} | {"next_due_on": [None] * _RENDERED}
    return lambda: render_table(columns, lender)
