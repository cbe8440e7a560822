"""The command line: each command in a module of its own, imported when it is called."""

from __future__ import annotations

import gc
import os
import signal
import sys
import zoneinfo
from importlib import resources
from types import FrameType
from typing import NoReturn

from cyclopts import App
from cyclopts.exceptions import CycloptsError

from duly.cli import failures, output, settings
from duly.core.errors import Refused
from duly.core.words import say

#: Command name → where it is, in the order of the work; groups hold their own commands.
COMMANDS = {
    "demo": "duly.cli.demo:demo",
    "check": "duly.cli.book:check",
    "snapshot": "duly.cli.book:snapshot",
    "position": "duly.cli.position:position",
    "plan": "duly.cli.plan:plan",
    "explain": "duly.cli.plan:explain",
    "replay": "duly.cli.plan:replay",
    "report": "duly.cli.plan:report",
    "load": "duly.cli.facts:load",
    "events": "duly.cli.facts:events",
    "send": "duly.cli.sending:send",
    "approve": "duly.cli.sending:approve",
    "stop": "duly.cli.sending:stop",
    "recall": "duly.cli.recalling:recall",
    "daily": "duly.cli.daily:daily",
    "worker": "duly.cli.sending:worker",
    "status": "duly.cli.sending:status",
    "metrics": "duly.cli.metrics:metrics",
    "serve": "duly.cli.serving:serve",
    "doctor": "duly.cli.doctor:doctor",
    "bench": "duly.cli.bench:bench",
    "migrate": "duly.cli.db:migrate",
    "reference": "duly.cli.doctor:reference",
}
GROUPS = {
    "bench": {"text": "duly.cli.bench_text:text"},
    "audit": {
        "verify": "duly.cli.audit:verify",
        "export": "duly.cli.audit:export",
        "check": "duly.cli.audit:check",
    },
    "daily": {"list": "duly.cli.daily:list_days"},
    "db": {
        "start": "duly.cli.db:start",
        "stop": "duly.cli.db:stop",
        "status": "duly.cli.db:status",
        "backup": "duly.cli.db:backup",
        "restore": "duly.cli.db:restore",
    },
    "keys": {
        "create": "duly.cli.keys:create",
        "list": "duly.cli.keys:list_keys",
        "rotate": "duly.cli.keys:rotate",
        "revoke": "duly.cli.keys:revoke",
    },
    "staff": {
        "add": "duly.cli.staff:add",
        "list": "duly.cli.staff:list_staff",
        "reset": "duly.cli.staff:reset",
        "disable": "duly.cli.staff:disable",
    },
    "endpoints": {
        "add": "duly.cli.endpoints:add",
        "list": "duly.cli.endpoints:list_endpoints",
        "rotate": "duly.cli.endpoints:rotate",
        "disable": "duly.cli.endpoints:disable",
        "dead": "duly.cli.endpoints:dead",
        "replay": "duly.cli.endpoints:replay",
    },
    "privacy": {
        "delete": "duly.cli.privacy:delete",
        "hold": "duly.cli.privacy:hold",
        "retain": "duly.cli.privacy:retain",
        "rewrap": "duly.cli.privacy:rewrap",
    },
    "policy": {"check": "duly.cli.policy:check", "diff": "duly.cli.policy_diff:diff"},
    "replies": {
        "read": "duly.cli.replies:read",
        "list": "duly.cli.tasks:list_replies",
        "train": "duly.cli.replies:train",
    },
    "risk": {
        "train": "duly.cli.risk:train",
        "score": "duly.cli.risk:score",
        "report": "duly.cli.risk:report",
        "promote": "duly.cli.risk:promote",
    },
    "learn": {
        "plan": "duly.cli.learn:plan",
        "report": "duly.cli.learn:report",
        "value": "duly.cli.learn:value",
    },
    "dead": {
        "list": "duly.cli.dead:list_dead",
        "retry": "duly.cli.dead:retry",
        "close": "duly.cli.dead:close",
    },
    "tasks": {
        "list": "duly.cli.tasks:list_tasks",
        "close": "duly.cli.tasks:close",
        "papers": "duly.cli.tasks:papers",
    },
    "rules": {
        "list": "duly.cli.rules:list_rules",
        "test": "duly.cli.rules:test",
        "show": "duly.cli.rules:show",
        "coverage": "duly.cli.rules:coverage",
    },
    "messages": {
        "lint": "duly.cli.lint:lint",
        "preview": "duly.cli.templates:preview",
        "diff": "duly.cli.templates:diff",
        "publish": "duly.cli.templates:publish",
    },
}


