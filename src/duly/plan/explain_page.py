"""An explanation as a person reads it: the arithmetic, the conditions, the law, the text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from duly.core.money import major
from duly.core.words import catalogue, known_locale, say
from duly.messages import mask_name
from duly.rules.zones import zone

Found = Mapping[str, Any]


class _Voice:
    """Sentences of one locale, amounts of one currency."""

    def __init__(self, locale: str, currency: str) -> None:
        self.locale, self.currency = known_locale(locale), currency

    def say(self, key: str, **values: object) -> str:
        return say("explain", key, self.locale, **values)

    def money(self, minor: int | None) -> str:
        return f"{major(minor or 0, self.currency)} {self.currency}"

    def plain(self, minor: int | None) -> str:
        return major(minor or 0, self.currency)

    def reason(self, code: str) -> str:
        entries = catalogue("reasons", self.locale)
        base = code.partition(":")[0]
        for key in (f"reason.{code}", f"reason.{base}"):
            if key in entries:
                return f"{code}: {entries[key]}"
        return code

    def named(self, group: str, code: str) -> str:
        return catalogue("explain", self.locale).get(f"{group}.{code}", code)


def page(found: Found, locale: str) -> str:
    """Return the page of one explanation in one locale."""
    position = found.get("position") or {}
    voice = _Voice(locale, position.get("currency") or "CNY")
    lines = [*_head(found, voice), ""]
    if "quarantine" in found:
        lines.append(voice.say("quarantined", count=len(found["quarantine"])))
        lines += ["  " + voice.say("quarantine_row", **row) for row in found["quarantine"]]
        return "\n".join(lines)
    lines += _owed(found, voice)
    lines += _payments(found, voice)
    lines += _stated(found, voice)
    lines += _capped(found, voice)
    lines += ["", *_policy(found, voice), "", *_law(found, voice), *_unsaid(found, voice)]
    if found.get("message"):
        message = found["message"]
        told = {name: message[name] for name in ("template", "tone", "segments")}
        lines += ["", voice.say("message", **told), "  " + message["text"].replace("\n", "\n  ")]
    asks = position.get("overdue_total") or 0
    lines += [
        "",
        voice.say("change", amount=voice.money(asks)) if asks else voice.say("change_none"),
    ]
    lines.append(voice.say("proof", sha256=found["plan_sha256"]))
    return "\n".join(lines)


def _head(found: Found, voice: _Voice) -> list[str]:
    decision = found["decision"]
    features = found.get("features") or {}
    # The name is masked in the borrower's own language, whoever reads the page.
    name = mask_name(str(features.get("name") or ""), str(features.get("locale") or "zh-CN"))
    told = say("reasons", f"decision.{decision['decision']}", voice.locale)
    title = voice.say(
        "title",
        loan=found["loan_id"],
        name=name or "-",
        decision=told,
        reason=voice.reason(decision["reason"]),
    )
    lines = [title]
    if decision["not_before"]:
        lines.append(
            "  "
            + voice.say(
                "sent_between",
                start=_local(decision["not_before"], found["time_zone"]),
                end=_local(decision["not_after"], found["time_zone"]),
                channel=decision["channel"],
            )
        )
    if decision["task_kind"]:
        kind = voice.named("task_kind", decision["task_kind"])
        lines.append("  " + voice.say("task", kind=kind, date=decision["expires_on"]))
    if decision["next_review_on"]:
        lines.append("  " + voice.say("until", date=decision["next_review_on"]))
    return lines


def _local(instant: str, time_zone: str) -> str:
    """Return an instant as the lender's people read it: their own day, hour and offset."""
    return datetime.fromisoformat(instant).astimezone(zone(time_zone)).isoformat(" ", "minutes")


