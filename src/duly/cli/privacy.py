"""`duly privacy`: delete a person's data, keep them for a court, let go what is past its term."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated

from duly.cli import arguments, output, settings
from duly.cli.opening import legal_now, opened_store
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

Borrower = Annotated[str, arguments.worded("option.borrower")]
By = Annotated[str, arguments.worded("option.by")]
Because = Annotated[str, arguments.worded("option.because")]
At = Annotated[str | None, arguments.worded("option.at_legal")]


def delete(
    borrower_id: Borrower,
    /,
    *,
    by: By,
    because: Because,
    yes: Annotated[bool, arguments.named("--yes", "option.yes")] = False,
    at: At = None,
    lender: arguments.LenderFile = None,
    json: arguments.Json = False,
) -> int:
    """Destroy a person's key and empty his rows; refused, with every reason, where law keeps them.

    Without --yes it says only whether anything forbids it.
    """
    from duly import book as books

    file, now = books.load_lender(settings.lender_file(lender)), legal_now(at)
    with opened_store():
        from duly.service.privacy import deleting

        if not yes:
            against = deleting.standing_against(borrower_id, lender=file, at=now())
            unconfirmed = Diagnostic(
                area="privacy", code="unconfirmed", values={"borrower": borrower_id}
            )
            raise Refused(*([one.diagnostic for one in against] or [unconfirmed]))
        done = deleting.delete(borrower_id, by=by, because=because, lender=file, at=now())
    if json:
        output.as_json(
            {
                "borrower_id": borrower_id,
                "under": done.under,
                "rows": done.rows,
                "letters": asdict(done.letters),
            }
        )
    else:
        told = {"borrower": borrower_id, "under": done.under, "rows": sum(done.rows.values())}
        output.line(say("privacy", "deleted", settings.locale(), **told))
        _tell_letters(done.letters.counts)
    return output.FOUND_WRONG if done.letters.unreached else output.DONE


def _tell_letters(counts: Mapping[str, int]) -> None:
    """Say what became of letters that waited for a print house."""
    for name, count in counts.items():
        output.line("  " + say("privacy", f"letters_{name}", settings.locale(), count=count))


def hold(
    borrower_id: Borrower,
    /,
    *,
    by: By,
    because: Annotated[str, arguments.worded("option.because")] = "",
    lift: Annotated[bool, arguments.named("--lift", "option.lift_hold")] = False,
) -> int:
    """Keep a person's data for a court or an authority, until the hold is lifted."""
    with opened_store():
        from duly.service.privacy import holding

        if lift:
            holding.release(borrower_id, by=by)
        else:
            holding.hold(borrower_id, by=by, because=because)
    key = "released" if lift else "held"
    output.line(say("privacy", key, settings.locale(), borrower=borrower_id, by=by))
    return output.DONE


def retain(
    *,
    at: At = None,
    dry_run: Annotated[bool, arguments.named("--dry-run", "option.dry_run")] = False,
    lender: arguments.LenderFile = None,
    json: arguments.Json = False,
) -> int:
    """Destroy what is past the term of the packs' rules, and nothing else forbids; recorded."""
    from duly import book as books

    file, now = books.load_lender(settings.lender_file(lender)), legal_now(at)
    with opened_store():
        from duly.service.privacy.retaining import retain as apply

        found = apply(lender=file, at=now(), dry=dry_run)
    code = output.FOUND_WRONG if found.letters.get("unreached") else output.DONE
    if json:
        output.as_json(asdict(found))
        return code
    locale = settings.locale()
    told = {"people": found.people, "reports": found.reports, "before": found.before,
            "rules": ", ".join(found.rules)}  # fmt: skip
    output.line(say("privacy", "would_retain" if dry_run else "retained", locale, **told))
    for kind, count in sorted(found.held.items()):
        output.line("  " + say("privacy", f"held_by.{kind}", locale, count=count))
    _tell_letters(found.letters)
    return code


def rewrap(*, json: arguments.Json = False) -> int:
    """Put the borrowers' keys under the first of DULY_SECRET_KEYS."""
    with opened_store():
        from django.db import connection

        from duly.service import borrower_keys

        connection.ensure_connection()
        assert connection.connection is not None
        count = borrower_keys.rewrap(connection.connection)
        first = borrower_keys.masters()[0].key_id
    if json:
        output.as_json({"rewrapped": count, "master": first})
    else:
        output.line(say("privacy", "rewrapped", settings.locale(), count=count, master=first))
    return output.DONE
