"""What was found of experiments as lines that people read, in their language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from duly.core.diagnostic import Diagnostic
from duly.core.words import say
from duly.learn.power import Design, Needed

_EPOCH = date(1970, 1, 1)


def plan_lines(
    name: str, design: Design, found: Needed, detectable: float | None, locale: str
) -> Iterator[str]:
    """Give the lines of what one experiment needs; `detectable` is what given people find."""
    each = ", ".join(f"{arm} {count:,}" for arm, count in found.per_arm.items())
    yield say("learn", "needs", locale, id=name, effect=_points(design.effect),
              baseline=_percent(design.baseline), power=_percent(design.power),
              people=f"{found.people_at_any_look:,}", each=each, once=f"{found.people:,}",
              comparisons=len(design.compared))  # fmt: skip
    if detectable is not None:
        yield say("learn", "finds", locale, effect=_points(detectable))


def report_lines(found: Mapping[str, Any], locale: str) -> Iterator[str]:
    """Give the lines of one judged experiment."""
    counts = ", ".join(f"{arm} {people:,}" for arm, people in found["people"].items())
    yield say("learn", "head", locale, id=found["id"], measure=found["measure"],
              control=found["control"])  # fmt: skip
    yield "  " + say("learn", "people", locale, counts=counts,
                     known=f"{sum(found['known'].values()):,}", pending=f"{found['pending']:,}",
                     lost=sum(found["lost"].values()), twice=found["listed_twice"])  # fmt: skip
    if found["mismatched"]:
        yield "  " + say("learn", "mismatched", locale, arms=", ".join(found["mismatched"]))
    for row in found["harms"]:
        yield "  " + _harm(row, locale)
    for arm in found["arms"]:
        yield from _arm(arm, found, locale)


def value_lines(found: Mapping[str, Any], locale: str) -> Iterator[str]:
    """Give the lines of what a policy never run would be worth."""
    given = ", ".join(f"{band} {arm}" for band, arm in found["give"].items())
    yield say("learn", "value_head", locale, id=found["id"], measure=found["measure"], given=given)
    for name in ("ips", "snips", "doubly_robust"):
        one = found[name]
        yield "  " + say("learn", f"value_{name}", locale, value=_percent(one["value"]),
                         low=_percent(one["low"]), high=_percent(one["high"]))  # fmt: skip
    gain = found["gain"]
    yield "  " + say("learn", "value_gain", locale, control=found["control"],
                     gain=_points(gain["value"]), low=_points(gain["low"]),
                     high=_points(gain["high"]))  # fmt: skip
    yield "  " + say("learn", "value_carries", locale, people=f"{found['people']:,}",
                     effective=f"{found['effective_people']:,.0f}",
                     weight=f"{found['largest_weight']:.1f}")  # fmt: skip


def _arm(arm: Mapping[str, Any], found: Mapping[str, Any], locale: str) -> Iterator[str]:
    once, always = arm["one_look"], arm["at_any_look"]
    if "refused" in once:
        yield "  " + say("learn", "no_estimate", locale, arm=arm["arm"], why=why(once, locale))
    else:
        yield "  " + say(
            "learn", "effect_told", locale, arm=arm["arm"], treated=_percent(once["treated"]),
            control=_percent(once["control"]), effect=_points(once["effect"]),
            low=_points(once["low"]), high=_points(once["high"]),
        )  # fmt: skip
    if "refused" not in always:
        yield "    " + say(
            "learn", "sequence", locale, low=_points(always["low"]), high=_points(always["high"]),
            cut=_percent(always["variance_cut"]), p=_p(always["p_value"]),
        )  # fmt: skip
    elif "refused" not in once:
        yield "    " + say("learn", "no_sequence", locale, why=why(always, locale))
    yield "    " + say("learn", f"verdict_{arm['verdict']}", locale, arm=arm["arm"],
                       control=found["control"], detect=_points(found["detect"]))  # fmt: skip
    yield from _whom(arm["whom"], arm["arm"], locale)


def _whom(whom: Mapping[str, Any], arm: str, locale: str) -> Iterator[str]:
    if "refused" in whom:
        yield "    " + say("learn", "no_whom", locale, why=why(whom, locale))
        return
    one = whom["qini"]
    yield "    " + say("learn", "qini", locale, qini=_points(one["coefficient"]),
                       low=_points(one["low"]), high=_points(one["high"]))  # fmt: skip
    for band, group in whom["score_bands"].items():
        yield "      " + say(
            "learn", f"group_{group['verdict']}", locale, name=band, arm=arm,
            people=f"{group['people']:,}", effect=_points(group["effect"]),
            low=_points(group["low"]), high=_points(group["high"]),
        )  # fmt: skip


def _harm(row: Mapping[str, Any], locale: str) -> str:
    named = say("learn", f"harm.{row['harm']}", locale)
    if "refused" in row:
        return say("learn", "no_harm", locale, harm=named, arm=row["arm"], why=why(row, locale))
    day = "" if row["crossed_on"] is None else _EPOCH + timedelta(days=row["crossed_on"])
    return say(
        "learn", "harm_stops" if row["stops"] else "harm_goes_on", locale, harm=named,
        arm=row["arm"], harmed=row["harmed_arm"], people=f"{row['n_arm']:,}", date=day,
        harmed_control=row["harmed_control"], people_control=f"{row['n_control']:,}",
        e=f"{row['e_value']:.3g}", bound=f"{row['bound']:.3g}",
    )  # fmt: skip


def why(found: Mapping[str, Any], locale: str) -> str:
    """Return the sentence of a refusal that `judging` kept as plain values."""
    told: Mapping[str, Any] = found["refused"]
    values: Mapping[str, object] = told["values"]
    return Diagnostic(area="learn", code=told["code"], values=values).sentence(locale)


def joined(parts: Sequence[Iterator[str]]) -> str:
    """Return the parts of a page with an empty line between them."""
    return "\n\n".join("\n".join(part) for part in parts)


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return f"{100 * share:+.2f}"
