"""The reference pages, made from the code: book, conditions, reasons, rules, command line."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from cyclopts import App

from duly.book.quarantine import ROW_CODES
from duly.book.schema import TABLES, Column, Table
from duly.conditions import Field
from duly.core.reasons import REASONS
from duly.core.words import catalogue
from duly.policy import FEATURES
from duly.risk.feature_table import FEATURES as RISK_FEATURES
from duly.rules import FACTS, Rule, load_packs, pack_names

_MADE = "<!-- Made by `duly reference`; do not edit. -->"


def generate(out: Path) -> tuple[Path, ...]:
    """Write the reference pages into `out`, each in English with the Chinese beside it."""
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, page in PAGES.items():
        path = out / name
        path.write_text(page(), encoding="utf-8", newline="\n")
        written.append(path)
    return tuple(written)


def _page(title: str, *parts: str) -> str:
    return "\n\n".join((f"# {title}", _MADE, *parts)) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [_row(head), "|" + "---|" * len(head), *(_row(row) for row in rows)]
    return "\n".join(lines)


def _row(cells: Sequence[str]) -> str:
    shown = (" ".join(cell.replace("|", "\\|").split()) for cell in cells)
    return "| " + " | ".join(shown) + " |"


def _codes(values: Iterable[str]) -> str:
    return ", ".join(f"`{value}`" for value in values)


def _both(area: str, key: str) -> tuple[str, str]:
    """Return the words of one key in English and Chinese."""
    return catalogue(area, "en")[key], catalogue(area, "zh-CN")[key]


# --- The book ---------------------------------------------------------------------------------


def book() -> str:
    """Return the page of tables, columns and codes of a book."""
    rows = [(f"`{code}`", *_sentence("book", code)) for code in ROW_CODES]
    return _page(
        "The book (账本)",
        "A book is a directory; each table is `NAME.csv` (UTF-8, header row), `NAME.parquet`, or a "
        "directory `NAME/` of Parquet parts (`*.parquet`; hidden files, `_SUCCESS`, `_metadata`, "
        "`_common_metadata`, `_committed_*`, `_started_*` and `*.crc` are passed over, anything "
        "else refuses the book). Money is written in decimal major units, such as `734.10`; dates "
        "as `YYYY-MM-DD`; instants as ISO 8601 with an offset or `Z`. A required "
        "column must be in the file; a filled one must have a value in every row. `book.json` "
        "(optional) holds `cut_at` and control totals.",
        *(_book_table(table) for table in TABLES.values()),
        "## Codes of quarantined rows (隔离代码)",
        _table(("code", "sentence", "句子"), rows),
    )


def _sentence(area: str, code: str) -> tuple[str, str]:
    english, chinese = _both(area, code)
    return english.replace("{near}", ""), chinese.replace("{near}", "")


def _book_table(table: Table) -> str:
    meaning, term = _both("reference", f"table.{table.name}")
    needed = (
        "Required for every command."
        if "position" in table.needed_for
        else "Required for a plan; a file with only a header says 'none'."
        if "plan" in table.needed_for
        else "Optional: a missing file means none."
    )
    key = f" Key: {_codes(table.key)}." if table.key else ""
    return f"## {table.name} ({term})\n\n{meaning} {needed}{key}\n\n" + _table(
        ("column", "中文", "kind", "in the file", "default", "meaning"),
        (_column(table.name, column) for column in table.columns),
    )


def _column(table: str, column: Column) -> tuple[str, ...]:
    meaning, term = _both("reference", f"{table}.{column.name}")
    presence = "filled" if column.filled else "required" if column.required else "optional"
    values = f" One of {_codes(column.values)}." if column.values else ""
    refers = f" Refers to {column.references}." if column.references else ""
    default = f"`{column.default}`" if column.default is not None else ""
    return (f"`{column.name}`", term, column.kind, presence, default, meaning + values + refers)


# --- The vocabularies -------------------------------------------------------------------------


def conditions() -> str:
    """Return the page of names that conditions of policies and rules may use."""
    return _page(
        "Conditions (条件)",
        "A condition is a restricted SQL expression: names of the vocabulary, literals, `=`, `<>`, "
        "`<`, `<=`, `>`, `>=`, `and`, `or`, `not`, `in`, `between`, `is null`, `case`, `+`, `-`, "
        "`*`. Money is written in major units (`20.00`). Only TRUE holds: an empty value makes a "
        "comparison unknown, and unknown is false in a policy and blocks as `missing:NAME` in a "
        "rule.",
        "## In a policy (催收策略)",
        "One row a loan.",
        _vocabulary(FEATURES, "policy"),
        "## In a rule (规则)",
        "One row a contact with one borrower about one loan.",
        _vocabulary(FACTS, "rules"),
    )


def policies() -> str:
    """Return the page of what a policy check says: mistakes of the file, and refutations."""
    return _page(
        "Policy checks (策略检查)",
        "What `duly policy check` may find, each at a line and column. A mistake of the file stops "
        "before the proof. What is proved, and how, stands in "
        "[policy-proofs.md](../policy-proofs.md).",
        "## Mistakes of the file (文件错误)",
        _said("policy"),
        "## Mistakes of a condition (条件错误)",
        _said("conditions"),
        "## Refutations and notes of the proof (反例与提示)",
        _said("proofs"),
    )


def _said(area: str) -> str:
    """Return the sentences of an area that have a hint, with their codes."""
    codes = [key for key in catalogue(area, "en") if f"{key}_hint" in catalogue(area, "en")]
    rows = [
        (f"`{code}`", *(f"{one}; {two}" for one, two in zip(
            _both(area, code), _both(area, f"{code}_hint"), strict=True)))
        for code in codes
    ]  # fmt: skip
    return _table(("code", "sentence; hint", "句子"), rows)


def _vocabulary(fields: Mapping[str, Field], area: str) -> str:
    rows = [
        (
            f"`{field.name}`",
            field.kind,
            "yes" if field.nullable else "",
            _both(area, field.doc_key)[0] + _values(field),
            _both(area, field.doc_key)[1],
        )
        for field in fields.values()
    ]
    return _table(("name", "kind", "may be empty", "meaning", "含义"), rows)


def _values(field: Field) -> str:
    """Return the values that a field may have, where they are listed."""
    return f" Values: {_codes(field.values)}." if field.values else ""


# --- Reasons ----------------------------------------------------------------------------------


def reasons() -> str:
    """Return the page of decisions and reason codes."""
    parts = []
    for decision, codes in REASONS.items():
        name, chinese = _both("reasons", f"decision.{decision}")
        means, chinese_means = _both("reasons", f"means.{decision}")
        rows = [
            (f"`{code}`", *_both("reasons", f"name.{code}"), *_both("reasons", f"reason.{code}"))
            for code in codes
        ]
        parts.append(
            f"## {decision}: {name} ({chinese})\n\n{means} {chinese_means}\n\n"
            + _table(("reason", "name", "名称", "meaning", "含义"), rows)
        )
    return _page(
        "Decisions and reasons (决定与原因码)",
        "Every loan of a book gets one decision with one reason. The codes are stable: new ones "
        "may be added, none changes its meaning.",
        *parts,
    )


# --- Rules ------------------------------------------------------------------------------------


def rules() -> str:
    """Return the page of every rule of the built-in packs."""
    parts = []
    for pack in pack_names():
        parts.append(f"## Pack {pack}")
        parts += [_rule(rule) for rule in load_packs((pack,))]
    return _page(
        "Rules (规则)",
        "Each rule with what it says, where it comes from, how well that was checked, and since "
        "when it is in force. Only rules of our own policy may be switched off. `duly rules show "
        "ID` prints a rule with all its cases; `duly rules test` runs them.",
        *parts,
    )


def _rule(rule: Rule) -> str:
    force, chinese_force = _both("rules", f"force.{rule.force}")
    checked = " ".join(_both("rules", f"confidence.{level}")[0] for level in rule.source.confidence)
    lines = [
        f"### {rule.id}: {force} ({chinese_force})",
        f"{rule.says['en']}  \n{rule.says['zh-CN']}",
        f"- Source: {rule.source.text}; clause: {rule.source.clause}\n"
        f"- {checked}"
        + (f" {rule.source.note}" if rule.source.note else "")
        + f"\n- In force: {_in_force(rule)}"
        + (f"\n- Must know: {_codes(rule.requires)}" if rule.requires else "")
        + f"\n- Shape: {type(rule.primitive).__name__.lower()}; answers {rule.effect}; "
        + f"{len(rule.cases)} cases",
    ]
    return "\n\n".join(lines)


def _in_force(rule: Rule) -> str:
    if rule.in_force_from.year == 1:
        return "always, in every place"
    until = f" until {rule.in_force_to} (exclusive)" if rule.in_force_to else ""
    return f"since {rule.in_force_from}{until}"


# --- Templates ---------------------------------------------------------------------------------


def templates() -> str:
    """Return the page of templates, stages, elements and variables."""
    from duly.cli import reference_templates

    return _page("Templates (模板)", *reference_templates.parts(_table))


# --- The command line -------------------------------------------------------------------------


def command_line() -> str:
    """Return the page of commands and their options."""
    from duly.cli.main import COMMANDS, GROUPS, build

    app = build()
    parts = [_command(app[name], f"duly {name}", f"{name}.help") for name in COMMANDS]
    for group, commands in GROUPS.items():
        parts += [
            _command(app[group][name], f"duly {group} {name}", f"{group}_{name}.help")
            for name in commands
        ]
    return _page(
        "The command line (命令行)",
        "Diagnostics go to stderr as `FILE:ROW:COLUMN code sentence; hint`. Exit codes: 0 done; 1 "
        "done, and something was found wrong; 2 refused, nothing was written.",
        *parts,
    )


def _command(command: App, title: str, key: str) -> str:
    english, chinese = _both("cli", key)
    rows = []
    for argument in command.assemble_argument_collection():
        if not argument.show:
            continue
        default = argument.field_info.default
        told = not argument.required and default is not None and default is not False
        shown = f"`{default}`" if told and default != () else ""
        rows.append(
            (
                " ".join(f"`{name}`" for name in argument.names),
                "yes" if argument.required else "",
                shown,
                *_help(str(argument.parameter.help or "")),
            )
        )
    options = _table(("option", "must", "default", "meaning", "含义"), rows) if rows else ""
    example = _both("cli", f"examples.{key.removesuffix('.help')}")[0]
    lines = [f"## {title}", f"{english}  \n{chinese}", f"```\n{example}\n```"]
    return "\n\n".join([*lines, options] if options else lines)


def _help(sentence: str) -> tuple[str, str]:
    """Return an option's sentence in both languages, whichever the terminal speaks."""
    for locale in ("en", "zh-CN"):
        for key, words in catalogue("cli", locale).items():
            if words == sentence and key.startswith("option."):
                return _both("cli", key)
    return sentence, ""


