"""What may go wrong outside Duly's own checks, told in one sentence: a wrong call, a full disk."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal, get_args, get_origin

from cyclopts.exceptions import (
    CoercionError,
    CycloptsError,
    MissingArgumentError,
    RepeatArgumentError,
    UnknownCommandError,
    UnknownOptionError,
    UnusedCliTokensError,
    ValidationError,
)

from duly.cli import settings
from duly.core.diagnostic import Diagnostic
from duly.core.near import near
from duly.core.visible import visible
from duly.core.words import say

Read = tuple[str, str, list[str], dict[str, str]]

#: The engines' own names for what the machine refuses, and for damaged files.
_MACHINE = ("IOException", "OutOfMemoryException", "PermissionException")
_DAMAGED = ("InvalidInputException", "SerializationException")
_ARROW = ("ArrowInvalid", "ArrowMemoryError")
_DATABASE = ("OperationalError",)  #: gone, out of room or out of connections


def of_usage(error: CycloptsError) -> Diagnostic:
    """Return what is wrong with a command line, and the name that may have been meant."""
    code, name, known, more = _read(error)
    command = " ".join(("duly", *(error.command_chain or ())))
    return Diagnostic(
        area="cli",
        code=code,
        values={
            "near": _meant(name, known),
            "command": command,
            "name": name,
            **more,
        },
    )


def _read(error: CycloptsError) -> Read:
    """Return code, the word at fault, the words that could stand there, values for the sentence."""
    match error:
        case UnknownCommandError():
            commands = error.app._commands if error.app else {}  # noqa: SLF001 There is no other way.
            known = [name for name in commands if not name.startswith("-")]
            return "unknown_command", (error.unused_tokens or [""])[0], known, {}
        case UnknownOptionError():
            options = [name for one in error.argument_collection for name in one.names]
            return "unknown_option", error.token.keyword or error.token.value, options, {}
        case MissingArgumentError():
            name, left = error.keyword or _name(error), error.unused_tokens or []
            has = _options(error)
            strange = [one for one in left if one.startswith("-") and one not in has]
            misspelt = near(name, strange)
            if misspelt:
                return "unknown_option", misspelt, [name], {}
            return "missing_argument", name, [], {}
        case RepeatArgumentError():
            return "given_twice", error.token.keyword or "", [], {}
        case UnusedCliTokensError():
            return "too_many", (error.unused_tokens or [""])[0], [], {}
        case CoercionError() | ValidationError():
            return _bad_value(error)
    return "usage", str(error), [], {}


def _bad_value(error: CoercionError | ValidationError) -> Read:
    token = error.argument.tokens[-1] if error.argument and error.argument.tokens else None
    if isinstance(error, CoercionError) and error.token:
        token = error.token
    value = token.value if token else ""
    if isinstance(error, ValidationError):
        allowed, choices = error.exception_message, list[str]()
    else:
        choices = _choices(error.target_type)
        listed = say("cli", "one_of", settings.locale(), values=", ".join(choices))
        allowed = listed if choices else ""
    name = (token.keyword if token else None) or _name(error)
    more = {"value": value, "allowed": allowed, "near": _meant(value, choices)}
    return "bad_value", name, [], more


def _meant(word: str, known: Iterable[str]) -> str:
    """Return the question for the nearest known word, or an empty text where none is near."""
    meant = near(word, known)
    return say("cli", "did_you_mean", settings.locale(), near=visible(meant)) if meant else ""


def _options(error: CycloptsError) -> set[str]:
    """Return the options that the command at fault has."""
    if error.app is None:
        return set()
    return {name for one in error.app.assemble_argument_collection() for name in one.names}


def _choices(kind: object) -> list[str]:
    if get_origin(kind) is Literal:
        return [str(one) for one in get_args(kind)]
    return [name for one in get_args(kind) for name in _choices(one)]


def _name(error: CycloptsError) -> str:
    return error.argument.name if error.argument else ""


def of_machine() -> tuple[type[BaseException], ...]:
    """Return the exceptions by which the machine refuses; engines that are not loaded raise none.

    Asked only when something was raised: the start of a command stays light.
    """
    return (OSError, MemoryError, *_of("duckdb", _MACHINE + _DAMAGED), *_of("pyarrow", _ARROW),
            *_of("psycopg", _DATABASE))  # fmt: skip


def of_interruption() -> tuple[type[BaseException], ...]:
    """Return the exceptions by which DuckDB may tell that a signal came during a query."""
    return (RuntimeError, *_of("duckdb", ("InterruptException",)))


def is_interruption(error: BaseException) -> bool:
    """Say whether one of those tells of a signal, not of a fault."""
    return type(error).__name__ == "InterruptException" or "Query interrupted" in str(error)


def _of(module: str, names: tuple[str, ...]) -> list[type[BaseException]]:
    loaded = sys.modules.get(module)
    return [getattr(loaded, name) for name in names if hasattr(loaded, name)]


def told(error: BaseException) -> Diagnostic:
    """Return what the machine refused, with the path where it is known."""
    name = type(error).__name__
    first = " ".join(str(error).split("\n")[0].split())
    if isinstance(error, MemoryError) or "Memory" in name:
        return Diagnostic(area="cli", code="out_of_memory")
    if isinstance(error, OSError) and error.strerror:
        path = error.filename2 or error.filename
        values = {"path": _path(path) if path else "", "why": error.strerror}
        return Diagnostic(area="cli", code="cannot_use" if path else "cannot_go_on", values=values)
    if name in _DAMAGED or name.startswith("Arrow"):
        return Diagnostic(area="cli", code="damaged", values={"why": first})
    return Diagnostic(area="cli", code="cannot_go_on", values={"why": first})


def _path(name: object) -> str:
    return str(Path(name.decode(errors="replace") if isinstance(name, bytes) else str(name)))
