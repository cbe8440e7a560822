"""Can a plan write what its policy sends? Asked before a large book is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from duly.book import Lender
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.messages import OF_A_PLAN, Body, Catalogue, Template, guarded_facts, stage_facts
from duly.policy import TONES, Places, Policy, Send, Treatment
from duly.policy.places import Path

_TEXT_CHANNELS = ("sms", "email")
#: What each mistake points at: the part of its treatment that has to change.
_PART: Mapping[str, Path] = MappingProxyType(
    {
        "text_lacks_variant": ("send", "template"),
        "text_needs_case": ("send", "template"),
        "text_lacks_word": ("send", "template"),
        "text_too_early": ("from_day",),
    }
)


def check(policy: Policy, places: Places, catalogue: Catalogue, lender: Lender) -> None:
    """Refuse (Refused) a policy that sends a text which no plan can write for this lender.

    Such a text lacks a channel or a tone, names a fact that comes with a case, is too early for
    its step, or says words that the lender file does not have. `places` are those of its file.
    """
    found: dict[tuple[object, ...], Diagnostic] = {}
    for number, treatment in enumerate(policy.treatments):
        if treatment.send is None:
            continue
        for code, values in _problems(treatment, treatment.send, catalogue, lender):
            key = (number, code, *values.values())
            line, column = places.at("treatments", number, *_PART[code])
            found[key] = Diagnostic(
                area="plan",
                code=code,
                file=policy.file,
                line=line,
                column=str(column),
                values={"id": treatment.id, "template": treatment.send.template, **values},
            )
    if found:
        raise Refused(*found.values())


def _problems(
    treatment: Treatment, send: Send, catalogue: Catalogue, lender: Lender
) -> Iterator[tuple[str, dict[str, object]]]:
    templates = [one for one in catalogue.templates.values() if one.name == send.template]
    for template in templates:
        for channel in _channels(send):
            # A ceiling may lower the tone, so every gentler one must be there as well.
            for tone in TONES[: TONES.index(send.tone) + 1]:
                body = template.bodies.get((channel, tone))
                if body is None:
                    variant = f"{template.locale} {channel} {tone}"
                    yield "text_lacks_variant", {"variant": variant}
                    continue
                yield from _body_problems(treatment, template, body, lender)


def _channels(send: Send) -> tuple[str, ...]:
    if "preferred" in send.channels:
        return _TEXT_CHANNELS
    return tuple(channel for channel in _TEXT_CHANNELS if channel in send.channels)


def _body_problems(
    treatment: Treatment, template: Template, body: Body, lender: Lender
) -> Iterator[tuple[str, dict[str, object]]]:
    for fact in guarded_facts(body, stage_facts(template.stage)):
        if fact not in OF_A_PLAN:
            yield "text_needs_case", {"fact": fact}
    if body.from_days is not None and treatment.from_day < body.from_days:
        yield "text_too_early", {"days": body.from_days, "from_day": treatment.from_day}
    if "clause" in body.of_lender and not lender.late_charge_clause:
        yield "text_lacks_word", {"word": "clauses.late_charge"}
    if "phone" in body.of_lender and not lender.hotline:
        yield "text_lacks_word", {"word": "lender.hotline"}
