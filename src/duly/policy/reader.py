"""From a policy's file, or the name of a built-in one, to a Policy or to all its diagnostics."""

from __future__ import annotations

from functools import lru_cache
from importlib import resources
from pathlib import Path

from duly.book.nodes import MappingNode, Node, ScalarNode, SequenceNode
from duly.conditions import Vocabulary, nearest
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.policy import experiment_reader, grammar, parts
from duly.policy.features import FEATURES, with_arms
from duly.policy.model import (
    DEMANDS,
    FirstContact,
    Offset,
    Policy,
    PolicyLimits,
    Treatment,
)
from duly.policy.places import Places
from duly.policy.sheet import Keyed, Sheet

BUILT_IN = "cn-installment"
BUILT_INS = (BUILT_IN,)
TREATMENTS_MAX = 300
_ACTIONS = ("send", "task", "wait", "leave")


def load(
    name_or_path: str | Path,
    *,
    templates: frozenset[str] | None = None,
    demands: frozenset[str] = DEMANDS,
) -> Policy:
    """Return a policy; refuse (Refused) a file with any mistake, with all of them.

    `demands` are the templates that ask for an overdue amount, a lender's own among them.
    """
    return read(*named_bytes(name_or_path), templates=templates, demands=demands)


def read(
    file: str,
    data: bytes,
    *,
    templates: frozenset[str] | None = None,
    demands: frozenset[str] = DEMANDS,
) -> Policy:
    """Return a policy from the bytes of its file; refuse (Refused) them as `load` does."""
    policy, diagnostics = _read(file, data, templates, demands)
    errors = tuple(item for item in diagnostics if item.severity == "error")
    if errors:
        raise Refused(*errors)
    assert policy is not None
    return policy


def check(
    name_or_path: str | Path,
    *,
    templates: frozenset[str] | None = None,
    demands: frozenset[str] = DEMANDS,
) -> list[Diagnostic]:
    """Return every mistake of a policy, in the order of the file; none where it is right."""
    try:
        return list(_read(*named_bytes(name_or_path), templates, demands)[1])
    except Refused as refused:
        return list(refused.diagnostics)


def fingerprint(name_or_path: str | Path) -> str:
    """Return the SHA-256 of the policy file's bytes."""
    return digest.of_bytes(named_bytes(name_or_path)[1])


def places_of(name_or_path: str | Path) -> Places:
    """Return where the parts of a policy stand; of one that `load` did not refuse."""
    return Places(*named_bytes(name_or_path))


def named_bytes(name_or_path: str | Path) -> tuple[str, bytes]:
    """Return the name to show and the bytes of a policy; refuse (Refused) an unreadable file."""
    if isinstance(name_or_path, str) and name_or_path in BUILT_INS:
        source = resources.files("duly.policy").joinpath("builtin", f"{name_or_path}.yaml")
        return f"{name_or_path}.yaml", source.read_bytes()
    path = Path(name_or_path)
    try:
        return str(name_or_path), path.read_bytes()
    except OSError as error:
        near = nearest(str(name_or_path), BUILT_INS)
        values = {"problem": error.strerror or type(error).__name__, "suggestion": near}
        diagnostic = Diagnostic(
            area="policy", code="unreadable", file=str(name_or_path), values=values
        )
        raise Refused(diagnostic) from error


@lru_cache(maxsize=8)
def _read(
    file: str, data: bytes, templates: frozenset[str] | None, demands: frozenset[str]
) -> tuple[Policy | None, tuple[Diagnostic, ...]]:
    """Return what a file says and its mistakes; the same bytes are read once."""
    sheet = Sheet(file, data)
    root = sheet.root()
    found = sheet.keyed(
        root,
        "policy",
        required=("policy", "version", "first_contact", "treatments"),
        optional=("for", "floor", "tone_ceiling", "limits", "responses", "experiments", "holdout"),
    )
    policy = _policy(sheet, found, templates, digest.of_bytes(data))
    _check_demands(sheet, found.get("treatments"), demands)
    gathered = {_order(item): item for item in sheet.diagnostics}
    return policy, tuple(gathered[key] for key in sorted(gathered))


def _order(item: Diagnostic) -> tuple[int, int, str, str]:
    return (item.line, int(item.column or 0), item.code, item.render("en"))


def _policy(sheet: Sheet, found: Keyed, templates: frozenset[str] | None, sha256: str) -> Policy:
    experiments = experiment_reader.experiments(sheet, found.get("experiments"))
    vocabulary = with_arms({one.id: tuple(arm.name for arm in one.arms) for one in experiments})
    return Policy(
        name=sheet.name(found["policy"], "policy") if "policy" in found else "",
        version=sheet.whole(found["version"], "version", least=1, most=999_999)
        if "version" in found
        else 0,
        applies_to=parts.optional_condition(sheet, found.get("for"), "for", FEATURES),
        floor_minor=_floor(sheet, found.get("floor")),
        first_contact=parts.first_contact(sheet, found["first_contact"], vocabulary)
        if "first_contact" in found
        else FirstContact(default=Offset(after_grace=True, plus_days=0)),
        treatments=_treatments(sheet, found.get("treatments"), vocabulary, templates),
        tone_ceilings=parts.each(
            sheet,
            found.get("tone_ceiling"),
            "tone_ceiling",
            lambda item: parts.tone_ceiling(sheet, item, vocabulary),
            most=parts.ITEMS_MAX,
        ),
        limits=parts.limits(sheet, found["limits"])
        if "limits" in found
        else PolicyLimits(texts_per_7_days=2, cooldown_days=2),
        responses=parts.each(
            sheet,
            found.get("responses"),
            "responses",
            lambda item: parts.response(sheet, item),
            most=parts.ITEMS_MAX,
        ),
        experiments=experiments,
        holdout=experiment_reader.holdout(sheet, found.get("holdout"), experiments),
        file=sheet.file,
        fingerprint=sha256,
    )


