"""From the text of a condition to its checked tree, or to diagnostics with their places."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp
from sqlglot.dialects.duckdb import DuckDB
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from duly.conditions.convert import Converter, Finding, WrongTextError
from duly.conditions.place import Place, place_from
from duly.conditions.tree import Condition, Vocabulary, names_in
from duly.core.diagnostic import Diagnostic

TEXT_BYTES_MAX = 4096
DEPTH_MAX = 50
#: sqlglot takes some twenty to forty calls for each level of the limit above.
_CALLS_MIN = 6_000

_DIVISIONS = frozenset({TokenType.SLASH, TokenType.DIV, TokenType.MOD})
_FOREIGN = frozenset(
    {
        TokenType.SEMICOLON,
        TokenType.SELECT,
        TokenType.DCOLON,
        TokenType.PLACEHOLDER,
        TokenType.PARAMETER,
        TokenType.L_BRACKET,
        TokenType.L_BRACE,
        TokenType.DOT,
    }
)
#: After these a new operand begins: prefixes before it are closed.
_FRESH = frozenset(
    {
        TokenType.AND,
        TokenType.OR,
        TokenType.COMMA,
        TokenType.WHEN,
        TokenType.THEN,
        TokenType.ELSE,
    }
)
_TEXTS = frozenset({TokenType.STRING, TokenType.IDENTIFIER})
_BEFORE_PARENTHESIS = frozenset(
    {
        TokenType.AND,
        TokenType.OR,
        TokenType.NOT,
        TokenType.IN,
        TokenType.BETWEEN,
        TokenType.CASE,
        TokenType.WHEN,
        TokenType.THEN,
        TokenType.ELSE,
    }
)


@dataclass(frozen=True, kw_only=True)
class Parsed:
    """A condition, or None with the diagnostics that say why."""

    condition: Condition | None
    diagnostics: tuple[Diagnostic, ...]


def parse(
    text: str,
    vocabulary: Vocabulary,
    *,
    file: str = "",
    line: int = 0,
    column: int = 0,
    place: Place | None = None,
) -> Parsed:
    """Read one boolean condition over the vocabulary; every mistake is gathered.

    The text's first character stands at `line:column` of `file` (both 1-based), unless `place`
    says where each character stands. Texts above 4 kB or deeper than 50 are refused.
    """
    place = place or place_from(text, max(line, 1), max(column, 1))
    condition, findings = _read(text, vocabulary)
    unique = sorted(set(findings), key=lambda item: (item.offset, item.code, str(item.values)))
    diagnostics: list[Diagnostic] = []
    for item in unique:
        row, at = place(item.offset)
        diagnostics.append(
            Diagnostic(
                area="conditions",
                code=item.code,
                file=file,
                line=row,
                column=str(at),
                values=dict(item.values),
            )
        )
    return Parsed(condition=None if diagnostics else condition, diagnostics=tuple(diagnostics))


def _read(text: str, vocabulary: Vocabulary) -> tuple[Condition | None, list[Finding]]:
    if len(text.encode()) > TEXT_BYTES_MAX:
        return None, [Finding.at(0, "too_long", bytes=len(text.encode()), max=TEXT_BYTES_MAX)]
    if not text.strip():
        return None, [Finding.at(0, "empty")]
    remark = re.search(r"--|/\*", _without_texts(text))
    if remark:
        return None, [Finding.at(remark.start(), "comment", construct=remark[0])]
    try:
        tokens = DuckDB().tokenize(text)
    except TokenError:
        return None, [Finding.at(_open_quote(text), "unclosed_text")]
    wrong = _too_deep(tokens) or _forbidden(tokens)
    if wrong:
        return None, wrong
    if sys.getrecursionlimit() < _CALLS_MIN:  # Raised once, never lowered: safe among threads.
        sys.setrecursionlimit(_CALLS_MIN)
    try:
        parsed = DuckDB().parser().parse_into(exp.Condition, tokens, text)
    except ParseError as error:
        return None, [_syntax(text, error)]
    except RecursionError:
        return None, [Finding.at(0, "too_deep", max=DEPTH_MAX)]
    if len(parsed) != 1 or parsed[0] is None:
        return None, [Finding.at(0, "empty")]
    try:
        node = Converter(text, vocabulary, DEPTH_MAX).convert(parsed[0])
    except WrongTextError as error:
        return None, list(error.findings)
    return Condition(text=text.strip(), tree=node, fields=names_in(node)), []


def _forbidden(tokens: Sequence[Token]) -> list[Finding]:
    """Return what no condition may hold, told from the tokens alone, each at its own place."""
    findings: list[Finding] = []
    for at, token in enumerate(tokens):
        kind, text = token.token_type, token.text.lower()
        after = tokens[at + 1] if at + 1 < len(tokens) else None
        calls = after is not None and after.token_type == TokenType.L_PAREN
        if kind in _DIVISIONS:
            findings.append(Finding.at(token.start, "division"))
        elif kind in _FOREIGN:
            findings.append(Finding.at(token.start, "not_allowed", construct=text))
        elif _is_word(token) and (calls or kind.name.startswith("CURRENT_")):
            findings.append(Finding.at(token.start, "function", name=text))
    return findings


def _is_word(token: Token) -> bool:
    structural = token.token_type in _TEXTS or token.token_type in _BEFORE_PARENTHESIS
    return token.text.isidentifier() and not structural


def _without_texts(text: str) -> str:
    """Return a text with blanks for what stands between quotes."""
    return re.sub(r"'(?:[^']|'')*'|\"[^\"]*\"", lambda found: " " * len(found[0]), text)


def _open_quote(text: str) -> int:
    """Return the offset of the first quote that nothing closes."""
    found = re.search(r"['\"$]", _without_texts(text))
    return found.start() if found else 0


def _too_deep(tokens: Sequence[Token]) -> list[Finding]:
    """Return a finding at the first token nested deeper than the limit.

    Parsers recurse on parentheses, on `case` and on prefixes: counted here before one runs.
    """
    nested: list[int] = [0]  # how many prefixes stand open inside each parenthesis
    for token in tokens:
        kind = token.token_type
        if kind in {TokenType.L_PAREN, TokenType.CASE, TokenType.L_BRACKET, TokenType.L_BRACE}:
            nested.append(0)
        elif kind in {TokenType.R_PAREN, TokenType.END, TokenType.R_BRACKET, TokenType.R_BRACE}:
            nested = nested[:-1] or [0]
        elif kind in _FRESH:
            nested[-1] = 0
        elif kind in {TokenType.NOT, TokenType.DASH, TokenType.TILDE, TokenType.PLUS}:
            nested[-1] += 1
        if len(nested) - 1 + sum(nested) > DEPTH_MAX:
            return [Finding.at(token.start, "too_deep", max=DEPTH_MAX)]
    return []


def _syntax(text: str, error: ParseError) -> Finding:
    first = error.errors[0] if error.errors else {}
    near = str(first.get("highlight") or "")
    lines = text.split("\n")
    line, column = int(first.get("line") or 1), int(first.get("col") or 1)
    start = sum(len(item) + 1 for item in lines[: line - 1]) + max(column - len(near), 0)
    return Finding.at(min(start, len(text)), "syntax", near=near or text.strip()[-1:])
