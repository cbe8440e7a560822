"""`duly doctor` and `duly reference`: what Duly runs on; its reference pages from the code."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Annotated

from duly.cli import arguments, output, settings
from duly.core.words import say

_PACKAGES = ("duly", "duckdb", "pyarrow", "numpy", "numba", "sqlglot", "minijinja", "tzdata")


def doctor(
    *,
    warm: Annotated[bool, arguments.named("--warm", "option.warm")] = False,
    json: arguments.Json = False,
) -> int:
    """Say what Duly runs on, and compile the kernels when asked; 1 where something is wrong."""
    from duly import book as books

    locale = settings.locale()
    given = settings.lender_file(None)
    lender = books.load_lender(given)
    home = settings.home().absolute()
    usable = _writable(home)
    found = {"python": platform.python_version(), "cores": str(os.cpu_count())}
    found |= {name: metadata.version(name) for name in _PACKAGES}
    found |= {
        "locale": locale,
        "lender": f"{lender.name} ({given or say('cli', 'lender_example', locale)})",
        "home": str(home) if usable else say("cli", "not_writable", locale, path=home),
        "keys": _keys(locale),
    }
    if warm:
        found["kernels"] = _warmed(locale)
    if json:
        output.as_json(found)
    else:
        for name, value in found.items():
            output.line(say("cli", "doctor_ok", locale, name=name, found=value))
    return output.DONE if usable else output.FOUND_WRONG


def _writable(folder: Path) -> bool:
    """Return whether the folder can be written to, or made."""
    near = next(one for one in (folder, *folder.parents) if one.exists())
    return near.is_dir() and os.access(near, os.W_OK | os.X_OK)


def _keys(locale: str) -> str:
    if os.environ.get("DULY_SECRET_KEYS"):
        return say("cli", "key_set", locale)
    path = settings.home().absolute() / "secret_keys"
    return say("cli", "key_here" if path.exists() else "key_none", locale, path=path)


def _warmed(locale: str) -> str:
    from duly import position

    started = time.perf_counter()
    position.warm()
    seconds = round(time.perf_counter() - started, 1)
    default = Path(position.__file__).with_name("__pycache__")
    path = os.environ.get("NUMBA_CACHE_DIR", str(default))
    return say("cli", "doctor_warmed", locale, seconds=seconds, path=path)


def reference(*, out: arguments.Out = Path("docs/reference")) -> int:
    """Write the reference pages from the code."""
    from duly.cli.reference import generate

    pages = generate(out)
    output.line(say("cli", "reference_written", settings.locale(), count=len(pages), out=out))
    return output.DONE
