"""The words of templates: sentences of the catalogue, links that keep the language, money, days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import template
from django.urls import reverse
from django.utils.html import escape, format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from duly.core.words import say as said
from duly.messages.values import date_text, money_text
from duly.service.api.serving import present
from duly.service.faces.looks import Look

register = template.Library()
Context = Mapping[str, Any]
_MARK = "\ue000"  #: stands in no catalogue and around no value


@register.simple_tag(takes_context=True)
def say(context: Context, key: str, **values: object) -> SafeString:
    """Say a sentence of the catalogue in the reader's language, its values escaped.

    A value that is markup already (a day, a strong word) stays so inside the sentence.
    """
    look: Look = context["look"]
    return _sentence(look.area, key, look, values)


def _sentence(area: str, key: str, look: Look, values: Mapping[str, object]) -> SafeString:
    marked = {name: one for name, one in values.items() if isinstance(one, SafeString)}
    holes = {**values, **{name: f"{_MARK}{name}{_MARK}" for name in marked}}
    text: str = escape(said(area, key, look.locale, **holes))
    for name, one in marked.items():
        text = text.replace(f"{_MARK}{name}{_MARK}", one)
    return mark_safe(text)  # noqa: S308 Everything in it was escaped above.


@register.filter
def strong(value: object) -> SafeString:
    """Return a value that stands out."""
    return format_html("<strong>{}</strong>", value)


@register.simple_tag(takes_context=True)
def other(context: Context, key: str) -> str:
    """Say a sentence in the other language, for the switch."""
    look: Look = context["look"]
    return said(look.area, key, look.other)


@register.simple_tag(takes_context=True)
def to(context: Context, name: str, *args: object) -> str:
    """Return the address of a page, with what the reader chose."""
    return address(name, context["look"], *args)


def address(name: str, look: Look, *args: object) -> str:
    """Return the address of a page, with the language and size that were chosen.

    Their order never changes: two pages with equal words are equal bytes.
    """
    query = urlencode(look.chosen)
    return reverse(name, args=args) + (f"?{query}" if query else "")


@register.simple_tag(takes_context=True)
def to_with(context: Context, name: str, *args: object, **pairs: object) -> str:
    """Return the address of a page with more in its query; what is empty is left out."""
    where = address(name, context["look"], *args)
    query = urlencode([(key, one) for key, one in pairs.items() if one])
    return f"{where}{'&' if '?' in where else '?'}{query}" if query else where


@register.simple_tag(takes_context=True)
def to_all(context: Context, name: str, arg: str, pairs: Mapping[str, str], **more: object) -> str:
    """Return the address of a page with pairs that were gathered before, and more."""
    given: dict[str, object] = {**pairs, **more}
    return to_with(context, name, *([arg] if arg else ()), **given)


@register.simple_tag(takes_context=True)
def about(context: Context, name: str, loan: str, *args: object) -> str:
    """Return the address of a page about a loan, with what the reader chose."""
    return to_with(context, name, *args, loan=loan)


@register.simple_tag(takes_context=True)
def switched(context: Context, **given: str) -> str:
    """Return the address of this page with another language or size."""
    chosen = dict(context["look"].chosen) | given
    pairs = [(name, chosen[name]) for name in ("lang", "size") if chosen.get(name)]
    query = urlencode([*pairs, *context["look"].about])
    here: str = context["here"]
    return f"{here}?{query}" if query else here


@register.simple_tag(takes_context=True)
def kept(context: Context) -> SafeString:
    """Return hidden fields that carry what the reader chose through a form."""
    return format_html_join(
        "", '<input type="hidden" name="{}" value="{}">', context["look"].chosen
    )


@register.simple_tag(takes_context=True)
def money(context: Context, minor: int, currency: str) -> str:
    """Return an amount; below nought with its sign before it."""
    text = money_text(abs(minor), currency, context["look"].locale)
    return f"−{text}" if minor < 0 else text


@register.simple_tag(takes_context=True)
def day(context: Context, when: date | datetime) -> SafeString:
    """Return a day as people say it, with its date for machines; an instant on the lender's day."""
    if isinstance(when, datetime):
        when = present().lender.day_of(when)
    text = date_text(when, context["look"].locale, present().today)
    return format_html('<time datetime="{}">{}</time>', when.isoformat(), text)


@register.simple_tag(takes_context=True)
def dated(context: Context, when: date) -> SafeString:
    """Return a day with its year, for what is read years later."""
    text = date_text(when, context["look"].locale, date.min)
    return format_html('<time datetime="{}">{}</time>', when.isoformat(), text)


@register.simple_tag(takes_context=True)
def one_of(context: Context, group: str, code: str, **values: object) -> SafeString:
    """Say the entry of a group of the catalogue that a code names."""
    return say(context, f"{group}.{code}", **values)


@register.simple_tag(takes_context=True)
def worded(
    context: Context, group: str, code: str, values: Mapping[str, object]
) -> SafeString:  # fmt: skip
    """Say the entry of a group with values that were gathered before."""
    return say(context, f"{group}.{code}", **values)


@register.simple_tag(takes_context=True)
def one_in(context: Context, area: str, group: str, code: str, **values: object) -> SafeString:
    """Say the entry of another catalogue's group: what two faces say is written once."""
    return _sentence(area, f"{group}.{code}", context["look"], values)


@register.simple_tag(takes_context=True)
def hour(context: Context, when: datetime) -> SafeString:  # noqa: ARG001 As the others.
    """Return an instant as day and time where the lender is, for tables."""
    local = when.astimezone(ZoneInfo(present().lender.time_zone))
    return format_html('<time datetime="{}">{}</time>', when.isoformat(), f"{local:%Y-%m-%d %H:%M}")


@register.simple_tag(takes_context=True)
def channel(context: Context, code: str) -> SafeString:
    """Say by which way a message went."""
    return say(context, f"channel.{code}")
