"""The reference page of templates: stages, elements, variables, and every built-in text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from duly.core.words import catalogue
from duly.messages import index
from duly.messages.stages import ELEMENTS, KINDS, STAGES
from duly.messages.variables import FACT_FLAGS, LENDER_FLAGS, OF_A_PLAN, VARIABLES

Table = Callable[[Sequence[str], Iterable[Sequence[str]]], str]


def parts(table: Table) -> tuple[str, ...]:
    """Return the parts of the page below its title; `table` writes rows as Markdown."""
    return (
        "A template is a text file with a front matter. What it must and may never say follows "
        "from its stage. `docs/templates.md` tells how to write and publish one; `duly messages "
        "preview ID` shows one as a borrower would read it.",
        "## Built-in templates (内置模板)",
        "Each speaks zh-CN, zh-TW and en, as a text message and as an e-mail. A plan can send "
        "those without a mark; the others need facts of a case.",
        table(("id", "stage", "class", "needs", "by a plan"), _templates()),
        "## Stages (阶段)",
        table(("stage", "name", "名称", "class", "must say", "never says"), _stages()),
        "## Elements (要素)",
        table(("element", "what it is", "含义", "asked for by"), _elements()),
        "## What some stages never say (禁止的内容)",
        table(("kind", "what it is", "含义"), _kinds()),
        "## Variables (变量)",
        "A variable has a type; no type carries prose. Texts of a case are held whole to a "
        "grammar, with 35 characters at most.",
        table(("variable", "type", "what it is", "含义"), _variables()),
        "## Questions (条件)",
        f"Of the facts: {_codes(FACT_FLAGS)}. Of the lender: {_codes(LENDER_FLAGS)}.",
    )


def _codes(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _both(group: str, code: str) -> tuple[str, str]:
    key = f"{group}.{code}"
    return catalogue("templates", "en")[key], catalogue("templates", "zh-CN")[key]


def _templates() -> Iterable[Sequence[str]]:
    for row in index():
        if row["locale"] != "en":
            continue
        facts = STAGES[str(row["stage"])].facts
        plain = set(facts) <= OF_A_PLAN
        yield (
            f"`{row['name']}`",
            f"`{row['stage']}`",
            str(row["class"]),
            _codes(facts),
            "" if plain else "no: a case decides it",
        )


def _stages() -> Iterable[Sequence[str]]:
    for name, stage in STAGES.items():
        yield (
            f"`{name}`",
            *_both("stage", name),
            stage.message_class,
            _codes(stage.must),
            _codes(stage.never),
        )


def _elements() -> Iterable[Sequence[str]]:
    for name, rules in ELEMENTS.items():
        yield f"`{name}`", *_both("element", name), ", ".join(rules)


def _kinds() -> Iterable[Sequence[str]]:
    for name in KINDS:
        yield f"`{name}`", *_both("kind", name)


def _variables() -> Iterable[Sequence[str]]:
    kinds: Mapping[str, str] = VARIABLES
    for name, kind in kinds.items():
        yield f"`{name}`", kind, *_both("variable", kind)
