"""`duly audit`: is the record of what happened whole?"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from duly.cli import arguments, output, settings
from duly.core.words import say

if TYPE_CHECKING:
    from duly.audit.signing import SigningKey


def verify(*, json: arguments.Json = False) -> int:
    """Work the whole log out again; 1 where something does not fit."""
    import psycopg

    from duly.service import postgres, sealing

    key = signing_key(make=False)
    public = None if key is None else key.public
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
        if public is None:
            output.line(say("service", "log_unsigned", locale))
    return output.FOUND_WRONG if found.wrong else output.DONE


def signing_key(*, make: bool) -> SigningKey | None:
    """Return the key of DULY_HOME that signs roots; make one there if asked to, 0600."""
    from duly.audit.signing import SEED_BYTES, SigningKey

    path: Path = settings.home() / "signing_key"
    if path.exists():
        return SigningKey(seed=bytes.fromhex(path.read_text(encoding="utf-8").strip()))
    if not make:
        return None
    seed = secrets.token_bytes(SEED_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(seed.hex() + "\n")
    return SigningKey(seed=seed)
