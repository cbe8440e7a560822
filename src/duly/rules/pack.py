"""Read a pack: dated rules from a YAML file, every mistake gathered with its position."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

from duly.core.diagnostic import Diagnostic
from duly.rules.facts import FACTS, INPUTS
from duly.rules.located import (
    Findings,
    Located,
    day,
    instant,
    mapping,
    read_yaml,
    sequence,
    word,
)
from duly.rules.model import (
    ABOUTS,
    CONFIDENCES,
    FORCES,
    Case,
    Confidence,
    Outcome,
    Rule,
    Source,
)
from duly.rules.primitives import PRIMITIVES, PrimitiveReader

_RULE = ("id", "name", "force", "binds", "about", "source", "in_force", "says", "requires",
         *PRIMITIVES, "cases")  # fmt: skip
_RULE_NEEDED = ("id", "force", "source", "in_force", "says", "cases")
_ID = re.compile(r"[A-Z][A-Z0-9]*(-[A-Z0-9]+)+")
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_CONTACT = ("at", "direction", "channel", "class", "outcome", "address", "loan", "template",
            "excuse", "consent_at")  # fmt: skip
_AGREED = ("given_at", "from", "until", "expires_at", "revoked_at", "boilerplate")
_DEBT = ("id", "due_on", "secured", "burden")
_INSTANTS = ("at", "consent_at", "given_at", "expires_at", "revoked_at")
_ROWS = {"contacts": (_CONTACT, ("at", "channel")), "agreed_hours": (_AGREED, ("given_at",)),
         "debts": (_DEBT, ("id", "due_on"))}  # fmt: skip
_LISTS = ("about", "time_zones", "parts", "signatures", "link_hosts", "amounts")
_OF = re.compile(r"[A-Z0-9-]+ (pass|fail)")
#: Primitives that no plan compiles, and what they are about where the rule does not say.
_ABOUT = {"text": "text", "parts": "text", "term": "request"}
_ALWAYS = date(1, 1, 1)


def read_pack(text: str, file: str) -> tuple[tuple[Rule, ...], tuple[Diagnostic, ...]]:
    """Return the rules of a pack's text and everything that is wrong with it."""
    findings = Findings(file)
    root = read_yaml(text, findings)
    if root is None:
        return (), tuple(findings.found)
    entries = mapping(root, findings, "a pack", ("pack", "rules"), ("pack", "rules"))
    pack = word(entries.get("pack"), findings, "pack")
    rules: list[Rule] = []
    for item in sequence(entries.get("rules"), findings, "rules"):
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
        cases = tuple(
            self._case(item) for item in sequence(entries.get("cases"), self.findings, "cases")
        )
        if "cases" in entries:
            effects = {case.effect for case in cases} - {"silent"}
            if "allow" not in effects or effects == {"allow"}:
                self.findings.add(entries["cases"], "one_sided", id=rule_id)
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

    def _case(self, node: Located) -> Case:
        known_keys = ("given", "then", "of", "beside")
        entries = mapping(node, self.findings, "a case", known_keys, ("given", "then"))
        of = word(entries.get("of"), self.findings, "of")
        if of and not _OF.fullmatch(of):
            self.findings.add(entries["of"], "bad_of", value=of)
        beside = sequence(entries.get("beside"), self.findings, "beside")
        given: dict[str, object] = {}
        known = (*FACTS, *INPUTS, "address", "loan")
        facts = entries.get("given")
        for name, item in (
            mapping(facts, self.findings, "a case", known, ()) if facts is not None else {}
        ).items():
            given[name] = self._given(name, item)
        effect, until, reason = self._then(entries.get("then"))
        return Case(
            line=node.line,
            given=given,
            effect=effect,
            until=until,
            reason=reason,
            of=of,
            beside=tuple(word(item, self.findings, "beside") for item in beside),
        )

    def _given(self, name: str, node: Located) -> object:
        if name in _INSTANTS:
            return instant(node, self.findings, name)
        if name in _ROWS and node.value is not None:
            known, needed = _ROWS[name]
            return tuple(
                {
                    key: self._given(key, item)
                    for key, item in mapping(
                        row, self.findings, f"one of {name}", known, needed
                    ).items()
                }
                for row in sequence(node, self.findings, name)
            )
        if name in _LISTS and node.value is not None:
            return tuple(item.value for item in sequence(node, self.findings, name))
        if name in FACTS and FACTS[name].kind == "date" and node.value is not None:
            return day(node, self.findings, name)
        values = FACTS[name].values if name in FACTS else ()
        if values and node.value is not None:
            return word(node, self.findings, name, values)
        return node.value

    def _then(self, node: Located | None) -> tuple[Outcome, datetime | None, str | None]:
        if node is None or not isinstance(node.value, dict):
            plain = word(node, self.findings, "then", ("allow", "silent"))
            return "silent" if plain == "silent" else "allow", None, None
        entries = mapping(node, self.findings, "then", ("delay_until", "block", "require"), ())
        if "delay_until" in entries:
            until = instant(entries["delay_until"], self.findings, "delay_until")
            return "delay", until, None
        if "block" in entries:
            return "block", None, word(entries["block"], self.findings, "block")
        if "require" in entries:
            return "require", None, word(entries["require"], self.findings, "require")
        self.findings.add(node, "absent", what="then", name="delay_until")
        return "allow", None, None
