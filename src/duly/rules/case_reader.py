"""Read the cases of a rule: what is given, each value of its kind, and what must follow."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime

from duly.core.reasons import REASONS
from duly.rules.counting import EXCUSES
from duly.rules.facts import FACTS, INPUTS
from duly.rules.located import (
    Findings,
    Located,
    as_written,
    day,
    instant,
    mapping,
    sequence,
    word,
)
from duly.rules.model import ABOUTS, CASE_REASONS, CHANNELS, CLASSES, OUTCOMES, Case, Outcome

_OF = re.compile(r"[A-Z0-9-]+ (pass|fail)")
_MISSING = "missing:"
_REASONS = tuple(sorted({*CASE_REASONS, *(code for codes in REASONS.values() for code in codes)}))

#: What a value that is no fact of the vocabulary is.
_INSTANTS = ("at", "consent_at", "given_at", "expires_at", "revoked_at")
_DAYS = ("due_on",)
_BOOLEANS = ("boilerplate", "secured")
_WHOLES = ("from", "until", "burden", "amounts")
_WORDS: Mapping[str, tuple[str, ...]] = {
    "about": ABOUTS,
    "direction": ("out", "in"),
    "outcome": OUTCOMES,
    "excuse": EXCUSES,
    "channel": CHANNELS,
    "class": CLASSES,
}
_CONTACT = ("at", "direction", "channel", "class", "outcome", "address", "loan", "template",
            "excuse", "consent_at")  # fmt: skip
_AGREED = ("given_at", "from", "until", "expires_at", "revoked_at", "boilerplate")
_DEBT = ("id", "due_on", "secured", "burden")
_ROWS = {"contacts": (_CONTACT, ("at", "channel")), "agreed_hours": (_AGREED, ("given_at",)),
         "debts": (_DEBT, ("id", "due_on"))}  # fmt: skip
_LISTS = ("about", "time_zones", "parts", "signatures", "link_hosts", "amounts")


def read_cases(node: Located | None, findings: Findings, rule_id: str) -> tuple[Case, ...]:
    """Return the cases of a rule; note those on one side only and those that contradict others."""
    items = sequence(node, findings, "cases")
    cases = tuple(_case(item, findings) for item in items)
    if node is not None and isinstance(node.value, list):
        effects = {case.effect for case in cases} - {"silent"}
        if "allow" not in effects or effects == {"allow"}:
            findings.add(node, "one_sided", id=rule_id)
    first: dict[str, Case] = {}
    for item, case in zip(items, cases, strict=True):
        given = repr((sorted(case.given.items()), case.beside))
        before = first.setdefault(given, case)
        if (before.effect, before.until) != (case.effect, case.until):
            findings.add(item, "contradicts", id=rule_id, line=before.line)
    return cases


def _case(node: Located, findings: Findings) -> Case:
    keys = ("given", "then", "of", "beside")
    entries = mapping(node, findings, "a case", keys, ("given", "then"))
    of = word(entries.get("of"), findings, "of")
    if of and not _OF.fullmatch(of):
        findings.add(entries["of"], "bad_of", value=of)
    beside = sequence(entries.get("beside"), findings, "beside")
    known = (*FACTS, *INPUTS, "address", "loan")
    facts = entries.get("given")
    given = mapping(facts, findings, "given", known, ()) if facts is not None else {}
    effect, until, reason = _then(entries.get("then"), findings)
    return Case(
        line=node.line,
        given={name: _given(name, item, findings) for name, item in given.items()},
        effect=effect,
        until=until,
        reason=reason,
        of=of,
        beside=tuple(word(item, findings, "beside") for item in beside),
    )


def _given(name: str, node: Located, findings: Findings) -> object:
    """Return the value of one fact or input; null is an empty fact."""
    if node.value is None:
        return None
    if name in _ROWS:
        known, needed = _ROWS[name]
        return tuple(
            {
                key: _given(key, item, findings)
                for key, item in mapping(row, findings, f"one of {name}", known, needed).items()
            }
            for row in sequence(node, findings, name)
        )
    if name in _LISTS:
        return tuple(_one(name, item, findings) for item in sequence(node, findings, name))
    return _one(name, node, findings)


def _one(name: str, node: Located, findings: Findings) -> object:
    kind = FACTS[name].kind if name in FACTS else "text"
    if name in _INSTANTS:
        return instant(node, findings, name)
    if kind == "date" or name in _DAYS:
        return day(node, findings, name)
    if kind == "boolean" or name in _BOOLEANS:
        return _of(node, isinstance(node.value, bool), findings, "not_a_boolean", name)
    if kind in ("integer", "money") or name in _WHOLES:
        whole = isinstance(node.value, int) and not isinstance(node.value, bool)
        return _of(node, whole, findings, "not_a_number", name)
    if name == "text":
        return _of(node, isinstance(node.value, str), findings, "not_a_text", name)
    known = _WORDS.get(name) or (FACTS[name].values if name in FACTS else ())
    return word(node, findings, name, known)


def _of(node: Located, fits: bool, findings: Findings, code: str, name: str) -> object:
    """Return a value of the right kind; note any other."""
    if not fits:
        findings.add(node, code, what=name, value=as_written(node))
        return None
    return node.value


def _then(node: Located | None, findings: Findings) -> tuple[Outcome, datetime | None, str | None]:
    if node is None or not isinstance(node.value, dict):
        plain = word(node, findings, "then", ("allow", "silent"))
        return "silent" if plain == "silent" else "allow", None, None
    entries = mapping(node, findings, "then", ("delay_until", "block", "require"), ())
    if len(entries) != 1:
        findings.add(node, "one_outcome", count=len(entries))
        return "allow", None, None
    (name, item), *_ = entries.items()
    if name == "delay_until":
        return "delay", instant(item, findings, "delay_until"), None
    reason = word(item, findings, name)
    fact = reason.removeprefix(_MISSING)
    if fact != reason:
        known = (*FACTS, *INPUTS, "address", "loan", "calendar")
        if fact not in known:
            findings.unknown(item, "fact", fact, known)
    elif reason and reason not in _REASONS:
        findings.unknown(item, "reason", reason, _REASONS)
    return "block" if name == "block" else "require", None, reason