def _owed(found: Found, voice: _Voice) -> list[str]:
    position = found["position"]
    if position["days_past_due"]:
        lines = [
            voice.say(
                "owed",
                date=position["as_of"],
                amount=voice.money(position["overdue_total"]),
                days=position["days_past_due"],
                delinquent=position["days_delinquent"],
            )
        ]
    else:
        total = voice.money(position["outstanding_total"])
        lines = [voice.say("owed_nothing", date=position["as_of"], amount=total)]
    as_of, later = position["as_of"], []
    for one in found["installments"]:
        if one["due_on"] > as_of and not one["late_charge_accrued"]:
            later.append(one)
        else:
            lines += _installment(one, found["terms"], voice)
    if later:
        unpaid = sum(one["unpaid_total"] for one in later)
        lines.append(
            "  "
            + voice.say(
                "not_due", count=len(later), date=later[0]["due_on"], amount=voice.money(unpaid)
            )
        )
    for start, end in found["terms"]["paused"]:
        lines.append("  " + voice.say("paused", start=start, end=end))
    return lines


def _installment(one: Found, terms: Found, voice: _Voice) -> list[str]:
    amounts = {name: voice.plain(one[name]) for name in ("principal", "interest", "fee")}
    parts = [voice.say("installment", number=one["number"], due=one["due_on"], **amounts)]
    paid = {name: one[f"paid_{name}"] for name in ("principal", "interest", "fee")}
    if any(paid.values()):
        parts.append(voice.say("paid", **{name: voice.plain(sum_) for name, sum_ in paid.items()}))
    else:
        parts.append(voice.say("paid_nothing"))
    if one["settled_on"]:
        parts.append(voice.say("settled", date=one["settled_on"]))
    elif one["unpaid_total"]:
        parts.append(voice.say("unpaid", amount=voice.plain(one["unpaid_total"])))
    lines = ["  " + ", ".join(parts)]
    if one["segments"]:
        lines.append("    " + _charge(one, terms, voice))
    elif one["grace"] == "open" and one["counts"]:
        lines.append("    " + voice.say("grace_open", date=one["grace_ends_on"]))
    return lines


def _charge(one: Found, terms: Found, voice: _Voice) -> str:
    rate = _rate(terms["late_rate_e8"])
    told = [
        voice.say(
            "charge_term",
            base=voice.plain(segment["base"]),
            rate=rate,
            days=segment["days"],
            start=segment["from_day"],
        )
        for segment in one["segments"]
    ]
    return voice.say(
        "charge",
        charge=voice.plain(one["late_charge_accrued"]),
        terms=" + ".join(told),
        base=voice.say(f"base_{terms['late_base']}"),
        paid=voice.plain(one["late_charge_paid"]),
    )


def _rate(rate_e8: int) -> str:
    """Return a rate given in 1/10^8 as a plain decimal.

    >>> _rate(50000)
    '0.0005'
    """
    return f"{rate_e8 // 10**8}.{rate_e8 % 10**8:08d}".rstrip("0").rstrip(".")


def _payments(found: Found, voice: _Voice) -> list[str]:
    if not found["payments"]:
        return []
    allocation = voice.named("allocation", found["terms"]["allocation"])
    lines = ["", voice.say("payments", allocation=allocation)]
    for one in found["payments"]:
        values = {
            "date": one["paid_on"],
            "kind": voice.named("kind", one["kind"]),
            "amount": voice.plain(one["amount"]),
            "payment_id": one["payment_id"],
        }
        if not one["counts"]:
            key, values["reversed"] = "payment_reversed", one["reversed_on"]
        else:
            key, values["applied"] = "payment", _applied(one, voice)
        lines.append("  " + voice.say(key, **values))
    return lines


def _applied(one: Found, voice: _Voice) -> str:
    told = [
        voice.say(
            "applied_to",
            amount=voice.plain(part["amount"]),
            component=voice.named("component", part["component"]),
            number=part["number"],
        )
        for part in one["applied"]
    ]
    if one["left"]:
        key = "kept_credit" if one["kind"] == "payment" else "unused"
        told.append(voice.say(key, amount=voice.plain(one["left"])))
    return ", ".join(told)


