"""A YAML file as nodes with places; every mistake becomes a diagnostic, reading goes on.

Scalars stay text: nothing turns into a float, a boolean or a date behind the reader's back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from duly.book.nodes import (
    DEPTH_MAX,
    MappingNode,
    Node,
    NotYamlError,
    ScalarNode,
    SequenceNode,
    compose,
    is_plain,
    too_deep,
    turns,
)
from duly.conditions import Condition, Vocabulary, nearest, parse, place_in_scalar
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

#: Room for a list that is much too long to be refused where it is too long.
FILE_BYTES_MAX = 4_000_000
Keyed: TypeAlias = Mapping[str, Node]

_WHOLE = re.compile(r"-?[0-9]{1,9}")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class Sheet:
    """One file: its text, and the diagnostics gathered so far."""

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.diagnostics: list[Diagnostic] = []
        self.source = _decoded(file, data)

    def root(self) -> MappingNode:
        """Return the mapping that the file holds; refuse (Refused) what is no YAML mapping."""
        turned = [self._diagnostic("turned", line, column, mark=mark)
                  for line, column, mark in turns(self.source)]  # fmt: skip
        if turned:
            raise Refused(*turned)
        deep = too_deep(self.source)
        if deep:
            raise Refused(self._diagnostic("nested_too_deep", *deep, most=DEPTH_MAX))
        try:
            node = compose(self.source)
        except NotYamlError as error:
            raise Refused(
                self._diagnostic("not_yaml", error.line, error.column, problem=error.problem)
            ) from error
        if not isinstance(node, MappingNode):
            raise Refused(self._diagnostic("not_a_mapping", 1, 1, what=self.file))
        return node

    def _diagnostic(self, code: str, line: int, column: int, **values: object) -> Diagnostic:
        return Diagnostic(
            area="policy",
            code=code,
            file=self.file,
            line=line,
            column=str(column) if column else "",
            values=values,
        )

    def wrong(self, node: Node, code: str, **values: object) -> None:
        """Gather one mistake at a node's place."""
        mark = node.start_mark
        self.diagnostics.append(self._diagnostic(code, mark.line + 1, mark.column + 1, **values))

    def keyed(
        self, node: Node, what: str, *, required: Sequence[str] = (), optional: Sequence[str] = ()
    ) -> Keyed:
        """Return the values of a mapping by key; gather unknown, repeated and missing keys."""
        if not isinstance(node, MappingNode):
            self.wrong(node, "not_a_mapping", what=what)
            return {}
        known = (*required, *optional)
        found: dict[str, Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, ScalarNode) else ""
            if name in found:
                self.wrong(key, "duplicate_key", name=name)
            elif name not in known:
                self.wrong(
                    key, "unknown_key", name=name, what=what, suggestion=nearest(name, known)
                )
            elif is_empty(value):
                self.wrong(key, "empty_value", name=name)
            else:
                found[name] = value
        written = {key.value for key, _ in node.value if isinstance(key, ScalarNode)}
        for name in required:
            if name not in written:
                self.wrong(node, "missing_key", name=name, what=what)
        return found

    def listed(self, node: Node, what: str, *, most: int) -> list[Node]:
        """Return the items of a list of at most `most`."""
        if not isinstance(node, SequenceNode):
            self.wrong(node, "not_a_list", what=what)
            return []
        if len(node.value) > most:
            self.wrong(node.value[most], "too_many", what=what, count=len(node.value), most=most)
        return list(node.value[:most])

    def text(self, node: Node, what: str) -> str:
        """Return a text; an empty one where the node is none."""
        if isinstance(node, ScalarNode) and not is_empty(node):
            return str(node.value)
        self.wrong(node, "not_a_text", what=what)
        return ""

    def name(self, node: Node, what: str) -> str:
        """Return a name: small letters, digits, `_` and `-`, at most 64."""
        text = self.text(node, what)
        if text and not _NAME.fullmatch(text):
            self.wrong(node, "bad_name", what=what, value=text)
            return ""
        return text

    def whole(self, node: Node, what: str, *, least: int, most: int) -> int:
        """Return a whole number within bounds; `least` where it is none."""
        text = self.text(node, what)
        if not text:
            return least
        if not _WHOLE.fullmatch(text):
            self.wrong(node, "not_whole", what=what, value=text)
            return least
        if not least <= int(text) <= most:
            self.wrong(node, "out_of_bounds", what=what, value=text, least=least, most=most)
            return least
        return int(text)

    def flag(self, node: Node, what: str) -> bool:
        """Return true or false."""
        text = self.text(node, what)
        if text not in {"", "true", "false"}:
            self.wrong(node, "not_a_flag", what=what, value=text)
        return text == "true"

    def choice(self, node: Node, what: str, known: Sequence[str]) -> str:
        """Return one of the known words, or an empty text."""
        text = self.text(node, what)
        if not text or text in known:
            return text
        self.wrong(
            node, "unknown_choice", what=what, value=text, suggestion=nearest(text, tuple(known))
        )
        return ""

    def condition(self, node: Node, what: str, vocabulary: Vocabulary) -> Condition | None:
        """Return a condition; its own diagnostics carry the place inside the file."""
        text = self.text(node, what)
        if not text:
            return None
        line, column = first_character(node)
        place = place_in_scalar(self.source, line, column, text)
        parsed = parse(text, vocabulary, file=self.file, place=place)
        self.diagnostics.extend(parsed.diagnostics)
        return parsed.condition


def is_empty(node: Node) -> bool:
    """Return whether a node is YAML's empty value."""
    plain = isinstance(node, ScalarNode) and is_plain(node)
    return plain and node.value in {"", "~", "null", "Null", "NULL"}


def first_character(node: Node) -> tuple[int, int]:
    """Return where the text of a scalar begins: past its quote, below its `|` or `>`."""
    mark = node.start_mark
    assert isinstance(node, ScalarNode)
    if node.style in {"|", ">"}:
        return mark.line + 2, 1
    return mark.line + 1, mark.column + 1 + (1 if node.style in {"'", '"'} else 0)


def _decoded(file: str, data: bytes) -> str:
    if len(data) > FILE_BYTES_MAX:
        # Named is the first byte too many: what stands before it would be read.
        before = data[:FILE_BYTES_MAX]
        raise Refused(
            Diagnostic(
                area="policy",
                code="too_big",
                file=file,
                line=before.count(b"\n") + 1,
                column=str(FILE_BYTES_MAX - before.rfind(b"\n")),
                values={"bytes": len(data), "most": FILE_BYTES_MAX},
            )
        )
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Refused(Diagnostic(area="policy", code="not_utf8", file=file, line=line)) from error