class Stopped(BaseException):
    """The process was asked to end; what is half done is taken back on the way out."""

    def __init__(self, number: int) -> None:
        self.number = number
        super().__init__(number)


def build() -> App:
    """Return the application; the help of each command comes from the catalogue."""
    locale = settings.locale()
    app = App(
        name="duly",
        help=say("cli", "duly", locale),
        help_epilogue=_example("duly", locale),
        help_format="plaintext",
        version_flags=["--version"],
        group_commands=say("cli", "commands", locale),
        group_parameters=say("cli", "options", locale),
        group_arguments=say("cli", "arguments", locale),
        suppress_keyboard_interrupt=False,
    )
    app["--help"].help = say("cli", "option_help", locale)
    app["--version"].help = say("cli", "option_version", locale)
    for place, (name, target) in enumerate(COMMANDS.items()):
        app.command(
            target, name=name, help=say("cli", f"{name}.help", locale),
            help_epilogue=_example(name, locale), sort_key=place,
        )  # fmt: skip
    for group, commands in GROUPS.items():
        # A command may have commands of its own beside what it does by itself: `duly bench`.
        inner = app[group] if group in COMMANDS else App(
            name=group, help=say("cli", f"{group}.help", locale),
            help_epilogue=_example(group, locale), sort_key=len(COMMANDS),
        )  # fmt: skip
        for name, target in commands.items():
            key = f"{group}_{name}"
            inner.command(
                target, name=name, help=say("cli", f"{key}.help", locale),
                help_epilogue=_example(key, locale),
            )  # fmt: skip
        if group not in COMMANDS:
            app.command(inner)
    return app


def _example(key: str, locale: str) -> str:
    return say("cli", "example", locale, example=say("cli", f"examples.{key}", locale))


def prepare() -> None:
    """Settle what the process reads from outside: streams, time zones, kernels, signals."""
    output.prepare()
    # A short life with many lasting objects: to look for cycles after every 700 finds none.
    gc.set_threshold(200_000, 20, 100)
    zoneinfo.reset_tzpath(to=())
    # Kernels are kept beside their source; where that is read-only, under DULY_HOME; else nowhere,
    # and are compiled again by each command: a shared temporary folder could be another's.
    if not os.access(str(resources.files("duly").joinpath("position")), os.W_OK):
        kernels = (settings.home() / "kernels").absolute()
        near = next(one for one in (kernels, *kernels.parents) if one.exists())
        if os.access(near, os.W_OK | os.X_OK):
            os.environ.setdefault("NUMBA_CACHE_DIR", str(kernels))
        elif "NUMBA_CACHE_DIR" not in os.environ:
            os.environ["DULY_KERNELS_NOT_KEPT"] = "1"
    signal.signal(signal.SIGTERM, _stop)


def _stop(number: int, _frame: FrameType | None) -> None:
    _asked.append(number)
    raise Stopped(number)


#: The signals that asked this process to end; an engine may tell of them by an error of its own.
_asked: list[int] = []


def run(tokens: list[str]) -> int:
    """Run one command line and return its exit code (contract, section 4)."""
    try:
        result = build()(
            tokens, exit_on_error=False, print_error=False, result_action="return_value"
        )
        output.flush()
    except Refused as refused:
        output.diagnostics(refused.diagnostics, settings.locale())
        return output.REFUSED
    except CycloptsError as error:
        output.diagnostics([failures.of_usage(error)], settings.locale())
        return output.REFUSED
    except output.UnprintedError as failure:
        output.error(say("cli", "unprinted", settings.locale(), why=failure))
        return output.REFUSED
    except SystemExit:  # So rich leaves when nobody reads the help to its end.
        return output.DONE
    except failures.of_machine() as error:
        output.diagnostics([failures.told(error)], settings.locale())
        return output.REFUSED
    except KeyboardInterrupt:
        output.error(say("cli", "interrupted", settings.locale()))
        return output.STOPPED + signal.SIGINT
    except Stopped as stopped:
        output.error(say("cli", "interrupted", settings.locale()))
        return output.STOPPED + stopped.number
    except failures.of_interruption() as error:
        if not failures.is_interruption(error):
            raise
        output.error(say("cli", "interrupted", settings.locale()))
        return output.STOPPED + (_asked[-1] if _asked else signal.SIGINT)
    return result if isinstance(result, int) else output.DONE


def main() -> NoReturn:
    """Run the command line of this process."""
    prepare()
    code = run(sys.argv[1:])
    output.close()
    # All is written: taking a gigabyte of memory apart by the piece would only take time.
    os._exit(code)


if __name__ == "__main__":
    main()
