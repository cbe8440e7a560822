"""The experiments and the holdout of a policy file, each read from its node."""

from __future__ import annotations

from duly.book.nodes import MappingNode, Node, ScalarNode
from duly.conditions import Vocabulary, nearest
from duly.policy import grammar
from duly.policy.experiments import WHOLE_BASIS_POINTS, Arm, Experiment, Holdout
from duly.policy.features import FEATURES
from duly.policy.parts import ITEMS_MAX, choices
from duly.policy.sheet import Keyed, Sheet

HARMS = ("complaints", "opt_outs", "hardship", "disputes", "undelivered", "broken_promises")
MEASURES = ("cured_7d", "cured_15d", "cured_30d", "paid_7d", "paid_15d", "paid_30d")
HOLDOUT_BASIS_POINTS_MAX = 1_000
#: Who somebody is chooses nobody for an experiment.
PERSONAL = frozenset({"region", "locale", "monthly_income"})
_HOLDOUT_ID = "holdout"


def experiments(sheet: Sheet, node: Node | None) -> tuple[Experiment, ...]:
    """Return the experiments of a policy; no two have one id, or one salt."""
    made: list[Experiment] = []
    for item in sheet.listed(node, "experiments", most=ITEMS_MAX) if node is not None else ():
        one = _experiment(sheet, item, FEATURES)
        if one is None:
            continue
        place = _value(item, "id")
        if any(one.field == other.field for other in made) or one.id == _HOLDOUT_ID:
            sheet.wrong(place, "duplicate_id", id=one.id)
            continue
        same = next((other.id for other in made if other.salt == one.salt), None)
        if same is not None:
            sheet.wrong(_value(item, "salt"), "same_salt", id=one.id, other=same)
            continue
        made.append(one)
    return tuple(made)


def holdout(sheet: Sheet, node: Node | None, beside: tuple[Experiment, ...]) -> Holdout | None:
    """Return who is held out, drawn apart from every experiment."""
    if node is None:
        return None
    parts = sheet.keyed(node, _HOLDOUT_ID, required=("share",), optional=("salt",))
    share = _share(sheet, parts["share"], "share") if "share" in parts else None
    salt = sheet.text(parts["salt"], "salt") if "salt" in parts else _HOLDOUT_ID
    same = next((one.id for one in beside if one.salt == salt), None)
    if same is not None:
        sheet.wrong(parts.get("salt", node), "same_salt", id=_HOLDOUT_ID, other=same)
    if share is None:
        return None
    if not 0 < share <= HOLDOUT_BASIS_POINTS_MAX:
        most = HOLDOUT_BASIS_POINTS_MAX // 100
        sheet.wrong(parts["share"], "holdout_share", value=_percent(share), most=most)
        return None
    return Holdout(basis_points=share, salt=salt)


def _experiment(sheet: Sheet, node: Node, vocabulary: Vocabulary) -> Experiment | None:
    """Return an experiment: its shares come to 100 %."""
    parts = sheet.keyed(
        node,
        "experiments",
        required=("id", "where", "arms", "measure", "stop_on"),
        optional=("salt", "control", "detect"),
    )
    name = sheet.name(parts["id"], "id") if "id" in parts else ""
    where = sheet.condition(parts["where"], "where", vocabulary) if "where" in parts else None
    for one in sorted(PERSONAL & where.fields) if where is not None else ():
        sheet.wrong(parts["where"], "experiment_on_person", name=one)
    arms = _arms(sheet, parts["arms"]) if "arms" in parts else ()
    measure = sheet.choice(parts["measure"], "measure", MEASURES) if "measure" in parts else ""
    stop_on = choices(sheet, parts["stop_on"], "stop_on", HARMS) if "stop_on" in parts else ()
    salt = sheet.text(parts["salt"], "salt") if "salt" in parts else name
    control = _control(sheet, parts, arms)
    detect = _share(sheet, parts["detect"], "detect") if "detect" in parts else None
    if detect == 0:
        sheet.wrong(parts["detect"], "nothing_to_detect")
    if not name or where is None:
        return None
    return Experiment(
        id=name, where=where, arms=arms, measure=measure, stop_on=stop_on, salt=salt,
        control=control, detect_basis_points=detect,
    )  # fmt: skip


def _control(sheet: Sheet, parts: Keyed, arms: tuple[Arm, ...]) -> str:
    """Return the arm that the others are compared with; the first where the file names none."""
    names = [arm.name for arm in arms]
    if "control" not in parts:
        return names[0] if names else ""
    said = sheet.text(parts["control"], "control")
    if said and names and said not in names:
        near = nearest(said, tuple(names))
        sheet.wrong(parts["control"], "unknown_arm", value=said, suggestion=near)
    return said


def _share(sheet: Sheet, node: Node, what: str) -> int | None:
    text = sheet.text(node, what)
    share = grammar.basis_points(text) if text else None
    if text and share is None:
        sheet.wrong(node, "not_a_share", value=text)
    return share


def _arms(sheet: Sheet, node: Node) -> tuple[Arm, ...]:
    items = node.value if isinstance(node, MappingNode) else []
    parts = sheet.keyed(node, "arms", optional=tuple(str(key.value) for key, _ in items))
    arms: list[Arm] = []
    for key, _ in items:
        name = sheet.name(key, "arms")
        if name not in parts or any(arm.name == name for arm in arms):
            continue
        share = _share(sheet, parts[name], "arms")
        if share is None:
            return ()
        arms.append(Arm(name=name, basis_points=share))
    total = sum(arm.basis_points for arm in arms)
    if total != WHOLE_BASIS_POINTS:
        sheet.wrong(node, "arms_sum", total=_percent(total))
    elif len(arms) == 1:
        sheet.wrong(node, "one_arm", name=arms[0].name)
    return tuple(arms)


def _percent(basis_points: int) -> str:
    return f"{basis_points // 100}.{basis_points % 100:02d}"


def _value(node: Node, key: str) -> Node:
    """Return the value of a key, or the node itself where it has none."""
    pairs = node.value if isinstance(node, MappingNode) else []
    found = (value for name, value in pairs if isinstance(name, ScalarNode) and name.value == key)
    return next(found, node)
