"""Where is each rule of the rulebook answered? A list that names every one of them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

from duly.core.errors import Refused
from duly.rules.located import Findings, Located, mapping, read_yaml, sequence, word

ANSWERS = ("implemented", "configuration", "not_applicable")


@dataclass(frozen=True, kw_only=True)
class Covered:
    """One rule of the rulebook: where it is answered, by which rules of the packs, and why so."""

    id: str
    answer: str
    by: tuple[str, ...]
    why: str


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
    entry = mapping(node, findings, rule_id, ("as", "by", "why"), ("as", "why"))
    answer = word(entry.get("as"), findings, "as", ANSWERS)
    by = tuple(word(item, findings, "by") for item in sequence(entry.get("by"), findings, "by"))
    if (answer == "implemented") != bool(by):
        findings.add(node, "absent", what=rule_id, name="by")
    return Covered(id=rule_id, answer=answer, by=by, why=word(entry.get("why"), findings, "why"))
