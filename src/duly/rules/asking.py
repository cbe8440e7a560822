"""What does a rule answer about one contact? The same trees as the plan's columns, on one row."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial

from duly.conditions import evaluate, to_sql
from duly.rules import zones
from duly.rules.agreed import agreed_intervals
from duly.rules.counting import counted, free_at
from duly.rules.derived import day_at, local_day, with_derived
from duly.rules.memory import Memory, Together
from duly.rules.model import (
    Bar,
    Cap,
    Check,
    Effect,
    Parts,
    Require,
    Rule,
    Term,
    Text,
    Verdict,
    Window,
    legal_key,
)
from duly.rules.terms import ask_term
from duly.rules.windows import HORIZON_DAYS, join, meet, next_open, open_intervals, speaking
from duly.rules.wording import ask_parts, ask_text, unsatisfiable

#: A delay is asked again at its end at most this often; each round moves at least one rule on.
ROUNDS_MAX = 64
#: What decides, with the day, whether a rule is about a contact at all (`_in_scope`).
_SCOPE = ("class", "channel", "region")


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What all rules together answer; `verdicts` holds every one that did not allow.

    `until` is the first instant at which every rule allows, for effect delay only.
    """

    effect: Effect
    until: datetime | None
    verdicts: tuple[Verdict, ...]


def ask(rule: Rule, facts: Mapping[str, object]) -> Verdict:
    """Return what one rule answers about one contact.

    `facts` holds the vocabulary FACTS, `at` (the instant, aware) and, for caps, `contacts`: the
    borrower's contacts before it (`at, direction, channel, class, outcome, address`), and
    `address`. A fact that the rule needs and that is empty blocks, reason `missing:<fact>`.
    A rule that is not in force on the borrower's date of `at` allows.
    """
    return _asked(rule, facts, _days(facts))


def _asked(rule: Rule, facts: Mapping[str, object], days: Sequence[date]) -> Verdict:
    if not _holds_on(rule, days) or not _in_scope(rule, facts):
        return Verdict(rule_id=rule.id, effect="allow")
    return _speaks(rule, facts)


def _speaks(rule: Rule, facts: Mapping[str, object]) -> Verdict:
    """Return what a rule that is in force and about such a contact answers."""
    for name in rule.requires:
        if facts.get(name) is None:
            return _missing(rule, name)
    match rule.primitive:
        case Window():
            return _ask_window(rule, rule.primitive, facts)
        case Cap():
            return _ask_cap(rule, rule.primitive, facts)
        case Bar():
            return _ask_checks(rule, rule.primitive.checks, facts, speaks_when=True)
        case Require():
            return _ask_checks(rule, (rule.primitive.check,), facts, speaks_when=False)
        case Text():
            return ask_text(rule, rule.primitive, facts)
        case Parts():
            return ask_parts(rule, rule.primitive, facts)
        case Term():
            return ask_term(rule, rule.primitive, facts, local_day(facts))


def in_force(rule: Rule, facts: Mapping[str, object]) -> bool:
    """Return whether a rule is in force on the date of the contact; without one it is.

    Where the borrower may be in several zones, on the date of any of them.
    """
    return _holds_on(rule, _days(facts))


def _days(facts: Mapping[str, object]) -> tuple[date, ...]:
    """Return the date of the contact in each zone where the borrower may be; none without one."""
    at = facts.get("at")
    if not isinstance(at, datetime):
        return ()
    return tuple(day_at(at, place) for place in known_zones(facts) or ("UTC",))


def _holds_on(rule: Rule, days: Sequence[date]) -> bool:
    since, to = rule.in_force_from, rule.in_force_to
    return not days or any(since <= day and (to is None or day < to) for day in days)


