"""The command line: each command in a module of its own, imported when it is called."""

from __future__ import annotations

import os
import sys
import zoneinfo
from typing import NoReturn

from cyclopts import App
from cyclopts.exceptions import CycloptsError

from duly.cli import output, settings
from duly.core.errors import Refused
from duly.core.words import say

#: Command name → where it is; groups hold their own commands.
COMMANDS = {
    "check": "duly.cli.book:check",
    "snapshot": "duly.cli.book:snapshot",
    "position": "duly.cli.position:position",
    "plan": "duly.cli.plan:plan",
    "explain": "duly.cli.plan:explain",
    "replay": "duly.cli.plan:replay",
    "report": "duly.cli.plan:report",
    "demo": "duly.cli.demo:demo",
    "bench": "duly.cli.bench:bench",
    "doctor": "duly.cli.doctor:doctor",
    "reference": "duly.cli.doctor:reference",
}
GROUPS = {
    "policy": {"check": "duly.cli.policy:check"},
    "rules": {
        "list": "duly.cli.rules:list_rules",
        "test": "duly.cli.rules:test",
        "show": "duly.cli.rules:show",
    },
}


def build() -> App:
    """Return the application; the help of each command comes from the catalogue."""
    locale = settings.locale()
    app = App(name="duly", help=say("cli", "duly", locale), version_flags=["--version"])
    for name, target in COMMANDS.items():
        app.command(target, name=name, help=say("cli", f"{name}.help", locale))
    for group, commands in GROUPS.items():
        inner = App(name=group, help=say("cli", f"{group}.help", locale))
        for name, target in commands.items():
            inner.command(target, name=name, help=say("cli", f"{group}_{name}.help", locale))
        app.command(inner)
    return app


def prepare() -> None:
    """Settle what the process reads from outside: time zones from the wheel, kernels cached."""
    zoneinfo.reset_tzpath(to=())
    cache = settings.home() / "kernels"
    os.environ.setdefault("NUMBA_CACHE_DIR", str(cache.absolute()))


def run(tokens: list[str]) -> int:
    """Run one command line and return its exit code (contract, section 4)."""
    prepare()
    try:
        result = build()(
            tokens, exit_on_error=False, print_error=True, result_action="return_value"
        )
    except Refused as refused:
        output.diagnostics(refused.diagnostics, settings.locale())
        return output.REFUSED
    except CycloptsError:
        return output.REFUSED
    except BrokenPipeError:
        sys.stderr.close()
        return output.DONE
    return result if isinstance(result, int) else output.DONE


def main() -> NoReturn:
    """Run the command line of this process."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
