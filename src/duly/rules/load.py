"""Which rules apply? Built-in packs by name, on a date, without what a lender switched off."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields, replace
from datetime import date
from functools import cache
from importlib import resources
from pathlib import Path

from duly.book.lender import Lender
from duly.conditions import Condition, nearest
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.rules.located import FILE_BYTES_MAX
from duly.rules.model import (
    Bar,
    Cap,
    CapCount,
    Check,
    Parts,
    Require,
    Rule,
    Span,
    Term,
    Text,
    Window,
    Words,
)
from duly.rules.pack import read_pack

_SUFFIX = ".yaml"
#: The part of a pack that no plan asks stands in a file of its own, so that no plan reads it; what
#: is asked of texts stands in another, for its length.
_DOOR, _TEXTS = ".door", ".text"


def pack_names() -> tuple[str, ...]:
    """Return the names of the built-in packs, sorted."""
    folder = resources.files("duly.rules").joinpath("packs")
    return tuple(
        sorted(
            item.name.removesuffix(_SUFFIX)
            for item in folder.iterdir()
            if item.name.endswith(_SUFFIX)
            and not item.name.endswith((_DOOR + _SUFFIX, _TEXTS + _SUFFIX))
        )
    )


def load_packs(names: Sequence[str], *, door: bool = True) -> tuple[Rule, ...]:
    """Return the rules of the named packs, in the order of the names and files.

    Without `door`, what only a door asks is left out where it stands in a file of its own.
    Refuses unknown names, packs with mistakes, and a rule id that two packs share.
    """
    known = pack_names()
    wrong = [
        _finding("unknown", what="pack", value=name, suggestion=nearest(name, known))
        for name in names
        if name not in known
    ]
    if wrong:
        raise Refused(*wrong)
    return join_packs(*(_built_in(name, door) for name in dict.fromkeys(names)))


def read_packs(names_or_files: Sequence[str]) -> tuple[Rule, ...]:
    """Return the rules of packs that are built in and of files: `mine.yaml`, `./mine`.

    Refuses as `load_packs` does, after every file was read, and files that cannot be read.
    """
    packs: list[tuple[Rule, ...]] = []
    wrong: list[Diagnostic] = []
    for one in dict.fromkeys(names_or_files):
        try:
            packs.append(_of_file(one) if _is_file(one) else load_packs((one,)))
        except Refused as refused:
            wrong += refused.diagnostics
    if wrong:
        raise Refused(*wrong)
    return join_packs(*packs)


def _is_file(name: str) -> bool:
    return name.endswith((".yaml", ".yml")) or "/" in name or "\\" in name


def _of_file(file: str) -> tuple[Rule, ...]:
    try:
        with Path(file).open("rb") as opened:
            data = opened.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        problem = error.strerror or type(error).__name__
        raise Refused(_finding("unreadable", file=file, problem=problem)) from error
    if len(data) > FILE_BYTES_MAX:
        raise Refused(_finding("too_big", file=file, most=FILE_BYTES_MAX))
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        before = data[data.rfind(b"\n", 0, error.start) + 1 : error.start]
        column = str(len(before.decode("utf-8")) + 1)
        raise Refused(
            Diagnostic(area="rules", code="not_utf8", file=file, line=line, column=column)
        ) from error
    return parse_pack(text, file=file)


def join_packs(*packs: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """Return the rules of several packs as one; refuse a rule id or name that two packs share.

    Versions of one rule, of one pack, stay side by side.
    """
    of_id: dict[str, int] = {}
    of_name: dict[str, int] = {}
    for number, pack in enumerate(packs):
        for rule in pack:
            first = of_id.setdefault(rule.id, number), of_name.setdefault(rule.name, number)
            if first != (number, number):
                raise Refused(_finding("rule_twice", id=rule.id, line=rule.line))
    return tuple(rule for pack in packs for rule in pack)


def parse_pack(text: str, *, file: str) -> tuple[Rule, ...]:
    """Return the rules of a pack's text; refuse it with every mistake and its position."""
    rules, diagnostics = read_pack(text, file)
    if diagnostics:
        raise Refused(*diagnostics)
    return rules


@cache
def _built_in(name: str, door: bool) -> tuple[Rule, ...]:
    parts = [part for part in _parts(name) if door or not part.endswith(_DOOR)]
    return tuple(
        rule for part in parts for rule in parse_pack(_text(part), file=f"packs/{part}{_SUFFIX}")
    )


