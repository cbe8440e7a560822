"""A look at texts before anybody gets them: which there are, and how each reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from duly.book.lender import Lender
from duly.conditions import nearest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.messages.catalog import body_of, builtin_shelf, guarded_facts
from duly.messages.checking import check
from duly.messages.elements import elements_of
from duly.messages.facts import Rendered
from duly.messages.samples import sample
from duly.messages.shelf import Shelf, read_shelf
from duly.messages.stages import ELEMENTS, STAGES
from duly.messages.template_file import Text, read_text


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Which texts are asked for; an empty field asks for all."""

    id: str = ""  #: an id, or an id and a version: overdue@2
    locale: str = ""
    channel: str = ""
    tone: str = ""

    def takes(self, text: Text) -> bool:
        """Say whether a text is asked for."""
        name, _, version = self.id.partition("@")
        return (
            name in ("", text.id)
            and version in ("", str(text.version))
            and self.locale in ("", text.locale)
            and self.channel in ("", text.channel)
            and (not self.tone or self.tone in text.tones)
        )


@dataclass(frozen=True, kw_only=True)
class Look:
    """One text as a borrower would read it, and what people want to know of it."""

    text: Text
    status: str
    said: Rendered
    elements: tuple[str, ...]
    rules: tuple[str, ...]  #: that ask for its elements
    facts: tuple[str, ...]  #: that must be there
    found: tuple[Diagnostic, ...]  #: what a check finds wrong


def shelves(folder: Path | None) -> tuple[Shelf, ...]:
    """Return the built-in directory and the lender's; refuse (Refused) one that is not there."""
    ours = builtin_shelf()
    if folder is None:
        return (ours,)
    if not folder.is_dir():
        raise Refused(Diagnostic(area="templates", code="no_folder", values={"path": folder}))
    return (ours, read_shelf(folder, phrases=ours.phrases))


def chosen(found: Sequence[Shelf], choice: Choice) -> tuple[tuple[Text, str], ...]:
    """Return the texts that are asked for, each with its status.

    A replaced version, and one of ours that the lender's own stands before, is shown only where
    its version is named.
    """
    own = {
        (*text.key, tone)
        for shelf in found[1:]
        for text in shelf.texts
        if text.name in shelf.published
        for tone in text.tones
    }
    taken: list[tuple[Text, str]] = []
    for place, shelf in enumerate(found):
        for text in shelf.texts:
            status = shelf.status(text)
            if place == 0 and all((*text.key, tone) in own for tone in text.tones):
                status = "replaced"
            if choice.takes(text) and (status != "replaced" or "@" in choice.id):
                taken.append((text, status))
    return tuple(taken)


def looks(
    found: Sequence[Shelf], choice: Choice, lender: Lender, *, checked: bool = True
) -> Iterator[Look]:
    """Give each text that is asked for; refuse (Refused) an id that no text has."""
    taken = chosen(found, choice)
    if not taken:
        unknown(found, choice.id)
    for text, status in taken:
        tone = choice.tone or text.tones[0]
        said = sample(text, lender, tone)
        held = elements_of(said.text, text.locale, channel=text.channel)
        rules = dict.fromkeys(rule for element in held for rule in ELEMENTS[element])
        yield Look(
            text=text,
            status=status,
            said=said,
            elements=held,
            rules=tuple(rules),
            facts=guarded_facts(body_of(text, tone), STAGES[text.stage].facts),
            found=check(text, lender) if checked else (),
        )


def pairs(
    found: Sequence[Shelf], old: str, new: str, choice: Choice
) -> tuple[tuple[Text, Text], ...]:
    """Return the texts to compare, each old one with the new one of its locale, channel and tone.

    `old` and `new` are files, or an id and a version: overdue@1. Refuses (Refused) what is neither,
    and two that have nothing in common.
    """
    before, after = _named(found, old, choice), _named(found, new, choice)
    both = [
        (one, other)
        for one in before
        for other in after
        if (one.locale, one.channel) == (other.locale, other.channel)
        and set(one.tones) & set(other.tones)
    ]
    if not both:
        values = {"old": old, "new": new}
        raise Refused(Diagnostic(area="templates", code="no_pair", values=values))
    return tuple(both)


def _named(found: Sequence[Shelf], name: str, choice: Choice) -> tuple[Text, ...]:
    path = Path(name)
    if path.is_file():
        text, broken = read_text(path.read_bytes(), name, found[0].phrases)
        if text is None:
            raise Refused(*broken)
        return (text,)
    wanted = Choice(id=name, locale=choice.locale, channel=choice.channel, tone=choice.tone)
    texts = tuple(text for shelf in found for text in shelf.texts if wanted.takes(text))
    if "@" not in name or not texts:
        unknown(found, name)
    return texts


def unknown(found: Sequence[Shelf], name: str) -> NoReturn:
    """Refuse a name that no text has, with what is wrong in the files where it may stand."""
    broken = [item for shelf in found for item in shelf.found]
    if broken:
        raise Refused(*broken)
    known = [f"{text.id}@{text.version}" for shelf in found for text in shelf.texts]
    known += [text.id for shelf in found for text in shelf.texts]
    near = nearest(name, tuple(dict.fromkeys(known)))
    values = {"value": name, "near": near}
    raise Refused(Diagnostic(area="templates", code="no_such_text", values=values))
