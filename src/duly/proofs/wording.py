"""What another policy says: each part that was added, taken away, moved or changed, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from duly.core.words import say
from duly.policy import (
    ASKING,
    Policy,
    Response,
    Send,
    Task,
    Treatment,
    Wait,
    moved_basis_points,
)


@dataclass(frozen=True, kw_only=True)
class Change:
    """One difference; `code` is a key of the words `proofs`, under `change`."""

    code: str
    values: Mapping[str, object] = field(default_factory=dict)

    def sentence(self, locale: str) -> str:
        """Return the sentence in a language."""
        return say("proofs", f"change.{self.code}", locale, **self.values)


def changes(old: Policy, new: Policy) -> tuple[Change, ...]:
    """Return how two policies differ, in the order of a policy's file; first what harms.

    Loans of a book do not show what a reply leads to: what a reply no longer opens, and whom it now
    has rung, is told before everything else.
    """
    return (
        *_events_harmed(old, new),
        *_head(old, new),
        *_first_contact(old, new),
        *_treatments(old.treatments, new.treatments),
        *_listed("ceiling", _ceilings(old), _ceilings(new)),
        *_limits(old, new),
        *_listed("response", _responses(old), _responses(new)),
        *_listed("experiment", _experiments(old), _experiments(new)),
        *_redrawn(old, new),
    )


def _changed(part: str, old: object, new: object) -> Iterator[Change]:
    if old != new:
        yield Change(code="part", values={"part": part, "old": _or_none(old), "new": _or_none(new)})


def _or_none(value: object) -> str:
    return "-" if value is None or value == "" else str(value)


def _head(old: Policy, new: Policy) -> Iterator[Change]:
    yield from _changed("policy", old.name, new.name)
    yield from _changed("version", old.version, new.version)
    fors = [None if one.applies_to is None else one.applies_to.text for one in (old, new)]
    yield from _changed("for", *fors)
    yield from _changed("holdout", _holdout(old), _holdout(new))
    yield from _changed("floor", _major(old.floor_minor), _major(new.floor_minor))


def _major(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _first_contact(old: Policy, new: Policy) -> Iterator[Change]:
    yield from _changed("first_contact", old.first_contact.default, new.first_contact.default)
    before, after = (
        [f"{case.condition.text} → {case.offset}" for case in one.first_contact.cases]
        for one in (old, new)
    )
    yield from _listed("case", before, after)
    if sorted(before) == sorted(after) and before != after:
        yield Change(code="cases_moved")


def _listed(what: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    for text in old:
        if text not in new:
            yield Change(code=f"{what}_removed", values={"text": text})
    for text in new:
        if text not in old:
            yield Change(code=f"{what}_added", values={"text": text})


def _treatments(old: Sequence[Treatment], new: Sequence[Treatment]) -> Iterator[Change]:
    before, after = {one.id: one for one in old}, {one.id: one for one in new}
    for one in old:
        if one.id not in after:
            yield Change(code="treatment_removed", values={"id": one.id})
    for place, one in enumerate(new):
        if one.id not in before:
            follows = new[place - 1].id if place else "-"
            yield Change(code="treatment_added", values={"id": one.id, "after": follows})
    yield from _moved([one.id for one in old if one.id in after],
                      [one.id for one in new if one.id in before])  # fmt: skip
    for one in new:
        if one.id in before:
            yield from _treatment(before[one.id], one)


def _moved(old: Sequence[str], new: Sequence[str]) -> Iterator[Change]:
    """Give the treatments that stand elsewhere among those that both policies have."""
    kept = {
        new[place]
        for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks()
        for place in range(block.b, block.b + block.size)
    }
    for place, name in enumerate(new):
        if name not in kept:
            follows = new[place - 1] if place else "-"
            yield Change(code="treatment_moved", values={"id": name, "after": follows})


def _treatment(old: Treatment, new: Treatment) -> Iterator[Change]:
    parts = (
        ("if", old.condition.text, new.condition.text),
        ("from_day", old.from_day, new.from_day),
        ("every", old.every_days, new.every_days),
        ("within_grace", old.within_grace, new.within_grace),
        ("send", _send(old.send), _send(new.send)),
        ("task", _task(old.task), _task(new.task)),
        ("wait", _wait(old.wait), _wait(new.wait)),
        ("leave", old.leave and old.leave.reason, new.leave and new.leave.reason),
    )
    for part, before, after in parts:
        if before != after:
            yield Change(
                code="treatment_changed",
                values={"id": new.id, "part": part, "old": _or_none(before),
                        "new": _or_none(after)},
            )  # fmt: skip


def _send(send: Send | None) -> str:
    return "" if send is None else f"{send.template}, {send.tone}, {'/'.join(send.channels)}"


def _task(task: Task | None) -> str:
    if task is None:
        return ""
    return f"{task.kind}, {task.script or '-'}, {task.expires_days} d, {task.priority}"


def _wait(wait: Wait | None) -> str:
    return "" if wait is None else f"{wait.reason}, {wait.days} d"


def _ceilings(policy: Policy) -> list[str]:
    return [f"{one.condition.text} → {one.tone}" for one in policy.tone_ceilings]


def _limits(old: Policy, new: Policy) -> Iterator[Change]:
    for name in ("texts_per_7_days", "cooldown_days"):
        yield from _changed(name, getattr(old.limits, name), getattr(new.limits, name))


def _events_harmed(old: Policy, new: Policy) -> Iterator[Change]:
    """Give the holds and tasks that an event no longer opens, and the calls that it now brings."""
    before, after = _by_event(old), _by_event(new)
    for event in sorted({*before, *after}):
        had, has = before.get(event, frozenset()), after.get(event, frozenset())
        asking = {f"task {kind}" for kind in ASKING}
        lost = sorted(had - has - asking)
        if lost:
            yield Change(code="event_loses", values={"event": event, "what": ", ".join(lost)})
        rung = sorted((has - had) & asking)
        if rung:
            yield Change(code="event_asks", values={"event": event, "what": ", ".join(rung)})


def _by_event(policy: Policy) -> Mapping[str, frozenset[str]]:
    """Return what each event opens: its holds and the kinds of its tasks."""
    found: dict[str, frozenset[str]] = {}
    for one in policy.responses:
        opened = [f"hold {one.hold}"] if one.hold else []
        opened += [f"task {one.task.kind}"] if one.task else []
        event = f"{one.on} {one.reply}".strip()
        found[event] = found.get(event, frozenset()) | frozenset(opened)
    return found


def _responses(policy: Policy) -> list[str]:
    return [_response(one) for one in policy.responses]


def _response(one: Response) -> str:
    event = f"{one.on} {one.reply}".strip()
    parts = [f"hold {one.hold}" if one.hold else "", f"task {_task(one.task)}" if one.task else ""]
    return f"{event} → {'; '.join(part for part in parts if part)}"


def _experiments(policy: Policy) -> list[str]:
    return [
        f"{one.id}: {one.where.text}; "
        + ", ".join(f"{arm.name} {arm.basis_points / 100:g} %" for arm in one.arms)
        + f"; {one.measure}; {one.salt}"
        for one in policy.experiments
    ]


def _redrawn(old: Policy, new: Policy) -> Iterator[Change]:
    """Give the experiments whose borrowers change arms: what comes of them says nothing."""
    before = {one.id: one for one in old.experiments}
    for one in new.experiments:
        share = moved_basis_points(before[one.id], one) if one.id in before else 0
        if share:
            values = {"id": one.id, "share": f"{share / 100:g}"}
            yield Change(code="experiment_moved", values=values)


def _holdout(policy: Policy) -> str:
    held = policy.holdout
    return "" if held is None else f"{held.basis_points / 100:g} %; {held.salt}"
