"""How does a rule read? As a row for programs, as a page for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from duly.core.words import known_locale, say
from duly.rules.facts import FACTS
from duly.rules.model import Bar, Cap, Case, Parts, Require, Rule, Term, Text, Window
from duly.rules.wording_pages import wording_meaning


def list_rules(rules: Iterable[Rule]) -> list[dict[str, object]]:
    """Return one JSON-ready row a rule, in order."""
    return [
        {
            "id": rule.id,
            "pack": rule.pack,
            "name": rule.name,
            "force": rule.force,
            "effect": rule.effect,
            "about": rule.about,
            "binds": rule.binds,
            "primitive": type(rule.primitive).__name__.lower(),
            "source": rule.source.text,
            "clause": rule.source.clause,
            "confidence": list(rule.source.confidence),
            "note": rule.source.note,
            "in_force_from": None if rule.in_force_from.year == 1 else str(rule.in_force_from),
            "in_force_to": None if rule.in_force_to is None else str(rule.in_force_to),
            "says": dict(rule.says),
            "requires": list(rule.requires),
            "switchable": rule.force == "policy",
            "cases": len(rule.cases),
            "rulebook": sorted({case.of for case in rule.cases if case.of}),
        }
        for rule in rules
    ]


def show(rule: Rule, locale: str) -> str:
    """Return a page about one rule: what it says, source, clause, dates, meaning, cases."""
    locale = known_locale(locale)

    def words(key: str, **values: object) -> str:
        return say("rules", key, locale, **values)

    lines = [
        f"{rule.id} · {words('force.' + rule.force)} · {rule.pack}",
        "",
        rule.says[locale],
        "",
        words("page.source", source=rule.source.text, clause=rule.source.clause),
        *(words("confidence." + level) for level in rule.source.confidence),
        *([words("page.note", note=rule.source.note)] if rule.source.note else []),
        _dates(rule, locale),
        *([words("page.binds")] if rule.binds == "collector" else []),
        *([] if rule.about == "contact" else [words("page.about." + rule.about)]),
        words("page.switch_policy" if rule.force == "policy" else "page.switch_no"),
        "",
        words("page.meaning"),
        *(f"  {line}" for line in meaning(rule, locale)),
    ]
    if rule.requires:
        lines.append("  " + words("page.requires", facts=", ".join(rule.requires)))
    lines += ["", words("page.cases", count=len(rule.cases))]
    lines += [f"  {show_case(case, locale)}" for case in rule.cases]
    return "\n".join(lines) + "\n"


def _dates(rule: Rule, locale: str) -> str:
    if rule.in_force_from.year == 1:
        return say("rules", "page.always", locale)
    if rule.in_force_to is None:
        return say("rules", "page.since", locale, since=rule.in_force_from)
    return say("rules", "page.between", locale, since=rule.in_force_from, until=rule.in_force_to)


def meaning(rule: Rule, locale: str) -> list[str]:
    """Return the primitive in words: exactly what is asked."""
    match rule.primitive:
        case Window():
            return _window(rule.primitive, locale)
        case Cap():
            return _cap(rule.primitive, locale)
        case Bar():
            return [
                say(
                    "rules",
                    "page.bar",
                    locale,
                    condition=check.condition.text,
                    reason=check.reason,
                    classes=", ".join(rule.primitive.classes),
                    channels=", ".join(rule.primitive.channels),
                )
                for check in rule.primitive.checks
            ]
        case Require():
            return [
                say(
                    "rules",
                    "page.require",
                    locale,
                    condition=rule.primitive.check.condition.text,
                    reason=rule.primitive.check.reason,
                    classes=", ".join(rule.primitive.classes),
                    channels=", ".join(rule.primitive.channels),
                )
            ]
        case Text() | Parts() | Term():
            return wording_meaning(rule.primitive, locale)


def _window(window: Window, locale: str) -> list[str]:
    channels = ", ".join(window.channels)
    if window.quiet:
        lines = [say("rules", "page.quiet", locale, channels=channels)]
    else:
        lines = [
            say(
                "rules",
                "page.window",
                locale,
                opens=_clock(opens),
                closes=_clock(closes),
                zone=_zone(window.zone, locale),
                channels=channels,
            )
            for opens, closes in window.ranges
        ]
    if window.saturday is not None:
        lines += [
            say("rules", "page.saturday", locale, opens=_clock(low), closes=_clock(high))
            for low, high in window.saturday
        ]
        lines.append(say("rules", "page.sunday", locale))
    if window.holidays == ():
        key = "page.holidays" if window.regional else "page.holidays_nationwide"
        lines.append(say("rules", key, locale))
    for low, high in window.holidays or ():
        opening = {"opens": _clock(low), "closes": _clock(high)}
        lines.append(say("rules", "page.holiday_hours", locale, **opening))
    if not window.spring_festival:
        lines.append(say("rules", "page.spring_festival", locale))
    if window.unknown_zones:
        zones_named = ", ".join(window.unknown_zones)
        lines.append(say("rules", "page.unknown_zones", locale, zones=zones_named))
    if window.agreed_days is not None:
        lines.append(say("rules", "page.agreed", locale, days=window.agreed_days))
    if window.when is not None:
        lines.append(say("rules", "page.when", locale, condition=window.when.text))
    if window.regions:
        lines.append(say("rules", "page.regions", locale, regions=", ".join(window.regions)))
    if window.unless is not None:
        lines.append(say("rules", "page.unless", locale, condition=window.unless.text))
    return lines


def _cap(cap: Cap, locale: str) -> list[str]:
    lines = [
        say(
            "rules",
            "page.cap_days"
            if limit.seconds is None and limit.days > 1
            else "page.cap_day"
            if limit.seconds is None
            else "page.cap_hours"
            if limit.hours is not None
            else "page.cap_minutes",
            locale,
            count=limit.count,
            hours=limit.hours,
            days=limit.days,
            minutes=limit.minutes,
            per=say("rules", f"page.per_{cap.per}", locale),
            channels=", ".join(cap.channels),
            classes=", ".join(cap.classes),
            zone=_zone(cap.zone, locale),
        )
        for limit in cap.limits
    ]
    if "in" in cap.directions:
        lines.append(say("rules", "page.inbound", locale))
    if cap.templates:
        lines.append(say("rules", "page.templates", locale, templates=", ".join(cap.templates)))
    if cap.excused:
        lines.append(say("rules", "page.excused", locale))
    if cap.outcomes is not None:
        lines.append(say("rules", "page.outcomes", locale, outcomes=", ".join(cap.outcomes)))
    if cap.min_gap_hours is not None:
        lines.append(say("rules", "page.gap", locale, hours=cap.min_gap_hours))
    return lines


def show_case(case: Case, locale: str) -> str:
    """Return a case in one line: what is given, and what follows."""
    given = ", ".join(f"{name} = {_value(name, value)}" for name, value in case.given.items())
    if case.beside:
        given += say("rules", "page.beside", locale, rules=", ".join(case.beside))
    if case.until is not None:
        then = say("rules", "page.then_delay", locale, until=_moment(case.until))
    else:
        then = say("rules", f"page.then_{case.effect}", locale, reason=case.reason or "")
    return f"{given} → {then.strip()}"


def _value(name: str, value: object) -> str:
    """Return a value as a person reads it: money with its decimals, minutes as a time of day."""
    if isinstance(value, tuple):
        return "[" + "; ".join(_item(name, row) for row in value) + "]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, datetime):
        return _moment(value)
    if isinstance(value, int):
        if name in ("from", "until", "quiet_from", "quiet_until"):
            return _clock(value)
        if name.endswith("_e8"):
            return f"{Decimal(value).scaleb(-6).normalize():f} %"
        if name == "amounts" or (name in FACTS and FACTS[name].kind == "money"):
            return f"{value // 100}.{value % 100:02d}"
    return str(value)


def _item(name: str, item: object) -> str:
    if isinstance(item, Mapping):
        return " ".join(_value(key, part) for key, part in item.items())
    return _value(name, item)


def _moment(instant: datetime) -> str:
    return instant.isoformat(sep=" ")


def _zone(zone: str, locale: str) -> str:
    return say("rules", "page.local", locale) if zone == "local" else zone


def _clock(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
