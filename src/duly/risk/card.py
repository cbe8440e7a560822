"""The model card: from what, until when, how good, for whom, whose, and when it ends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from math import isfinite
from pathlib import Path
from typing import Any

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say
from duly.risk.fitting import Fitted

FILE, PAGE, PLOT = "card.json", "card.md", "calibration.svg"
VALID_DAYS = 365  #: after the last day learnt from
_SIDE, _EDGE = 260, 36
_COLORS = ("#1f77b4", "#d62728", "#2ca02c", "#9467bd")


def told(fitted: Fitted, rows: int, split: Sequence[object]) -> dict[str, Any]:
    """Return one question's part of a card."""
    measured, calibration = fitted.measured, fitted.calibration
    return {
        "rows": rows,
        "calibrated_from": str(split[0]),
        "judged_from": str(split[1]),
        **{
            name: round(value, 6) if isinstance(value, float) else value
            for name, value in asdict(measured).items()
            if name != "rows"
        },
        "judged_rows": measured.rows,
        "calibration": {
            "kind": calibration.kind,
            "brier_logistic": _or_none(calibration.brier_logistic),
            "brier_steps": _or_none(calibration.brier_steps),
        },
    }


def _or_none(value: float) -> float | None:
    return round(value, 6) if isfinite(value) else None


def expiry(until: date) -> date:
    """Return the last day on which a model may be used."""
    return until + timedelta(days=VALID_DAYS)


def read(folder: Path) -> dict[str, Any]:
    """Return the card of a model's directory; refuse (Refused) one that holds none."""
    path = folder / FILE
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(found["questions"], dict)
    except (OSError, ValueError, KeyError, TypeError):
        raise Refused(Diagnostic(area="risk", code="no_model", file=str(path),
                                 values={"why": FILE})) from None  # fmt: skip
    return found


def files(card: Mapping[str, Any], locale: str) -> dict[str, bytes]:
    """Return the files of a card: for programs, for people, and the plot."""
    return {
        FILE: (json.dumps(card, ensure_ascii=False, indent=1) + "\n").encode(),
        PAGE: page(card, locale).encode(),
        PLOT: plot(card["questions"]).encode(),
    }


def page(card: Mapping[str, Any], locale: str) -> str:
    """Return the card as Markdown."""

    def word(key: str, **values: object) -> str:
        return say("risk", f"card.{key}", locale, **values)

    lines = [f"# {word('title', until=card['until'])}", ""]
    lines += [
        f"- {word(name)}: {card[name]}"
        for name in ("owner", "expires", "fingerprint", "data", "until", "relations")
    ]
    lines += ["", word("split"), "", word("head"), "|---|---|---|---|---|---|---|---|---|"]
    for name, one in card["questions"].items():
        lines.append(
            f"| {name} | {one['rows']} | {one['judged_from']} | {one['came']:.3f} |"
            f" {one['auc']:.4f} | {one['ks']:.4f} | {one['brier']:.4f} | {one['psi']:.4f} |"
            f" {say('risk', f'question.{name}', locale) if name in _ASKED else name} |"
        )
    for name, why in card["skipped"].items():
        lines += ["", word("skipped", question=name, **why)]
    lines += ["", f"## {word('calibration')}", "", f"![{word('calibration')}]({PLOT})", ""]
    for name, one in card["questions"].items():
        lines += [f"### {name}", "", *_curve(one.get("calibration"), word)]
        lines += [word("bins"), "|---|---|---|"]
        lines += [f"| {b['rows']} | {b['said']:.4f} | {b['came']:.4f} |" for b in one["bins"]]
        lines.append("")
    lines += [f"## {word('fairness')}", "", word("fairness_why"), "", word("groups"),
              "|---|---|---|---|---|"]  # fmt: skip
    for name, groups in card["groups"].items():
        lines += [
            f"| {name} | {group} | {one['rows']} | {one['said']:.4f} | {one['came']:.4f} |"
            for group, one in groups.items()
        ]
    lines += _people(card.get("fairness", {}), word)
    return "\n".join(lines) + "\n"


def _curve(told: Mapping[str, Any] | None, word: Callable[..., str]) -> list[str]:
    """Return which curve calibrates and by what it was chosen; earlier cards do not say."""
    if told is None:
        return []
    if told["brier_steps"] is None:
        return [word("curve_alone"), ""]
    plain, steps = (f"{told[name]:.6f}" for name in ("brier_logistic", "brier_steps"))
    return [word(f"curve_{told['kind']}", logistic=plain, steps=steps), ""]


def _people(fairness: Mapping[str, Any], word: Callable[..., str]) -> list[str]:
    """Return the gaps of groups of people; cards of earlier releases have none."""
    lines = [
        f"| {name} | {word(f'by_{by}')} | {group} | {one['people']} | {one['said']:.4f} |"
        f" {one['came']:.4f} | {one['gap']:+.4f} ({one['low']:+.4f}, {one['high']:+.4f}) |"
        f" {word('off') if one['off'] else ''} |"
        for name, told in fairness.items()
        for by, groups in told.items()
        for group, one in groups.items()
    ]
    return ["", word("people"), "|---|---|---|---|---|---|---|---|", *lines] if lines else []


_ASKED = ("next_late", "cure_7", "cure_15", "cure_30")


def plot(questions: Mapping[str, Any]) -> str:
    """Return the calibration as SVG: what was said to the right, what came upwards."""

    def place(said: float, came: float) -> str:
        return f"{_EDGE + said * _SIDE:.1f},{_EDGE + (1 - came) * _SIDE:.1f}"

    whole = _SIDE + 2 * _EDGE
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole + 90} {whole}"'
        ' font-family="sans-serif" font-size="11">',
        f'<rect x="{_EDGE}" y="{_EDGE}" width="{_SIDE}" height="{_SIDE}" fill="none"'
        ' stroke="#888"/>',
        f'<polyline points="{place(0, 0)} {place(1, 1)}" stroke="#bbb" fill="none"/>',
    ]
    for tenth in (0, 5, 10):
        x, y = place(tenth / 10, 0).split(",")
        parts.append(f'<text x="{x}" y="{float(y) + 14}" text-anchor="middle">{tenth * 10}%</text>')
        x, y = place(0, tenth / 10).split(",")
        parts.append(f'<text x="{float(x) - 4}" y="{y}" text-anchor="end">{tenth * 10}%</text>')
    for row, (name, one) in enumerate(questions.items()):
        color = _COLORS[row % len(_COLORS)]
        points = [place(b["said"], b["came"]) for b in one["bins"]]
        parts.append(f'<polyline points="{" ".join(points)}" stroke="{color}" fill="none"/>')
        for point in points:
            x, y = point.split(",")
            parts.append(f'<circle cx="{x}" cy="{y}" r="2.5" fill="{color}"/>')
        parts.append(
            f'<text x="{whole - _EDGE + 8}" y="{_EDGE + 14 * (row + 1)}" fill="{color}">'
            f"{name if name in _ASKED else 'label'}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"