class Remembered:
    """Rules that are asked of many contacts; what read the same facts is worked out once."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        self._concerned: dict[Hashable, tuple[Rule, ...]] = {}
        self._memory: Memory[Verdict] = Memory()
        self._together: dict[Hashable, Together[Verdict]] = {}

    def about(self, wanted: Sequence[object]) -> Sequence[Rule]:
        """Return the rules about these things."""
        key = tuple(wanted)
        if key not in self._concerned:
            self._concerned[key] = tuple(rule for rule in self._rules if rule.about in key)
        return self._concerned[key]

    def verdicts(
        self, rules: Sequence[Rule], facts: Mapping[str, object], days: Sequence[date]
    ) -> Sequence[Verdict]:
        """Return what those of the rules answer that are in force and about such a contact."""
        scope = (id(rules), tuple(days), *(facts.get(name) for name in _SCOPE))
        if scope not in self._together:
            self._together[scope] = Together(
                self._memory,
                [
                    ((rule.id, rule.in_force_from), partial(_speaks, rule))
                    for rule in rules
                    if _holds_on(rule, days) and _in_scope(rule, facts)
                ],
            )
        return self._together[scope].answers(facts)


def decide(rules: Sequence[Rule] | Remembered, facts: Mapping[str, object]) -> Answer:
    """Return what the rules answer together: block > require > delay (the latest) > allow.

    Asked are the rules about a contact, and about what else `about` names among the facts (such as
    `release` and `text` at the door). After a delay every rule is asked again at its end. All
    reasons are kept, in the order of `legal`. A delay that finds no end blocks, and so does a
    text that one rule demands and another forbids.
    """
    wanted = facts.get("about") or ("contact",)
    assert isinstance(wanted, Sequence), "what is asked about is a list"
    remembered = rules if isinstance(rules, Remembered) else None
    rules = _about(rules, wanted)
    at = first = facts.get("at")
    spoke: dict[tuple[str, Effect], Verdict] = {}
    effects: set[Effect] = set()
    for _ in range(ROUNDS_MAX):
        now = {**facts, "at": at}
        days = _days(now)
        if remembered is None:
            verdicts: Sequence[Verdict] = [_asked(rule, now, days) for rule in rules]
        else:
            verdicts = remembered.verdicts(rules, now, days)
        for verdict in verdicts:
            if verdict.effect != "allow":
                spoke.setdefault((verdict.rule_id, verdict.effect), verdict)
        effects = {verdict.effect for verdict in verdicts}
        if "delay" not in effects or effects & {"block", "require"}:
            break
        at = max(verdict.until for verdict in verdicts if verdict.until is not None)
    clashing = _clashing(rules, {**facts, "at": first}) if "text" in wanted else []
    for verdict in clashing:
        spoke.setdefault((verdict.rule_id, verdict.effect), verdict)
        effects.add("block")
    effect: Effect = "allow" if at == first else "delay"
    if "block" in effects:
        effect = "block"
    elif "require" in effects:
        effect = "require"
    elif "delay" in effects:
        effect = "block"
    by_id = {rule.id: rule for rule in rules} if spoke else {}
    ordered = sorted(spoke.values(), key=lambda item: legal_key(by_id[item.rule_id], item.effect))
    until = at if effect == "delay" and isinstance(at, datetime) else None
    return Answer(effect=effect, until=until, verdicts=tuple(ordered))


def _about(rules: Sequence[Rule] | Remembered, wanted: Sequence[object]) -> Sequence[Rule]:
    if isinstance(rules, Remembered):
        return rules.about(wanted)
    return [rule for rule in rules if rule.about in wanted]


def _clashing(rules: Sequence[Rule], facts: Mapping[str, object]) -> list[Verdict]:
    """Return a block of both rules for each text that one demands and the other forbids."""
    days = _days(facts)
    speaking_now = [rule for rule in rules if _holds_on(rule, days)]
    return [
        Verdict(rule_id=rule.id, effect="block", reason="no_channel", words=words)
        for demand, ban, words in unsatisfiable(speaking_now, facts)
        for rule in (demand, ban)
    ]


def reason_sql(rule: Rule, prefix: str = "") -> str:
    """Return a DuckDB expression over the FACTS columns: the reason of a bar or require, or NULL.

    NULL means that the rule allows; the reason is the code that `ask` gives on the same row.
    """
    bar = rule.primitive
    assert isinstance(bar, Bar | Require), "windows and caps are no columns of facts"
    checks = bar.checks if isinstance(bar, Bar) else (bar.check,)
    branches = [
        _outside_sql("class", bar.classes, prefix),
        _outside_sql("channel", bar.channels, prefix),
        *(_null_sql(name, prefix) for name in rule.requires),
    ]
    columns = [(check, to_sql(check.condition, prefix)) for check in checks]
    spoken = "" if isinstance(bar, Bar) else "NOT "
    branches += [f"WHEN {spoken}({column}) THEN '{check.reason}'" for check, column in columns]
    for check, column in columns:
        if not check.condition.fields:
            continue
        unknown = " ".join(_null_sql(name, prefix) for name in sorted(check.condition.fields))
        otherwise = f"'missing:{_asked_first(check, {})}'"
        branches.append(f"WHEN ({column}) IS NULL THEN (CASE {unknown} ELSE {otherwise} END)")
    return "(CASE " + " ".join(branches) + " ELSE NULL END)"


def _outside_sql(name: str, values: Sequence[str], prefix: str) -> str:
    listed = ", ".join(f"'{value}'" for value in values)
    return f'WHEN {prefix}"{name}" NOT IN ({listed}) THEN NULL'


def _null_sql(name: str, prefix: str) -> str:
    return f"WHEN {prefix}\"{name}\" IS NULL THEN 'missing:{name}'"


def _in_scope(rule: Rule, facts: Mapping[str, object]) -> bool:
    """Return whether the rule speaks about this class and channel; unknown ones are spoken of."""
    channel = _text(facts, "channel")
    if isinstance(rule.primitive, Window):
        return bool(speaking((rule,), channel, _text(facts, "region")))
    if isinstance(rule.primitive, Parts | Term):
        return True
    kind = facts.get("class")
    return (kind is None or kind in rule.primitive.classes) and (
        channel is None or channel in rule.primitive.channels
    )


def _missing(rule: Rule, name: str) -> Verdict:
    return Verdict(rule_id=rule.id, effect="block", reason=f"missing:{name}")


def _ask_window(rule: Rule, window: Window, facts: Mapping[str, object]) -> Verdict:
    if window.unless is not None and evaluate(window.unless, facts) is True:
        return Verdict(rule_id=rule.id, effect="allow")
    if window.when is not None:
        speaks = evaluate(window.when, facts)
        if speaks is None:
            return _missing(rule, _first_empty(window.when.fields, facts))
        if not speaks:
            return Verdict(rule_id=rule.id, effect="allow")
    at, places = facts.get("at"), candidate_zones(window, facts)
    if not isinstance(at, datetime):
        return _missing(rule, "at")
    if not places:
        return _missing(rule, "time_zone")
    epoch = zones.to_epoch(at)
    end = epoch + HORIZON_DAYS * zones.DAY
    quiet = _number(facts, "quiet_from"), _number(facts, "quiet_until")
    lawful = meet(
        ((epoch, end),),
        *(
            open_intervals(window, place, *quiet, epoch, end, region=_text(facts, "region"))
            for place in places
        ),
    )
    if window.agreed_days is not None:
        lawful = join(
            lawful,
            agreed_intervals(facts.get("agreed_hours"), window.agreed_days, places, epoch, end),
        )
    opening = next_open(lawful, epoch)
    if opening == epoch:
        return Verdict(rule_id=rule.id, effect="allow")
    if opening is None:
        return Verdict(rule_id=rule.id, effect="block", reason="window")
    return Verdict(
        rule_id=rule.id, effect="delay", until=zones.to_instant(opening), reason="window"
    )


def candidate_zones(window: Window, facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return every zone in which a window must hold; empty where none is known.

    They are `time_zone` and each of `time_zones`: where the borrower may be.
    """
    listed = _listed_zones(facts)
    return known_zones(facts) if listed else window.unknown_zones


