"""Do the rules say what their cases say? Each example on both sides of the line, run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from duly.rules import zones
from duly.rules.asking import ask, decide, in_force
from duly.rules.facts import NEUTRAL
from duly.rules.load import load_packs, pack_names
from duly.rules.model import Case, Rule, Verdict


@dataclass(frozen=True, kw_only=True)
class CaseResult:
    """One case as it ran; `got` reads like `expected`."""

    rule_id: str
    pack: str
    file: str
    line: int
    expected: str
    got: str

    @property
    def passed(self) -> bool:
        """Return whether the rule answered what the case says."""
        return self.expected == self.got


def run_cases(rules: Iterable[Rule]) -> list[CaseResult]:
    """Return the result of every case of the rules, in the order of the files."""
    rules = tuple(rules)
    return [
        CaseResult(
            rule_id=rule.id,
            pack=rule.pack,
            file=rule.file,
            line=case.line,
            expected=_expected(case),
            got=_got(rule, case, rules),
        )
        for rule in rules
        for case in rule.cases
    ]


#: The name that the command line gives to it (`duly rules test`).
test_cases = run_cases


def facts_of(case: Case) -> dict[str, object]:
    """Return the whole row of facts of a case: its own over a neutral contact."""
    facts = {**NEUTRAL, **case.given}
    if isinstance(facts["at"], str):
        facts["at"] = datetime.fromisoformat(facts["at"])
    return facts


def _got(rule: Rule, case: Case, rules: Iterable[Rule]) -> str:
    facts = facts_of(case)
    if case.beside:
        return _together(rule, case, facts, rules)
    if not in_force(rule, facts):
        return "silent"
    verdict = ask(rule, facts)
    # A case that names no reason tests the effect alone.
    return _written(verdict, with_reason=case.reason is not None)


def _together(rule: Rule, case: Case, facts: Mapping[str, object], rules: Iterable[Rule]) -> str:
    """Return what the rule and those beside it answer together, with the first reason.

    They are looked for among `rules` first, then in the built-in packs.
    """
    named = {one.id for one in rules}
    others = [one for one in rules if one.id in case.beside]
    others += [
        one for one in load_packs(pack_names()) if one.id in case.beside and one.id not in named
    ]
    unknown = sorted(set(case.beside) - {one.id for one in others})
    if unknown:
        return "no rule " + ", ".join(unknown)
    answer = decide((rule, *others), facts)
    reason = next((one.reason for one in answer.verdicts if one.effect == answer.effect), "")
    verdict = Verdict(rule_id=rule.id, effect=answer.effect, until=answer.until, reason=reason)
    return _written(verdict, with_reason=case.reason is not None)


def _expected(case: Case) -> str:
    if case.until is not None:
        return f"delay until {_moment(case.until)}"
    return case.effect if case.reason is None else f"{case.effect} {case.reason}"


def _written(verdict: Verdict, *, with_reason: bool) -> str:
    if verdict.until is not None:
        return f"{verdict.effect} until {_moment(verdict.until)}"
    return f"{verdict.effect} {verdict.reason}".strip() if with_reason else verdict.effect


def _moment(instant: datetime) -> str:
    return zones.to_instant(zones.to_epoch(instant)).isoformat()