@cache
def _parts(name: str) -> tuple[str, ...]:
    folder = resources.files("duly.rules").joinpath("packs")
    more = (name + _TEXTS, name + _DOOR)
    return (name, *(one for one in more if folder.joinpath(one + _SUFFIX).is_file()))


@cache
def _text(part: str) -> str:
    file = resources.files("duly.rules").joinpath("packs", part + _SUFFIX)
    return file.read_text(encoding="utf-8")


def pack_texts(names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Return the files of the named packs, each by its name, in the order of the names."""
    return tuple((part, _text(part)) for name in names for part in _parts(name))


def packs_sha256(names: Sequence[str]) -> str:
    """Return the fingerprint of the named packs' files, in the order of the names."""
    return digest.of_leaves(f"{part}\0{text}".encode() for part, text in pack_texts(names))


def rules_sha256(rules: Iterable[Rule]) -> str:
    """Return the fingerprint of what the rules ask and when; cases and positions do not enter."""
    return digest.of_value(
        [
            [
                rule.id,
                rule.pack,
                rule.force,
                rule.about,
                rule.binds,
                rule.in_force_from.isoformat(),
                None if rule.in_force_to is None else rule.in_force_to.isoformat(),
                list(rule.requires),
                type(rule.primitive).__name__,
                _plain(rule.primitive),
            ]
            for rule in sorted(rules, key=lambda rule: (rule.id, rule.in_force_from))
        ]
    )


def _plain(value: object) -> object:
    """Return a primitive as JSON values; a condition is its text."""
    if isinstance(value, Condition):
        return value.text
    if isinstance(value, Window | Cap | CapCount | Bar | Check | Require | Text | Parts | Term):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Words | Span):
        return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    assert value is None or isinstance(value, str | int), value
    return value


def active(rules: Iterable[Rule], on: date) -> tuple[Rule, ...]:
    """Return the rules in force on a date."""
    return tuple(
        rule
        for rule in rules
        if rule.in_force_from <= on and (rule.in_force_to is None or on < rule.in_force_to)
    )


def without(rules: Sequence[Rule], ids: Collection[str]) -> tuple[Rule, ...]:
    """Return the rules less those that the lender switched off.

    Refuses ids that no rule has, and every rule whose force is not `policy`.
    """
    by_id = {rule.id: rule for rule in rules}
    forces = {(rule.id, rule.force) for rule in rules}
    wrong = []
    for rule_id in sorted(ids):
        if rule_id not in by_id:
            suggestion = nearest(rule_id, tuple(by_id))
            wrong.append(_finding("unknown", what="rule", value=rule_id, suggestion=suggestion))
        else:
            lawful = [
                force for one, force in sorted(forces) if one == rule_id and force != "policy"
            ]
            wrong += [_finding("not_yours", id=rule_id, force=force) for force in lawful[:1]]
    if wrong:
        raise Refused(*wrong)
    return tuple(rule for rule in rules if rule.id not in ids)


def lenders_rules(
    names: Sequence[str], switched_off: Collection[str], *, door: bool = True
) -> tuple[Rule, ...]:
    """Return the rules of the named packs that a lender keeps: a plan and a door ask the same.

    Refuses as `load_packs` and `without` do; without `door` what only a door asks is left out.
    """
    if switched_off:
        without(load_packs(names), switched_off)
    return tuple(rule for rule in load_packs(names, door=door) if rule.id not in switched_off)


def kept_rules(lender: Lender, *, door: bool = True) -> tuple[Rule, ...]:
    """Return the rules that a lender keeps; refuse at their places those not known."""
    try:
        return lenders_rules(lender.packs, lender.switched_off, door=door)
    except Refused as refused:
        at = {name: (line, column) for name, line, column in lender.named_at}
        raise Refused(*(_stood(one, lender.file, at) for one in refused.diagnostics)) from None


def _stood(one: Diagnostic, file: str, at: Mapping[str, tuple[int, int]]) -> Diagnostic:
    place = at.get(str(one.values.get("value", one.values.get("id"))))
    if place is None:
        return one
    return replace(one, file=file, line=place[0], column=str(place[1]))


def bars(
    rules: Iterable[Rule],
) -> tuple[tuple[Rule, Condition, tuple[str, ...], tuple[str, ...]], ...]:
    """Return every bar about a contact with its whole condition, classes and channels."""
    return tuple(
        (rule, rule.primitive.condition, rule.primitive.classes, rule.primitive.channels)
        for rule in rules
        if rule.about == "contact" and isinstance(rule.primitive, Bar)
    )


def _finding(code: str, *, file: str = "", **values: object) -> Diagnostic:
    return Diagnostic(area="rules", code=code, file=file, values=values)
