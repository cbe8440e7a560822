"""The parts of a policy file, each read from its node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar, cast

from duly.book.nodes import Node
from duly.conditions import Condition, Vocabulary
from duly.policy import grammar
from duly.policy.model import (
    PRIORITIES,
    TONES,
    FirstContact,
    FirstContactCase,
    Leave,
    Offset,
    PolicyLimits,
    Priority,
    Response,
    Send,
    Task,
    Tone,
    ToneCeiling,
    Wait,
)
from duly.policy.sheet import Sheet

TASK_KINDS = ("call", "verify_contact", "care", "ask_why", "review", "security_restricted")
SEND_CHANNELS = ("preferred", "sms", "email", "voice")
WAIT_REASONS = ("patience", "cooldown", "grace")
LEAVE_REASONS = ("left_alone", "nothing_due")
HOLDS = ("payment_pending", "dispute", "complaint", "hardship", "promise", "plan", "fraud_claim")
EVENTS = ("promise_broken", "plan_broken")
REPLIES = (
    "paid_already",
    "promise",
    "dispute",
    "complaint",
    "hardship",
    "wrong_person",
    "opt_out",
    "extension",
    "call_me",
    "question",
    "fraud",
    "refusal",
    "other",
)
ITEMS_MAX = 100

_Part = TypeVar("_Part")


def span(sheet: Sheet, node: Node, what: str, *, least: int = 1) -> int:
    """Return a count of days; `least` where it is none."""
    text = sheet.text(node, what)
    count = grammar.days(text) if text else least
    if count is None or count < least:
        sheet.wrong(node, "not_days", what=what, value=text)
        return least
    return count


def first_contact(sheet: Sheet, node: Node, vocabulary: Vocabulary) -> FirstContact:
    """Return the offsets of the first overdue text."""
    parts = sheet.keyed(node, "first_contact", required=("default",), optional=("when",))
    cases: list[FirstContactCase] = []
    for item in sheet.listed(parts["when"], "when", most=ITEMS_MAX) if "when" in parts else ():
        case = sheet.keyed(item, "when", required=("if", "then"))
        condition = sheet.condition(case["if"], "if", vocabulary) if "if" in case else None
        then = _offset(sheet, case["then"]) if "then" in case else None
        if condition is not None and then is not None:
            cases.append(FirstContactCase(condition=condition, offset=then))
    default = _offset(sheet, parts["default"]) if "default" in parts else None
    return FirstContact(
        default=default or Offset(after_grace=True, plus_days=0), cases=tuple(cases)
    )


def _offset(sheet: Sheet, node: Node) -> Offset | None:
    text = sheet.text(node, "first_contact")
    made = grammar.offset(text) if text else None
    if text and made is None:
        sheet.wrong(node, "not_an_offset", value=text)
    return made


def send(sheet: Sheet, node: Node, templates: frozenset[str] | None) -> Send:
    """Return a message step; a template that does not exist is wrong where they are known."""
    parts = sheet.keyed(node, "send", required=("template", "tone", "channels"))
    template = ""
    if "template" in parts:
        template = (
            sheet.name(parts["template"], "template")
            if templates is None
            else sheet.choice(parts["template"], "template", sorted(templates))
        )
    tone = sheet.choice(parts["tone"], "tone", TONES) if "tone" in parts else ""
    channels = (
        choices(sheet, parts["channels"], "channels", SEND_CHANNELS) if "channels" in parts else ()
    )
    for item in sheet.listed(parts["channels"], "channels", most=ITEMS_MAX) if channels else ():
        if "voice" in channels and sheet.text(item, "channels") == "voice":
            sheet.wrong(item, "voice_is_no_text")
    return Send(template=template, tone=cast(Tone, tone or "gentle"), channels=channels)


def choices(sheet: Sheet, node: Node, what: str, known: Sequence[str]) -> tuple[str, ...]:
    """Return words of a known list, none of them twice and at least one."""
    chosen: list[str] = []
    items = sheet.listed(node, what, most=ITEMS_MAX)
    for item in items:
        word = sheet.choice(item, what, known)
        if word and word in chosen:
            sheet.wrong(item, "duplicate", what=what, value=word)
        elif word:
            chosen.append(word)
    if not items:
        sheet.wrong(node, "empty_list", what=what)
    return tuple(chosen)


def task(sheet: Sheet, node: Node) -> Task:
    """Return a task: it lapses after 3 days and has normal priority where nothing is said."""
    parts = sheet.keyed(
        node, "task", required=("kind",), optional=("script", "expires", "priority")
    )
    kind = sheet.choice(parts["kind"], "kind", TASK_KINDS) if "kind" in parts else ""
    script = sheet.name(parts["script"], "script") if "script" in parts else ""
    expires = span(sheet, parts["expires"], "expires") if "expires" in parts else 3
    given = sheet.choice(parts["priority"], "priority", PRIORITIES) if "priority" in parts else ""
    return Task(
        kind=kind, script=script, expires_days=expires, priority=cast(Priority, given or "normal")
    )


def wait(sheet: Sheet, node: Node) -> Wait:
    """Return a wait with its reason."""
    parts = sheet.keyed(node, "wait", required=("reason", "days"))
    reason = sheet.choice(parts["reason"], "reason", WAIT_REASONS) if "reason" in parts else ""
    days = sheet.whole(parts["days"], "days", least=1, most=365) if "days" in parts else 1
    return Wait(reason=reason, days=days)


def leave(sheet: Sheet, node: Node) -> Leave:
    """Return the decision to leave somebody alone, with its reason."""
    parts = sheet.keyed(node, "leave", required=("reason",))
    reason = sheet.choice(parts["reason"], "reason", LEAVE_REASONS) if "reason" in parts else ""
    return Leave(reason=reason)


def tone_ceiling(sheet: Sheet, node: Node, vocabulary: Vocabulary) -> ToneCeiling | None:
    """Return one ceiling of tone."""
    parts = sheet.keyed(node, "tone_ceiling", required=("if", "tone"))
    condition = sheet.condition(parts["if"], "if", vocabulary) if "if" in parts else None
    tone = sheet.choice(parts["tone"], "tone", TONES) if "tone" in parts else ""
    if condition is None or not tone:
        return None
    return ToneCeiling(condition=condition, tone=cast(Tone, tone))


def limits(sheet: Sheet, node: Node) -> PolicyLimits:
    """Return the lender's own limits."""
    parts = sheet.keyed(node, "limits", optional=("texts_per_7_days", "cooldown_days"))
    texts, days = "texts_per_7_days", "cooldown_days"
    return PolicyLimits(
        texts_per_7_days=sheet.whole(parts[texts], texts, least=0, most=7) if texts in parts else 2,
        cooldown_days=sheet.whole(parts[days], days, least=0, most=365) if days in parts else 2,
    )


