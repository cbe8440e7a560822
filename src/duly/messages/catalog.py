"""The templates as data: read once, checked once, fingerprinted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

from minijinja import Environment
from ruamel.yaml import YAML

from duly.core import digest
from duly.core.words import LOCALES
from duly.messages.elements import STAGES
from duly.messages.facts import TemplateBroken

CLASSES = ("dunning", "statutory", "receipt", "answer", "correction")
CHANNELS = ("sms", "email")
TONES = ("gentle", "plain", "serious")

#: Every variable that a body may name, with its type. There is no type for prose.
VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "name": "name",
        "tail": "tail",
        "loans": "count",
        "days": "days",
        "as_of": "instant",
        **dict.fromkeys(
            [
                "overdue_total",
                "overdue_principal",
                "overdue_interest",
                "overdue_fee",
                "late_charge",
                "next_due_amount",
                "paid_amount",
            ],
            "money",
        ),
        **dict.fromkeys(
            ["overdue_since", "next_due_on", "report_on", "paid_on", "corrects_on"],
            "date",
        ),
        **dict.fromkeys(["signature", "lender", "ways"], "lender"),
    }
)
#: Questions with the answer yes or no that a body may ask: of the facts, then of the lender.
FACT_FLAGS = ("named", "several", "accrues", "late", "paid_known", "corrects_known")
LENDER_FLAGS = ("opt_out", "paying_prevents", "national")

_SHARED = re.compile(r"\[\[([a-z_]+)\]\]")


@dataclass(frozen=True, kw_only=True)
class Body:
    """The words of one template in one locale, channel and tone, shared phrases in place."""

    key: str  #: template.locale.channel.tone
    source: str
    subject: str | None
    variables: frozenset[str]  #: those that differ from message to message
    flags: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Template:
    """One template in one locale; `bodies` by (channel, tone)."""

    name: str
    locale: str
    message_class: str
    stage: str
    elements: tuple[str, ...]
    bodies: Mapping[tuple[str, str], Body]


@cache
def environment() -> Environment:
    """Return the one template engine; it holds every body, compiled once, under its key."""
    return Environment(
        undefined_behavior="strict",
        auto_escape_callback=lambda _: False,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@cache
def templates() -> Mapping[tuple[str, str], Template]:
    """Return every template by (name, locale); raise TemplateBroken on the first broken one."""
    found: dict[tuple[str, str], Template] = {}
    for locale in LOCALES:
        shared = _read(f"shared.{locale}.yaml")
        for file in sorted(_files()):
            name, _, rest = file.partition(".")
            if rest == f"{locale}.yaml" and name != "shared":
                found[name, locale] = _template(name, locale, _read(file), shared)
    names = {locale: {name for name, own in found if own == locale} for locale in LOCALES}
    if len({frozenset(own) for own in names.values()}) != 1:
        raise TemplateBroken("templates", f"the locales differ: {names}")
    return MappingProxyType(found)


def template_names() -> frozenset[str]:
    """Return the names that a policy may write in `template`."""
    return frozenset(name for name, _ in templates())


def index() -> tuple[dict[str, object], ...]:
    """Return one row a template and locale, for references and checks, sorted."""
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
        for _, template in sorted(templates().items())
    )


@cache
def templates_sha256() -> str:
    """Return the fingerprint of the template files, names and bytes."""
    root = resources.files("duly.messages").joinpath("templates")
    return digest.of_value(
        {file: digest.of_bytes(root.joinpath(file).read_bytes()) for file in sorted(_files())}
    )


def _files() -> list[str]:
    root = resources.files("duly.messages").joinpath("templates")
    return [item.name for item in root.iterdir() if item.name.endswith(".yaml")]


def _read(file: str) -> dict[str, Any]:
    source = resources.files("duly.messages").joinpath("templates", file)
    data: dict[str, Any] = YAML(typ="safe").load(source.read_text(encoding="utf-8"))
    return data


def _template(
    name: str,
    locale: str,
    data: Mapping[str, Any],
    shared: Mapping[str, str],
) -> Template:
    stage, elements = data["stage"], tuple(data["elements"])
    problems = []
    if data["class"] not in CLASSES:
        problems.append(f"class {data['class']} is unknown")
    if stage not in STAGES:
        problems.append(f"stage {stage} is unknown")
    elif missing := set(STAGES[stage]) - set(elements):
        problems.append(f"stage {stage} also requires {sorted(missing)}")
    if unknown := set(data) - {"class", "stage", "elements", *CHANNELS}:
        problems.append(f"unknown keys {sorted(unknown)}")
    if problems:
        raise TemplateBroken(f"{name}.{locale}", *problems)
    bodies = {}
    for channel in CHANNELS:
        for tones, words in data[channel].items():
            if tones == "subject":
                continue
            for tone in TONES if tones == "any" else tones.split():
                key = f"{name}.{locale}.{channel}.{tone}"
                source = _joined(_expanded(words, shared, key), locale, channel)
                bodies[channel, tone] = _body(key, source, data[channel])
    return Template(
        name=name,
        locale=locale,
        message_class=data["class"],
        stage=stage,
        elements=elements,
        bodies=MappingProxyType(bodies),
    )


def _expanded(words: str, shared: Mapping[str, str], key: str) -> str:
    def phrase(hit: re.Match[str]) -> str:
        if hit[1] not in shared:
            raise TemplateBroken(key, f"no shared phrase {hit[1]}")
        return shared[hit[1]].rstrip("\n") if "\n" not in shared[hit[1]][:-1] else shared[hit[1]]

    return _SHARED.sub(phrase, words)


def _joined(words: str, locale: str, channel: str) -> str:
    if channel == "email":
        return words
    return ("" if locale == "zh-CN" else " ").join(line.strip() for line in words.splitlines())


def _body(key: str, source: str, channel: Mapping[str, str]) -> Body:
    environment().add_template(key, source)
    named = set(environment().undeclared_variables_in_template(key))
    flags = tuple(flag for flag in (*FACT_FLAGS, *LENDER_FLAGS) if flag in named)
    if unknown := named - set(flags) - set(VARIABLES):
        raise TemplateBroken(key, f"no such variable: {sorted(unknown)}")
    return Body(
        key=key,
        source=source,
        subject=channel.get("subject"),
        variables=frozenset(name for name in named if VARIABLES.get(name, "lender") != "lender"),
        flags=flags,
    )
