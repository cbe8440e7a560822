"""The templates that a plan may use: the newest published texts, the lender's own before ours."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from types import MappingProxyType

from minijinja import Environment

from duly.book.lender import Route
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.messages.front import Notes
from duly.messages.locales import LOCALES, message_locale
from duly.messages.shelf import Shelf, read_shelf
from duly.messages.stages import CLASSES, DEMANDING
from duly.messages.template_file import CHANNELS, TONES, Text
from duly.messages.variables import (
    ALWAYS,
    COMPUTED,
    FACT_FLAGS,
    FACT_OF,
    GUARDS,
    LENDER_FLAGS,
    OF_LENDER,
    VARIABLES,
)

__all__ = [
    "CHANNELS",
    "CLASSES",
    "FACT_FLAGS",
    "LENDER_FLAGS",
    "TONES",
    "VARIABLES",
    "Body",
    "Catalogue",
    "Template",
    "builtin",
    "builtin_shelf",
    "environment",
    "index",
    "load",
    "template_names",
    "templates",
    "templates_sha256",
]


@dataclass(frozen=True, kw_only=True)
class Body:
    """The words of one template in one locale, channel and tone, shared phrases in place."""

    key: str  #: template.locale.channel.tone
    source: str
    subject: str | None
    variables: frozenset[str]  #: those that differ from message to message
    of_lender: frozenset[str]  #: those that the lender file gives
    flags: tuple[str, ...]
    elements: tuple[str, ...]  #: what its file promises
    requires: tuple[str, ...]
    from_days: int | None
    gateway_code: str | None  #: its number at a gateway that approves texts
    version: int
    file: str
    sha256: str
    looked_at: bool = False  #: a draft that people look at, mistakes and all; never sent


@dataclass(frozen=True, kw_only=True)
class Template:
    """One template in one locale; `bodies` by (channel, tone)."""

    name: str
    locale: str
    message_class: str
    stage: str
    elements: tuple[str, ...]
    bodies: Mapping[tuple[str, str], Body]


@dataclass(frozen=True, kw_only=True)
class Catalogue:
    """Every template by (name, locale), as a plan reads it."""

    templates: Mapping[tuple[str, str], Template]
    own: Shelf | None  #: the lender's directory

    @cached_property
    def names(self) -> frozenset[str]:
        """The names that a policy may write in `template`."""
        return frozenset(name for name, _ in self.templates)

    @cached_property
    def demands(self) -> frozenset[str]:
        """The names of templates that ask for an overdue amount: none goes out inside the grace."""
        return frozenset(one.name for one in self.templates.values() if one.stage in DEMANDING)

    @cached_property
    def classes(self) -> Mapping[str, str]:
        """The class of each template."""
        return {one.name: one.message_class for one in self.templates.values()}

    @cached_property
    def sha256(self) -> str:
        """The fingerprint of every text in use: drafts and replaced versions are not in it."""
        return digest.of_value(
            {
                body.key: [body.version, body.sha256]
                for template in self.templates.values()
                for body in template.bodies.values()
            }
        )

    def served(self, name: str, wanted: str, own_locale: str) -> Template | None:
        """Return a template in the locale of a reader, else the lender's, else any; None: no such.

        `wanted` and `own_locale` are BCP 47 names of any kind.
        """
        for locale in (message_locale(wanted), message_locale(own_locale), *LOCALES):
            found = self.templates.get((name, locale))
            if found is not None:
                return found
        return None


@cache
def environment() -> Environment:
    """Return the template engine: undefined names are errors, nothing is escaped."""
    return Environment(
        undefined_behavior="strict",
        auto_escape_callback=lambda _: False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def builtin_shelf() -> Shelf:
    """Return the directory of templates that ships with Duly."""
    folder = Path(str(resources.files("duly.messages").joinpath("templates")))
    return read_shelf(folder, label="templates")


@cache
def builtin() -> Catalogue:
    """Return the templates that ship with Duly; refuse (Refused) them if they were changed."""
    return _load(None)


def load(folder: Path | None) -> Catalogue:
    """Return the built-in templates and those of a lender's directory, which stand before them.

    Refuses (Refused) every mistake of what is published, there or here; drafts are left aside.
    """
    return builtin() if folder is None else _load(folder)


def _load(folder: Path | None) -> Catalogue:
    ours = builtin_shelf()
    own = None if folder is None else _own(folder, ours)
    blocking = [*ours.blocking, *(own.blocking if own else ())]
    if own is not None:
        blocking += _off_stage(own, ours)
    if blocking:
        raise Refused(*blocking)
    shelves = (ours,) if own is None else (ours, own)
    return Catalogue(templates=_templates(newest(shelves)), own=own)


def _own(folder: Path, ours: Shelf) -> Shelf:
    if not folder.is_dir():
        raise Refused(Diagnostic(area="templates", code="no_folder", values={"path": folder}))
    return read_shelf(folder, phrases=ours.phrases)


def newest(shelves: Iterable[Shelf]) -> Mapping[tuple[str, str, str, str], Text]:
    """Return the text of each id, locale, channel and tone: of the last shelf, its newest."""
    chosen: dict[tuple[str, str, str, str], Text] = {}
    for shelf in shelves:
        mine: dict[tuple[str, str, str, str], Text] = {}
        for text in shelf.texts:  # By version, ascending.
            if text.name in shelf.published:
                mine |= {(*text.key, tone): text for tone in text.tones}
        chosen |= mine
    return chosen


def _off_stage(own: Shelf, ours: Shelf) -> list[Diagnostic]:
    """Return the lender's texts that give a known id another stage."""
    stages = {text.id: text for text in reversed(ours.texts)}
    found: list[Diagnostic] = []
    for text in own.texts:
        if text.name not in own.published:
            continue
        first = stages.setdefault(text.id, text)
        if first.stage != text.stage:
            notes = Notes(text.file)
            notes.wrong((1, 1), "stage_of_id", id=text.id, stage=text.stage, wanted=first.stage)
            found += notes.found
    return found


