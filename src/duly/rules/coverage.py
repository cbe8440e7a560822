"""Where is each rule of the rulebook answered? A list that names every one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources

from duly.core.errors import Refused
from duly.core.words import known_locale, say
from duly.rules.located import Findings, Located, mapping, read_yaml, sequence, word
from duly.rules.model import ABOUTS, Rule
from duly.rules.pages import show_case

ANSWERS = ("implemented", "configuration", "not_applicable")


@dataclass(frozen=True, kw_only=True)
class Covered:
    """One rule of the rulebook: where it is answered, by which rules of the packs, and why so.

    `why` (by locale) is empty where the rules say all; never for what is not implemented.
    """

    id: str
    answer: str
    by: tuple[str, ...]
    why: Mapping[str, str]


def coverage() -> tuple[Covered, ...]:
    """Return the list, in the rulebook's order; refuse a file with mistakes."""
    file = resources.files("duly.rules").joinpath("coverage.yaml")
    return parse_coverage(file.read_text(encoding="utf-8"), file="coverage.yaml")


def parse_coverage(text: str, *, file: str) -> tuple[Covered, ...]:
    """Return a coverage list's entries; refuse it with every mistake and its position."""
    findings = Findings(file)
    root = read_yaml(text, findings)
    entries = root.value if root is not None else {}
    if root is not None and not isinstance(entries, dict):
        findings.add(root, "not_a_mapping", what="a coverage list")
    rows = [
        _entry(rule_id, node, findings)
        for rule_id, node in (entries.items() if isinstance(entries, dict) else ())
    ]
    if findings.found:
        raise Refused(*findings.found)
    return tuple(rows)


def _entry(rule_id: str, node: Located, findings: Findings) -> Covered:
    entry = mapping(node, findings, rule_id, ("as", "by", "why"), ("as",))
    answer = word(entry.get("as"), findings, "as", ANSWERS)
    by = tuple(word(item, findings, "by") for item in sequence(entry.get("by"), findings, "by"))
    if (answer == "implemented") != bool(by):
        findings.add(node, "absent", what=rule_id, name="by")
    why: dict[str, str] = {}
    if "why" in entry:
        locales = ("en", "zh-CN")
        told = mapping(entry["why"], findings, "why", locales, locales)
        why = {locale: word(item, findings, "why") for locale, item in told.items()}
    elif answer and answer != "implemented":
        findings.add(node, "absent", what=rule_id, name="why")
    return Covered(id=rule_id, answer=answer, by=by, why=why)


def asked_where(item: Covered, rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return what the rules that answer an entry are about, such as `contact` and `text`."""
    found = {rule.about for rule in rules if rule.id in item.by}
    return tuple(about for about in ABOUTS if about in found)


def reason(item: Covered, rules: Iterable[Rule], locale: str) -> str:
    """Return where an entry is asked, and the reason or remark of the list, in one line."""
    locale = known_locale(locale)
    places = [say("rules", f"asked.{about}", locale) for about in asked_where(item, rules)]
    told = [
        say("rules", "asked.where", locale, places=say("rules", "asked.and", locale).join(places))
    ]
    gap = "" if locale == "zh-CN" else " "
    return gap.join([*(told if places else []), *filter(None, [item.why.get(locale, "")])])


def show_entry(item: Covered, rules: Iterable[Rule], locale: str) -> str:
    """Return a page about an entry of the rulebook: its answer, its reason, its own cases."""
    locale, rules = known_locale(locale), tuple(rules)
    lines = [f"{item.id} · {say('rules', 'answer.' + item.answer, locale)}", ""]
    lines += [reason(item, rules, locale), ""]
    if item.by:
        lines.append(say("rules", "answered_by", locale, rules=", ".join(item.by)))
    for rule in rules:
        own = [case for case in rule.cases if case.of.partition(" ")[0] == item.id]
        lines += [f"  {rule.id}: {show_case(case, locale)}" for case in own]
    return "\n".join(lines).rstrip() + "\n"