# --- What a risk model looks at ----------------------------------------------------------------


def features() -> str:
    """Return the page of what a risk model may look at, and when it is known."""
    ways = {1: "never lowers", -1: "never raises", 0: "either way"}
    rows = [
        (f"`{one.name}`", *_both("risk", f"feature.{one.name}"), one.family,
         _both("risk", f"moment.{one.moment}")[0], ways[one.late])
        for one in RISK_FEATURES
    ]  # fmt: skip
    return _page(
        "What a risk model looks at (风险模型的特征)",
        "Each is worked out for a loan on a day from the book alone, as known by the close of that "
        "day. `undated` columns carry no date: the book says them as of its own cut, so a model "
        "that is trained on an old day sees today's. The last column is how more of it may move "
        "the chance of being late. `relations` are looked at with `duly risk train --relations` "
        "only, and only of borrowers whose `relations` consent is in force that day. What a "
        "borrower has a right to, such as a dispute, a complaint or a request for relief, is no "
        "feature; neither is anything that says who somebody is.",
        _table(("feature", "meaning", "含义", "family", "known", "late"), rows),
    )


PAGES: Mapping[str, Callable[[], str]] = {
    "book.md": book,
    "conditions.md": conditions,
    "features.md": features,
    "policy.md": policies,
    "reasons.md": reasons,
    "rules.md": rules,
    "templates.md": templates,
    "command-line.md": command_line,
}