def _templates(
    texts: Mapping[tuple[str, str, str, str], Text],
) -> Mapping[tuple[str, str], Template]:
    bodies: dict[tuple[str, str], dict[tuple[str, str], Body]] = {}
    for (name, locale, channel, tone), text in texts.items():
        bodies.setdefault((name, locale), {})[channel, tone] = body_of(text, tone)
    firsts = {(name, locale): text for (name, locale, _, _), text in reversed(list(texts.items()))}
    return MappingProxyType(
        {
            key: Template(
                name=first.id,
                locale=first.locale,
                message_class=first.message_class,
                stage=first.stage,
                elements=first.elements,
                bodies=MappingProxyType(bodies[key]),
            )
            for key, first in sorted(firsts.items())
        }
    )


def body_of(text: Text, tone: str, *, looked_at: bool = False) -> Body:
    """Return what the renderer reads of a text; one that is looked at is not refused."""
    return Body(
        key=f"{text.id}.{text.locale}.{text.channel}.{tone}",
        source=text.source,
        subject=text.subject,
        variables=text.variables - OF_LENDER,
        of_lender=text.variables & OF_LENDER,
        flags=tuple(flag for flag in (*FACT_FLAGS, *LENDER_FLAGS) if flag in text.flags),
        elements=text.elements,
        requires=text.requires,
        from_days=text.from_days,
        gateway_code=text.gateway_code,
        version=text.version,
        file=text.file,
        sha256=text.sha256,
        looked_at=looked_at,
    )


def gateway_code(template: Template, body: Body, route: Route) -> str | None:
    """Return the number under which a route's gateway knows a text, None where it has none.

    `template_codes` of the route goes before the file: of this template, else of its class.
    """
    codes = route.settings.get("template_codes")
    for key in (template.name, template.message_class):
        if isinstance(codes, Mapping) and codes.get(key):
            return str(codes[key])
    return body.gateway_code


def guarded_facts(body: Body, of_stage: tuple[str, ...]) -> tuple[str, ...]:
    """Return the facts that must be there for a text: of its stage, its file, its bare variables.

    A variable whose question the text asks first (`paid_known`, …) may be absent.
    """
    bare = (
        FACT_OF.get(name, name)
        for name in sorted(body.variables - ALWAYS)
        if GUARDS.get(name) not in body.flags and name not in COMPUTED
    )
    return tuple(dict.fromkeys((*of_stage, *body.requires, *bare)))


def template_of(text: Text) -> Template:
    """Return one text as a template of its own, whatever its status, for a look at it."""
    return Template(
        name=text.id,
        locale=text.locale,
        message_class=text.message_class,
        stage=text.stage,
        elements=text.elements,
        bodies=MappingProxyType(
            {(text.channel, tone): body_of(text, tone, looked_at=True) for tone in text.tones}
        ),
    )


def templates() -> Mapping[tuple[str, str], Template]:
    """Return every built-in template by (name, locale)."""
    return builtin().templates


def template_names() -> frozenset[str]:
    """Return the names of the built-in templates."""
    return builtin().names


def index(catalogue: Catalogue | None = None) -> tuple[dict[str, object], ...]:
    """Return one row a template and locale, for references and checks, sorted."""
    found = (catalogue or builtin()).templates
    return tuple(
        {
            "name": template.name,
            "locale": template.locale,
            "class": template.message_class,
            "stage": template.stage,
            "channels": sorted({channel for channel, _ in template.bodies}),
            "tones": [tone for tone in TONES if any(own == tone for _, own in template.bodies)],
            "elements": list(template.elements),
            "variables": sorted(
                set[str]().union(*(body.variables for body in template.bodies.values()))
            ),
        }
        for _, template in sorted(found.items())
    )


def templates_sha256() -> str:
    """Return the fingerprint of the built-in texts in use."""
    return builtin().sha256