def _floor(sheet: Sheet, node: Node | None) -> int:
    """Return the floor in minor units; 20.00 where nothing is said."""
    if node is None:
        return 2_000
    text = sheet.text(node, "floor")
    minor = grammar.minor_units(text) if text else 0
    if minor is None:
        sheet.wrong(node, "not_an_amount", what="floor", value=text)
        return 0
    return minor


def _treatments(
    sheet: Sheet, node: Node | None, vocabulary: Vocabulary, templates: frozenset[str] | None
) -> tuple[Treatment, ...]:
    if node is None:
        return ()
    items = sheet.listed(node, "treatments", most=TREATMENTS_MAX)
    if not items and isinstance(node, SequenceNode):
        sheet.wrong(node, "empty_list", what="treatments")
    made: list[Treatment] = []
    ids: set[str] = set()
    for item in items:
        one = _treatment(sheet, item, vocabulary, templates)
        id_node = _at_key(item, "id")
        if id_node is not item and id_node.value in ids:
            sheet.wrong(id_node, "duplicate_id", id=id_node.value)
        elif isinstance(id_node, ScalarNode):
            ids.add(id_node.value)
        if one is not None:
            _check_reached(sheet, item, one, made)
            made.append(one)
    return tuple(made)


def _treatment(
    sheet: Sheet, node: Node, vocabulary: Vocabulary, templates: frozenset[str] | None
) -> Treatment | None:
    found = sheet.keyed(
        node,
        "treatments",
        required=("id", "if", "from_day"),
        optional=(*_ACTIONS, "every", "within_grace"),
    )
    if not found:
        return None
    condition = parts.optional_condition(sheet, found.get("if"), "if", vocabulary)
    grace = sheet.flag(found["within_grace"], "within_grace") if "within_grace" in found else False
    first = (
        sheet.whole(found["from_day"], "from_day", least=-365, most=grammar.DAYS_MAX)
        if "from_day" in found
        else 1
    )
    send = parts.send(sheet, found["send"], templates) if "send" in found else None
    task = parts.task(sheet, found["task"]) if "task" in found else None
    wait = parts.wait(sheet, found["wait"]) if "wait" in found else None
    leave = parts.leave(sheet, found["leave"]) if "leave" in found else None
    every = parts.span(sheet, found["every"], "every") if "every" in found else None
    name = sheet.name(found["id"], "id") if "id" in found else ""
    _check_actions(sheet, node, found)
    if first < 1 and "within_grace" not in found:
        sheet.wrong(found["from_day"], "needs_within_grace", id=name, value=first)
    if condition is None or not name:
        return None
    return Treatment(
        id=name,
        condition=condition,
        from_day=first,
        send=send,
        task=task,
        wait=wait,
        leave=leave,
        every_days=every,
        within_grace=grace,
    )


def _check_demands(sheet: Sheet, node: Node | None, demands: frozenset[str]) -> None:
    """Gather every treatment that would ask for an overdue amount inside the grace."""
    for item in node.value if isinstance(node, SequenceNode) else ():
        template = _at_key(_at_key(item, "send"), "template")
        inside = str(_at_key(item, "within_grace").value) == "true"
        if inside and isinstance(template, ScalarNode) and template.value in demands:
            sheet.wrong(template, "demand_in_grace", template=template.value)


def _check_actions(sheet: Sheet, node: Node, found: Keyed) -> None:
    """Gather a treatment without an action, or with two that exclude each other."""
    given = [action for action in _ACTIONS if action in found]
    if not given:
        sheet.wrong(node, "no_action", what="treatments", known=", ".join(_ACTIONS))
    quiet = [action for action in given if action in {"wait", "leave"}]
    if quiet and len(given) > 1:
        others = ", ".join(action for action in given if action != quiet[0])
        sheet.wrong(found[quiet[0]], "actions_exclude", action=quiet[0], others=others)


def _check_reached(sheet: Sheet, node: Node, one: Treatment, before: list[Treatment]) -> None:
    """Gather a condition that an earlier treatment takes, from the same day or sooner."""
    for other in before:
        wider = other.from_day <= one.from_day and (other.within_grace or not one.within_grace)
        if wider and other.condition.tree == one.condition.tree:
            sheet.wrong(_at_key(node, "if"), "unreachable", id=one.id, other=other.id)
            return


def _at_key(node: Node, key: str) -> Node:
    """Return the value of a key, or the node itself where it has none."""
    if isinstance(node, MappingNode):
        for name, value in node.value:
            if name.value == key:
                assert isinstance(value, Node)
                return value
    return node
