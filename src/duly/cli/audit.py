"""`duly audit`: is the record of what happened whole, and what of it proves one loan's story?"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from duly.cli import arguments, output, settings
from duly.core import files
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import say

if TYPE_CHECKING:
    from duly.audit.signing import SigningKey

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


def verify(*, json: arguments.Json = False) -> int:
    """Work the whole log out again; 1 where something does not fit."""
    import psycopg

    from duly.service import borrower_keys, postgres, sealing

    key = signing_key(make=False)
    public = None if key is None else key.public
    borrower_keys.use(lambda: settings.keys(make=False).keys)
    with (
        postgres.opened(settings.home(), settings.database_url()) as url,
        psycopg.connect(url, autocommit=True) as connection,
    ):
        found = sealing.verify(connection, public=public)
    if json:
        output.as_json(
            {
                "size": found.size,
                "root": found.root.hex(),
                "signed": public is not None,
                "forgotten": found.forgotten,
                "wrong": [{"code": one.code, "subject": one.subject} for one in found.wrong],
            }
        )
    else:
        locale = settings.locale()
        for one in found.wrong:
            output.error(say("service", f"wrong.{one.code}", locale, subject=one.subject))
        key_word = "log_whole" if not found.wrong else "log_broken"
        output.line(
            say("service", key_word, locale, size=found.size, root=found.root.hex(),
                count=len(found.wrong))
        )  # fmt: skip
        if found.forgotten:
            output.line(say("service", "log_forgotten", locale, count=found.forgotten))
        if public is None:
            output.line(say("service", "log_unsigned", locale))
    return output.FOUND_WRONG if found.wrong else output.DONE


def export(
    loan_id: Annotated[str, arguments.worded("option.loan")],
    /,
    *,
    out: Annotated[Path | None, arguments.worded("option.out_bundle")] = None,
    by: Annotated[str | None, arguments.worded("option.by_export")] = None,
    lender: arguments.LenderFile = None,
    json: arguments.Json = False,
) -> int:
    """Write a bundle that a third party checks without us; that it was written is recorded."""
    from duly import book as books
    from duly.cli.opening import opened_store

    file, now = books.load_lender(settings.lender_file(lender)), datetime.now(UTC)
    key = signing_key(make=False)
    if key is None:
        path = settings.home() / "signing_key"
        raise Refused(Diagnostic(area="evidence", code="no_signing_key", values={"path": path}))
    place = out if out is not None else _place(loan_id, now)
    with opened_store():
        from duly.service.evidence.exporting import export as written
        from duly.service.operations.releasing import person

        name = person(by if by is not None else _account())
        found = written(loan_id, out=place, by=name, lender=file, key=key, now=now)
    if json:
        output.as_json(
            {"out": str(place), "rows": found.rows, "forgotten": found.forgotten,
             "size": found.size, "key": found.fingerprint}
        )  # fmt: skip
        return output.DONE
    locale = settings.locale()
    told = {"rows": found.rows, "out": place, "key": found.fingerprint}
    output.line(say("evidence", "exported", locale, **told))
    if found.forgotten:
        output.line(say("evidence", "exported_forgotten", locale, count=found.forgotten))
    return output.DONE


def check(
    bundle: Annotated[Path, arguments.worded("option.bundle")],
    /,
    *,
    key: Annotated[str | None, arguments.worded("option.key")] = None,
    json: arguments.Json = False,
) -> int:
    """Check a bundle offline: no database, network or DULY_HOME is asked."""
    from duly.audit import bundle as bundles

    try:
        found = bundles.check(bundle, key=key)
    except bundles.RefusedBundle as refused:
        raise Refused(Diagnostic(area="bundle", code=refused.code, file=refused.file)) from None
    output.diagnostics(
        [
            Diagnostic(area="bundle", code=one.code, file=one.file, line=one.line)
            for one in found.wrong
        ],
        settings.locale(),
    )
    if json:
        output.as_json(
            {**vars(found), "pinned": key is not None,
             "wrong": [vars(one) for one in found.wrong]}
        )  # fmt: skip
    else:
        _tell(found, pinned=key is not None)
    return output.FOUND_WRONG if found.wrong else output.DONE


def _tell(found: object, *, pinned: bool) -> None:
    from duly.audit.bundle import Checked

    assert isinstance(found, Checked)
    locale = settings.locale()
    told = {
        "rows": found.rows, "loan": found.loan_id, "made": found.made_at, "days": found.days,
        "root": found.root, "size": found.size, "count": len(found.wrong),
    }  # fmt: skip
    output.line(say("evidence", "broken" if found.wrong else "whole", locale, **told))
    if found.forgotten:
        output.line(say("evidence", "check_forgotten", locale, count=found.forgotten))
    key_word = "pinned" if pinned and not found.wrong else "unpinned"
    output.line(say("evidence", key_word, locale, key=found.fingerprint))


def _place(loan_id: str, now: datetime) -> Path:
    """Return where a bundle goes that nobody gave a place: no loan's id leads elsewhere."""
    import hashlib

    digest = hashlib.sha256(loan_id.encode()).hexdigest()[:16]
    name = loan_id if _PLAIN_NAME.fullmatch(loan_id) else digest
    return Path(f"evidence-{name}-{now:%Y%m%dT%H%M%SZ}.zip")


def _account() -> str:
    """Return who the machine says is asking, where nobody gave a name."""
    import getpass

    try:
        return f"account {getpass.getuser()}"
    except (KeyError, OSError):
        return "account unknown"


def signing_key(*, make: bool) -> SigningKey | None:
    """Return the key of DULY_HOME that signs roots; make one there if asked to, 0600."""
    from duly.audit.signing import SEED_BYTES, SigningKey

    path: Path = settings.home() / "signing_key"
    if path.exists():
        text = path.read_text(encoding="utf-8")
    elif make:
        text = files.put_first(path, secrets.token_hex(SEED_BYTES) + "\n")
    else:
        return None
    return SigningKey(seed=bytes.fromhex(text.strip()))