def _stated(found: Found, voice: _Voice) -> list[str]:
    figures = found.get("figures")
    if not figures:
        return []
    lines = [voice.say("figures", date=figures["as_of"])]
    parts = {
        name: (figures[f"stated_{name}"], figures[f"{name}_total"])
        for name in ("overdue", "outstanding")
    }
    if None not in parts["overdue"] and None not in parts["outstanding"]:
        (late, here), (whole, all_here) = parts["overdue"], parts["outstanding"]
        parts["not_due"] = (whole - late, all_here - here)
    for name, (stated, ours) in parts.items():
        told = {"what": voice.named("stated", name), "ours": voice.money(ours)}
        if stated is None:
            lines.append("  " + voice.say("figure_unstated", **told))
            continue
        difference = voice.money(abs(ours - stated))
        sign = "-" if ours < stated else ""
        lines.append(
            "  "
            + voice.say(
                "figure", stated=voice.money(stated), difference=f"{sign}{difference}", **told
            )
        )
    return [*lines, "  " + voice.say("figure_charge", amount=voice.money(figures["late_charge"]))]


def _capped(found: Found, voice: _Voice) -> list[str]:
    capped = found.get("cost_cap")
    if not capped:
        return []
    told = {name: voice.money(amount) for name, amount in capped.items()}
    return [voice.say("cost_cap", **told)]


def _waits(found: Found, voice: _Voice) -> list[str]:
    return [
        voice.say(f"wait_{one['kind']}", **{name: one[name] for name in one if name != "kind"})
        for one in found.get("waits") or ()
    ]


def _policy(found: Found, voice: _Voice) -> list[str]:
    lines = []
    features = found.get("features") or {}
    if features.get("score") is not None:
        band = voice.named("band", features["score_band"])
        lines.append(voice.say("score", score=features["score"], band=band))
    hold = found.get("hold") or {}
    if hold.get("reason"):
        lines.append(
            voice.say(
                "hold",
                since=hold["since"],
                reason=voice.reason(hold["reason"]),
                review=hold["review_on"],
            )
        )
    lines += _waits(found, voice)
    if not found["conditions"]:
        reason = voice.reason(found["decision"]["reason"])
        return [*lines, voice.say("no_condition", reason=reason)]
    lines.append(voice.say("policy", **found["policy"]))
    for one in found["conditions"]:
        shown = [
            leaf["text"] for leaf in one["comparisons"] if one["spoke"] or leaf["held"] is not True
        ]
        key = "condition_yes" if one["spoke"] else "condition_no"
        leaves = "; ".join(shown) or voice.say("held")
        lines.append("  " + voice.say(key, id=one["id"], leaves=leaves))
    return lines


def _law(found: Found, voice: _Voice) -> list[str]:
    rules: Sequence[Found] = found["rules"]
    if not rules:
        return []
    spoke = [rule for rule in rules if rule["effect"] != "allow"]
    lines = [voice.say("rules", count=len(rules), allowed=len(rules) - len(spoke))]
    for rule in spoke:
        reason = f" ({rule['reason']})" if rule["reason"] else ""
        effect = voice.say(f"effect_{rule['effect']}")
        values = {name: rule[name] for name in ("id", "source", "clause")}
        says = rule["says"].get(voice.locale, "")
        told = voice.say("rule_spoke", effect=effect, reason=reason, says=says, **values)
        lines.append("  " + told)
    for rule in rules:
        if rule["counts"]:
            counts = ", ".join(_count(one, voice) for one in rule["counts"])
            lines.append("  " + voice.say("rule_count", id=rule["id"], counts=counts))
    return lines


def _unsaid(found: Found, voice: _Voice) -> list[str]:
    """Return each text that was not sent, the rules that it breaks, and by how much."""
    lines: list[str] = []
    for one in found.get("unlawful") or ():
        told = {name: one[name] for name in ("channel", "template", "length")}
        lines.append(voice.say("text_unlawful", **told))
        for rule in one["rules"]:
            over = voice.say("text_over", over=rule["over"]) if rule["over"] else ""
            words = voice.say("text_words", words=rule["words"]) if rule["words"] else ""
            says = rule["says"].get(voice.locale, "")
            lines.append(
                "  " + voice.say("text_rule", id=rule["id"], over=over, words=words, says=says)
            )
        lines.append("  " + one["text"].replace("\n", "\n  "))
    return lines


def _count(one: Found, voice: _Voice) -> str:
    if one["window"] == "calendar_day":
        return voice.say("count_day", count=one["count"], of=one["of"])
    return voice.say("count_hours", count=one["count"], of=one["of"], hours=one["window"])
