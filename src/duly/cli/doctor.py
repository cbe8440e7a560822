"""`duly doctor` and `duly reference`: what Duly runs on; its reference pages from the code."""

from __future__ import annotations

import os
import platform
import time
from importlib import metadata
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from duly.cli import arguments, output, settings
from duly.core.words import say

_PACKAGES = ("duly", "duckdb", "pyarrow", "numpy", "numba", "sqlglot", "minijinja", "tzdata")


def doctor(
    *,
    warm: Annotated[
        bool, Parameter(negative=(), help=say("cli", "option.warm", settings.locale()))
    ] = False,
    json: arguments.Json = False,
) -> int:
    """Say what Duly runs on, and compile the kernels when asked."""
    found = {"python": platform.python_version(), "cores": str(os.cpu_count())}
    found |= {name: metadata.version(name) for name in _PACKAGES}
    found["home"] = str(settings.home().absolute())
    locale = settings.locale()
    if json:
        output.as_json(found)
    else:
        for name, value in found.items():
            output.line(say("cli", "doctor_ok", locale, name=name, found=value))
    if warm:
        from duly.position import warm as compile_kernels

        started = time.perf_counter()
        compile_kernels()
        seconds = round(time.perf_counter() - started, 1)
        path = os.environ.get("NUMBA_CACHE_DIR", "")
        output.line(say("cli", "doctor_warmed", locale, seconds=seconds, path=path))
    return output.DONE


def reference(*, out: arguments.Out = Path("docs/reference")) -> int:
    """Write the reference pages from the code."""
    from duly.cli.reference import generate

    pages = generate(out)
    output.line(say("cli", "reference_written", settings.locale(), count=len(pages), out=out))
    return output.DONE
