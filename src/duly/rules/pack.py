"""Read a pack: dated rules from a YAML file, every mistake gathered with its position."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from duly.core.diagnostic import Diagnostic
from duly.rules.case_reader import read_cases
from duly.rules.facts import FACTS, INPUTS
from duly.rules.located import (
    Findings,
    Located,
    day,
    mapping,
    read_yaml,
    sequence,
    word,
)
from duly.rules.model import (
    ABOUTS,
    CONFIDENCES,
    FORCES,
    Confidence,
    Rule,
    Source,
)
from duly.rules.primitives import PRIMITIVES, PrimitiveReader

_RULE = ("id", "name", "force", "binds", "about", "source", "in_force", "says", "requires",
         *PRIMITIVES, "cases")  # fmt: skip
_RULE_NEEDED = ("id", "force", "source", "in_force", "says", "cases")
_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_PACK = re.compile(r"[a-z][a-z0-9_-]{0,31}")
#: Primitives that no plan compiles, and what they are about where the rule does not say.
_ABOUT = {"text": "text", "parts": "text", "term": "request"}
_ALWAYS = date(1, 1, 1)
RULES_MAX = 1_000


def read_pack(text: str, file: str) -> tuple[tuple[Rule, ...], tuple[Diagnostic, ...]]:
    """Return the rules of a pack's text and everything that is wrong with it."""
    findings = Findings(file)
    root = read_yaml(text, findings)
    if root is None:
        return (), tuple(findings.found)
    entries = mapping(root, findings, "a pack", ("pack", "rules"), ("pack", "rules"))
    pack = word(entries.get("pack"), findings, "pack")
    if pack and not _PACK.fullmatch(pack):
        findings.add(entries["pack"], "bad_pack", value=pack)
    rules: list[Rule] = []
    items = sequence(entries.get("rules"), findings, "rules")
    if "rules" in entries and entries["rules"].value == []:
        findings.add(entries["rules"], "absent", what="a pack", name="rules")
    if len(items) > RULES_MAX:
        findings.add(items[RULES_MAX], "too_many", count=len(items), most=RULES_MAX)
    for item in items[:RULES_MAX]:
        if not isinstance(item.value, dict):
            findings.add(item, "not_a_mapping", what="a rule")
            continue
        rule = _Reader(text, findings, pack).rule(item)
        _versions(findings, item, rule, rules)
        rules.append(rule)
    return tuple(rules), tuple(findings.found)


def _versions(findings: Findings, node: Located, rule: Rule, rules: list[Rule]) -> None:
    """Note a rule whose id or column name an earlier one has at the same time."""
    for other in rules:
        if rule.id != other.id and rule.name != other.name:
            continue
        first_ends = other.in_force_to is not None and other.in_force_to <= rule.in_force_from
        last_ends = rule.in_force_to is not None and rule.in_force_to <= other.in_force_from
        if first_ends or last_ends:
            continue
        entries = node.value if isinstance(node.value, dict) else {}
        dated = rule.in_force_from != _ALWAYS or other.in_force_to is not None
        at = entries.get("in_force", node) if dated else node
        code = "versions_overlap" if rule.id == other.id and dated else "rule_twice"
        findings.add(at, code, id=rule.id, line=other.line)
        return


class _Reader:
    """Reads the rules of one pack; a part that is wrong is noted and its siblings are read."""

    def __init__(self, text: str, findings: Findings, pack: str) -> None:
        self.text = text
        self.findings = findings
        self.pack = pack
        self.primitives = PrimitiveReader(text, findings)

    def rule(self, node: Located) -> Rule:
        entries = mapping(node, self.findings, "a rule", _RULE, _RULE_NEEDED)
        rule_id = self._id(entries.get("id"))
        since, until = self._in_force(entries.get("in_force"))
        force = word(entries.get("force"), self.findings, "force", FORCES)
        primitive = self.primitives.primitive(node, entries)
        about = self._about(node, entries)
        binds = word(entries.get("binds"), self.findings, "binds", ("everyone", "collector"))
        cases = read_cases(entries.get("cases"), self.findings, rule_id)
        return Rule(
            id=rule_id,
            pack=self.pack,
            name=self._name(entries.get("name"), rule_id),
            force=next((known for known in FORCES if known == force), "policy"),
            source=self._source(entries.get("source")),
            in_force_from=since,
            in_force_to=until,
            says=self._says(entries.get("says")),
            requires=self._requires(entries.get("requires")),
            primitive=primitive,
            cases=cases,
            line=node.line,
            file=self.findings.file,
            about=about,
            binds="collector" if binds == "collector" else "everyone",
        )

    def _about(self, node: Located, entries: Mapping[str, Located]) -> str:
        """Return what the rule decides about; a text, parts or a term is never asked by a plan."""
        usual = next((_ABOUT[name] for name in _ABOUT if name in entries), "contact")
        about = word(entries.get("about"), self.findings, "about", ABOUTS) or usual
        if about == "contact" and usual != "contact":
            self.findings.add(entries.get("about", node), "not_in_a_plan")
        return about

    def _id(self, node: Located | None) -> str:
        rule_id = word(node, self.findings, "id")
        if node is not None and rule_id and not _ID.fullmatch(rule_id):
            self.findings.add(node, "bad_id", value=rule_id)
        return rule_id

    def _name(self, node: Located | None, rule_id: str) -> str:
        if node is None:
            return rule_id.lower().replace("-", "_")
        name = word(node, self.findings, "name")
        if name and not _NAME.fullmatch(name):
            self.findings.add(node, "bad_name", value=name)
        return name

    def _in_force(self, node: Located | None) -> tuple[date, date | None]:
        if node is None or node.value == "always":
            return _ALWAYS, None
        entries = mapping(node, self.findings, "in_force", ("from", "to"), ("from",))
        since = day(entries.get("from"), self.findings, "in_force.from") or _ALWAYS
        until = day(entries.get("to"), self.findings, "in_force.to")
        if until is not None and until <= since:
            self.findings.add(node, "ends_before_start")
        return since, until

    def _source(self, node: Located | None) -> Source:
        if node is None:
            return Source(text="", clause="", confidence=())
        known = ("text", "clause", "confidence", "note")
        entries = mapping(node, self.findings, "source", known, known[:3])
        if "confidence" in entries and entries["confidence"].value == []:
            self.findings.add(entries["confidence"], "absent", what="source", name="confidence")
        confidence: list[Confidence] = []
        for item in sequence(entries.get("confidence"), self.findings, "confidence"):
            value = word(item, self.findings, "confidence", CONFIDENCES)
            confidence += [known for known in CONFIDENCES if known == value]
        return Source(
            text=word(entries.get("text"), self.findings, "source.text"),
            clause=word(entries.get("clause"), self.findings, "source.clause"),
            confidence=tuple(confidence),
            note=word(entries.get("note"), self.findings, "source.note"),
        )

    def _says(self, node: Located | None) -> Mapping[str, str]:
        if node is None:
            return {}
        known = ("en", "zh-CN")
        entries = mapping(node, self.findings, "says", known, known)
        return {name: word(item, self.findings, "says") for name, item in entries.items()}

    def _requires(self, node: Located | None) -> tuple[str, ...]:
        known = (*FACTS, *INPUTS)
        items = sequence(node, self.findings, "requires")
        return tuple(word(item, self.findings, "fact", known) for item in items)