def known_zones(facts: Mapping[str, object]) -> tuple[str, ...]:
    """Return every zone where the borrower may be; empty where none, or one that nobody knows."""
    listed = _listed_zones(facts)
    return listed if zones.names().issuperset(listed) else ()


def _listed_zones(facts: Mapping[str, object]) -> tuple[str, ...]:
    first, more = facts.get("time_zone"), facts.get("time_zones")
    if not more and isinstance(first, str):
        return (first,)
    listed = [first, *(more if isinstance(more, Sequence) else ())]
    return tuple(dict.fromkeys(str(one) for one in listed if one is not None))


def _ask_cap(rule: Rule, cap: Cap, facts: Mapping[str, object]) -> Verdict:
    at, contacts = facts.get("at"), facts.get("contacts")
    places = known_zones(facts) if cap.zone == "local" else (cap.zone,)
    if not isinstance(at, datetime):
        return _missing(rule, "at")
    if not places:
        return _missing(rule, "time_zone")
    if not isinstance(contacts, Sequence):
        return _missing(rule, "contacts")
    if cap.per != "borrower" and facts.get(cap.per) in (None, ""):
        return _missing(rule, cap.per)
    if cap.templates and facts.get("template") not in cap.templates:
        return Verdict(rule_id=rule.id, effect="allow")
    epoch = zones.to_epoch(at)
    times = counted(cap, contacts, facts, epoch)
    free = max(free_at(cap, times, epoch, place) for place in places)
    if free == epoch:
        return Verdict(rule_id=rule.id, effect="allow")
    return Verdict(rule_id=rule.id, effect="delay", until=zones.to_instant(free), reason="cap")


def _ask_checks(
    rule: Rule, checks: Sequence[Check], facts: Mapping[str, object], *, speaks_when: bool
) -> Verdict:
    names = frozenset().union(*(check.condition.fields for check in checks))
    facts = with_derived(facts, names)
    answers = [(check, evaluate(check.condition, facts)) for check in checks]
    for check, answer in answers:
        if answer is speaks_when:
            return Verdict(rule_id=rule.id, effect=rule.effect, reason=check.reason)
    for check, answer in answers:
        if answer is None:
            return _missing(rule, _asked_first(check, facts))
    return Verdict(rule_id=rule.id, effect="allow")


def _asked_first(check: Check, facts: Mapping[str, object]) -> str:
    """Return the first empty fact of a condition, by name; without one the first it asks."""
    return _first_empty(check.condition.fields, facts)


def _first_empty(fields: Iterable[str], facts: Mapping[str, object]) -> str:
    names = sorted(fields)
    return next((name for name in names if facts.get(name) is None), names[0])


def _text(facts: Mapping[str, object], name: str) -> str | None:
    value = facts.get(name)
    return value if isinstance(value, str) else None


def _number(facts: Mapping[str, object], name: str) -> int | None:
    value = facts.get(name)
    return value if isinstance(value, int) else None
