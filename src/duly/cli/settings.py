"""What the environment says: where Duly lives, which lender, which language, which keys."""

from __future__ import annotations

import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from duly.core import files
from duly.core.check_key import CheckKey, read_keys
from duly.core.words import catalogue, known_locale, say

KEY_BYTES = 32


def home() -> Path:
    """Return DULY_HOME (default `./.duly`)."""
    return Path(os.environ.get("DULY_HOME") or ".duly")


def plans() -> Path:
    """Return where the service keeps plans: DULY_PLANS, else `plans` under DULY_HOME."""
    return Path(os.environ.get("DULY_PLANS") or home() / "plans")


def database_url() -> str:
    """Return DULY_DATABASE_URL; empty means the server of DULY_HOME."""
    return os.environ.get("DULY_DATABASE_URL", "")


def locale() -> str:
    """Return the language of the terminal: DULY_LOCALE, else LC_ALL, LC_MESSAGES, LANG."""
    for name in ("DULY_LOCALE", "LC_ALL", "LC_MESSAGES", "LANG"):
        if os.environ.get(name):
            return known_locale(os.environ[name])
    return "en"


def lender_file(given: Path | None) -> Path | None:
    """Return the lender file: the option, else DULY_LENDER, else None (the built-in example)."""
    if given is not None:
        return given
    named = os.environ.get("DULY_LENDER")
    return Path(named) if named else None


def reason_name(code: str, language: str) -> str:
    """Return the short name of a reason code, or the code where it has none of its own."""
    entries = catalogue("reasons", known_locale(language))
    base = code.partition(":")[0]
    return entries.get(f"name.{code}") or entries.get(f"name.{base}") or code


@dataclass(frozen=True, kw_only=True)
class Keys:
    """The keys behind check codes: the first signs, all verify."""

    keys: tuple[CheckKey, ...]

    @property
    def first(self) -> CheckKey:
        """The key that signs."""
        return self.keys[0]

    def named(self, key_id: str) -> CheckKey | None:
        """Return one key by its id, or None where this machine does not have it."""
        return next((key for key in self.keys if key.key_id == key_id), None)


def keys(*, make: bool) -> Keys:
    """Return the keys of DULY_SECRET_KEYS, else of DULY_HOME; make one there if asked to."""
    text = os.environ.get("DULY_SECRET_KEYS", "")
    path = home() / "secret_keys"
    if not text and path.exists():
        text = path.read_text(encoding="utf-8").strip()
    if not text and make:
        made = f"k1:{secrets.token_hex(KEY_BYTES)}"
        text = files.put_first(path, made + "\n").strip()
        if text == made:
            sys.stderr.write(say("plan", "key_made", locale(), path=path) + "\n")
    return Keys(keys=read_keys(text))
