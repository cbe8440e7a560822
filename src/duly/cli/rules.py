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

    by_id = {rule.id: rule for rule in _loaded(pack)}
    if rule_id not in by_id:
        near = get_close_matches(rule_id.upper(), by_id, n=1, cutoff=0.0)
        raise Refused(
            Diagnostic(area="cli", code="unknown_rule", values={"rule": rule_id, "near": near[0]})
        )
    output.line(rules.show(by_id[rule_id], settings.locale()))
    return output.DONE


def _loaded(pack: tuple[str, ...]) -> tuple[Rule, ...]:
    from duly import book as books
    from duly import rules

    names = pack or books.load_lender(settings.lender_file(None)).packs
    return rules.load_packs(names)
