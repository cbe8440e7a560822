"""How do texts, parts and terms read? The lines of a rule's page about them."""

from __future__ import annotations

from duly.core.words import say
from duly.rules.model import Parts, Span, Term, Text, Words


def wording_meaning(primitive: Text | Parts | Term, locale: str) -> list[str]:
    """Return the primitive in words: exactly what is asked."""
    match primitive:
        case Text():
            lines = _text(primitive, locale)
        case Parts():
            lines = _parts(primitive, locale)
        case Term():
            lines = _term(primitive, locale)
    if primitive.when is not None:
        lines.append(say("rules", "page.when", locale, condition=primitive.when.text))
    return lines


def _text(text: Text, locale: str) -> list[str]:
    where = {"channels": ", ".join(text.channels), "classes": ", ".join(text.classes)}
    lines = [say("rules", "page.text", locale, **where)]
    lines += [_words("page.must", words, locale) for words in text.must]
    lines += [_words("page.never", words, locale) for words in text.never]
    if text.only:
        lines.append(say("rules", "page.only", locale, phrases="; ".join(text.only)))
    if text.signed:
        lines.append(say("rules", "page.signed", locale))
    if text.named:
        lines.append(say("rules", "page.named", locale))
    if text.link != "any":
        lines.append(say("rules", f"page.link_{text.link}", locale))
    if text.length_max is not None:
        lines.append(say("rules", "page.length", locale, count=text.length_max))
    if text.amounts:
        lines.append(say("rules", "page.amounts", locale))
    return lines


def _words(key: str, words: Words, locale: str) -> str:
    line = say("rules", key, locale, phrases="; ".join(words.phrases))
    if words.with_amount:
        line += " " + say("rules", "page.with_amount", locale)
    if words.when is None:
        return line
    return line + " " + say("rules", "page.when", locale, condition=words.when.text)


def _parts(parts: Parts, locale: str) -> list[str]:
    found = (("must", parts.must), ("only", parts.only), ("never", parts.never))
    return [
        say("rules", f"page.parts_{name}", locale, parts=", ".join(values))
        for name, values in found
        if values
    ]


def _term(term: Term, locale: str) -> list[str]:
    since = say("rules", "page.or", locale).join(term.since)
    days = {"since": since, "until": term.until}
    lines = []
    if term.at_most is not None:
        most = _span(term.at_most, locale)
        lines.append(say("rules", "page.at_most", locale, **days, span=most))
    if term.at_least is not None:
        least = _span(term.at_least, locale)
        lines.append(say("rules", "page.at_least", locale, **days, span=least))
    if term.extended is not None:
        longer = _span(term.extended, locale)
        lines.append(say("rules", "page.extended", locale, told=term.told, span=longer))
    if term.rolls:
        lines.append(say("rules", "page.rolls", locale))
    return lines


def _span(span: Span, locale: str) -> str:
    counts = (
        ("years", span.years),
        ("months", span.months),
        ("working_days", span.working_days),
        ("days", span.days),
    )
    return " + ".join(
        say("rules", f"page.{name}", locale, count=count) for name, count in counts if count
    )
