"""`duly rules`: the law as dated data, its cases, one rule at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from duly.cli import arguments, output, settings
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    from duly.rules import CaseResult, Rule

Packs = Annotated[tuple[str, ...], arguments.worded("option.pack")]


def list_rules(*, pack: Packs = (), json: arguments.Json = False) -> int:
    """List the rules of the packs."""
    from duly import rules

    loaded = _loaded(pack)
    if json:
        output.as_json(rules.list_rules(loaded))
        return output.DONE
    locale = settings.locale()
    for rule, row in zip(loaded, rules.list_rules(loaded), strict=True):
        since = str(row["in_force_from"] or say("cli", "always", locale))
        checked = "+".join(
            say("rules", f"checked.{level}", locale) for level in rule.source.confidence
        )
        cells = ((rule.id, 20), (rule.force, 16), (since, 10), (checked, 22))
        told = "  ".join(_padded(text, width) for text, width in cells)
        output.line(f"{told}  {rule.says[locale]}")
    return output.DONE


def _padded(text: str, width: int) -> str:
    """Return a text with blanks up to a width in cells: a Chinese character fills two."""
    from rich.cells import cell_len

    return text + " " * (width - cell_len(text))


def test(*, pack: Packs = (), json: arguments.Json = False) -> int:
    """Run the cases of every rule."""
    from duly import rules

    locale = settings.locale()
    results = rules.test_cases(_loaded(pack))
    failed = [one for one in results if not one.passed]
    if json:
        told = [
            {"rule": one.rule_id, "file": one.file, "line": one.line, "expected": one.expected,
             "got": one.got}
            for one in failed
        ]  # fmt: skip
        output.as_json({"passed": len(results) - len(failed), "failed": told})
    else:
        output.diagnostics([_failure(one) for one in failed], locale)
        output.line(
            say("cli", "rules_passed", locale, passed=len(results) - len(failed),
                failed=len(failed))
        )  # fmt: skip
    return output.FOUND_WRONG if failed else output.DONE


def _failure(result: CaseResult) -> Diagnostic:
    values = {"id": result.rule_id, "expected": result.expected, "got": result.got}
    return Diagnostic(
        area="rules", code="case_failed", file=result.file, line=result.line, values=values
    )


def show(rule_id: Annotated[str, arguments.worded("option.rule")], /, *, pack: Packs = ()) -> int:
    """Show one rule with its source, dates and cases, or where the rulebook's entry is answered."""
    from duly import rules
    from duly.conditions import nearest

    loaded = _loaded(pack)
    locale = settings.locale()
    versions = [rule for rule in loaded if rule.id == rule_id]
    entries = [] if pack else [item for item in rules.coverage() if item.id == rule_id]
    if not versions and not entries:
        known = [rule.id for rule in loaded] + [item.id for item in rules.coverage()]
        near = nearest(rule_id.upper(), known)
        raise Refused(
            Diagnostic(area="cli", code="unknown_rule", values={"rule": rule_id, "near": near})
        )
    for rule in versions:
        output.line(rules.show(rule, locale))
    if not versions:
        for item in entries:
            output.line(rules.show_entry(item, loaded, locale))
    return output.DONE


def coverage(*, json: arguments.Json = False) -> int:
    """Say of every rule of the rulebook where it is answered."""
    from duly import rules

    rows, loaded = rules.coverage(), _loaded(())
    locale = settings.locale()
    counts = {answer: sum(row.answer == answer for row in rows) for answer in rules.ANSWERS}
    if json:
        told = [
            {"id": row.id, "as": row.answer, "by": list(row.by),
             "asked": list(rules.asked_where(row, loaded)),
             "why": rules.reason(row, loaded, locale)}
            for row in rows
        ]  # fmt: skip
        output.as_json({"counts": counts, "rules": told})
        return output.DONE
    for row in rows:
        answer = say("rules", f"answer.{row.answer}", locale)
        told_by = f"{', '.join(row.by)}. " if row.by else ""
        cells = _padded(row.id, 16) + _padded(answer, 20)
        output.line(f"{cells}{told_by}{rules.reason(row, loaded, locale)}")
    output.line(say("cli", "rules_covered", locale, count=len(rows), **counts))
    return output.DONE


def _loaded(pack: tuple[str, ...]) -> tuple[Rule, ...]:
    """Return the rules of the named packs and files, of all built-in packs where none is named."""
    from duly import rules

    return rules.read_packs(pack or rules.pack_names())
