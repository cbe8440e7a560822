"""`duly rules`: the law as dated data, its cases, one rule at a time."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated

from duly.cli import arguments, output, settings
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    from duly.rules import Rule

Packs = Annotated[tuple[str, ...], arguments.worded("option.pack")]


def list_rules(*, pack: Packs = (), json: arguments.Json = False) -> int:
    """List the rules of the packs."""
    from duly import rules

    rows = rules.list_rules(_loaded(pack))
    if json:
        output.as_json(rows)
        return output.DONE
    locale = settings.locale()
    for row in rows:
        says = row["says"]
        told = says.get(locale, "") if isinstance(says, dict) else says
        since = row["in_force_from"] or say("cli", "always", locale)
        output.line(f"{row['id']:<20} {row['force']:<16} {since:<10}  {told}")
    return output.DONE


def test(*, pack: Packs = (), json: arguments.Json = False) -> int:
    """Run the cases of every rule."""
    from duly import rules

    locale = settings.locale()
    results = rules.test_cases(_loaded(pack))
    failed = [one for one in results if not one.passed]
    if json:
        output.as_json(
            {"passed": len(results) - len(failed), "failed": [str(one) for one in failed]}
        )
    else:
        for one in failed:
            output.error(str(one))
        output.line(
            say("cli", "rules_passed", locale, passed=len(results) - len(failed),
                failed=len(failed))
        )  # fmt: skip
    return output.FOUND_WRONG if failed else output.DONE


def show(rule_id: Annotated[str, arguments.worded("option.rule")], /, *, pack: Packs = ()) -> int:
    """Show one rule with its source, dates and cases."""
    from duly import rules

    loaded = _loaded(pack)
    versions = [rule for rule in loaded if rule.id == rule_id]
    if not versions:
        known = [rule.id for rule in loaded]
        near = get_close_matches(rule_id.upper(), known, n=1, cutoff=0.0)
        raise Refused(
            Diagnostic(area="cli", code="unknown_rule", values={"rule": rule_id, "near": near[0]})
        )
    for rule in versions:
        output.line(rules.show(rule, settings.locale()))
    return output.DONE


def coverage(*, json: arguments.Json = False) -> int:
    """Say of every rule of the rulebook where it is answered."""
    from duly import rules

    rows = rules.coverage()
    counts = {answer: sum(row.answer == answer for row in rows) for answer in rules.ANSWERS}
    if json:
        told = [
            {"id": row.id, "as": row.answer, "by": list(row.by), "why": row.why} for row in rows
        ]
        output.as_json({"counts": counts, "rules": told})
        return output.DONE
    locale = settings.locale()
    for row in rows:
        by = ", ".join(row.by)
        output.line(f"{row.id:<16} {row.answer:<15} {by or row.why}")
    output.line(say("cli", "rules_covered", locale, count=len(rows), **counts))
    return output.DONE


def _loaded(pack: tuple[str, ...]) -> tuple[Rule, ...]:
    """Return the rules of the named packs, of all built-in ones where none is named."""
    from duly import rules

    return rules.load_packs(pack or rules.pack_names())