def response(sheet: Sheet, node: Node) -> Response | None:
    """Return what one event leads to."""
    parts = sheet.keyed(node, "responses", required=("on",), optional=("task", "hold"))
    if "on" not in parts:
        return None
    event, _, reply = sheet.text(parts["on"], "on").partition(" ")
    known = (*EVENTS, *(f"reply {kind}" for kind in REPLIES))
    if not sheet.choice(parts["on"], "on", known):
        return None
    if "task" not in parts and "hold" not in parts:
        sheet.wrong(node, "no_action", what="responses", known="task, hold")
    hold = sheet.choice(parts["hold"], "hold", HOLDS) if "hold" in parts else ""
    return Response(
        on=cast(Literal["promise_broken", "plan_broken", "reply"], event),
        reply=reply,
        task=task(sheet, parts["task"]) if "task" in parts else None,
        hold=hold or None,
    )


def each(
    sheet: Sheet, node: Node | None, what: str, read: Callable[[Node], _Part | None], *, most: int
) -> tuple[_Part, ...]:
    """Return the parts of a list, without those that are wrong."""
    if node is None:
        return ()
    made = [read(item) for item in sheet.listed(node, what, most=most)]
    return tuple(item for item in made if item is not None)


def optional_condition(
    sheet: Sheet, node: Node | None, what: str, vocabulary: Vocabulary
) -> Condition | None:
    """Return a condition where one is given."""
    return None if node is None else sheet.condition(node, what, vocabulary)
