"""`duly recall`: take back what was wrong, and see who has it."""

from __future__ import annotations

from typing import Annotated

from duly.cli import arguments, output, settings
from duly.cli.opening import legal_now, opened_store
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say


def recall(
    *,
    by: Annotated[str, arguments.worded("option.by")],
    run: Annotated[str | None, arguments.worded("option.recalled_run")] = None,
    template: Annotated[str | None, arguments.worded("option.recalled_template")] = None,
    at: Annotated[str | None, arguments.worded("option.at_legal")] = None,
    lender: arguments.LenderFile = None,
    json: arguments.Json = False,
) -> int:
    """Cancel what has not left, list who has it, hold them, draft a correction."""
    from duly import book as books
    from duly.plan.report.show import masked_address
    from duly.service.operations.recalling import recall as taken_back

    named = [("run", run), ("template", template)]
    given = [(scope, name) for scope, name in named if name is not None]
    if len(given) != 1:
        raise Refused(Diagnostic(area="service", code="one_recall"))
    (scope, name) = given[0]
    file = books.load_lender(settings.lender_file(lender))
    key = settings.keys(make=True).first
    with opened_store():
        found = taken_back(scope, name, by=by, lender=file, key=key, at=legal_now(at)())
    if json:
        output.as_json(
            {
                "scope": found.scope,
                "name": found.name,
                "cancelled": found.cancelled,
                "locked": found.locked,
                "drafted": found.drafted,
                "held_until": found.held_until.isoformat() if found.held_until else None,
                "corrections": list(found.corrections),
                "recipients": [
                    {
                        "message_id": one.message_id,
                        "borrower_id": one.borrower_id,
                        "business_date": one.business_date.isoformat(),
                        "channel": one.channel,
                        "address": masked_address(one.address),
                        "template": one.template,
                        "state": one.state,
                        "correction_id": one.correction_id,
                    }
                    for one in found.recipients
                ],
            }
        )
        return output.FOUND_WRONG if found.locked else output.DONE
    language = settings.locale()
    output.line(
        say("service", "recalled", language, scope=found.scope, name=found.name, by=by,
            cancelled=found.cancelled, count=len(found.recipients), drafted=found.drafted)
    )  # fmt: skip
    for one in found.recipients:
        state = say("service", f"state.{one.state}", language)
        output.line(
            f"  {one.message_id}  {one.borrower_id}  {one.business_date}  {one.channel}"
            f"  {masked_address(one.address)}  {one.template}  {state}"
        )
    if found.held_until is not None:
        output.line(say("service", "recall_holds", language, until=found.held_until.isoformat()))
    for sha in found.corrections:
        output.line(say("service", "recall_drafted", language, run=sha[:12]))
    if found.locked:
        output.line(say("service", "recall_locked", language, count=found.locked))
    return output.FOUND_WRONG if found.locked else output.DONE
