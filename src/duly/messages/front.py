"""A file of ours as nodes with places: each mistake is noted where it stands, reading goes on."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from datetime import date

from duly.book.nodes import MappingNode, Node, NotYamlError, ScalarNode, SequenceNode, compose
from duly.conditions import nearest
from duly.core.diagnostic import Diagnostic

FILE_BYTES_MAX = 64_000
_WHOLE = re.compile(r"[0-9]{1,6}")
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


class Notes:
    """Gathers the mistakes of one file; `above` is the number of lines above the YAML in it."""

    def __init__(self, file: str, *, above: int = 0) -> None:
        self.file = file
        self.above = above
        self.found: list[Diagnostic] = []

    def wrong(self, place: Node | tuple[int, int], code: str, **values: object) -> None:
        """Note one mistake at a node, or at a 1-based line and column of the file."""
        if isinstance(place, Node):
            line, column = place.start_mark.line + 1 + self.above, place.start_mark.column + 1
        else:
            line, column = place
        self.found.append(
            Diagnostic(
                area="templates",
                code=code,
                file=self.file,
                line=line,
                column=str(column),
                values=values,
            )
        )

    def decoded(self, data: bytes, *, most: int = FILE_BYTES_MAX) -> str | None:
        """Return the text of a file, None after noting why it cannot be read as one."""
        if len(data) > most:
            self.wrong((1, 1), "too_big", bytes=len(data), most=most)
            return None
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            self.wrong((data.count(b"\n", 0, error.start) + 1, 1), "not_utf8")
            return None
        if not text.replace("\n", "").isprintable():
            self._hidden(text)
        return text

    def _hidden(self, text: str) -> None:
        for number, line in enumerate(text.split("\n"), start=1):
            for column, character in enumerate(line, start=1):
                if unicodedata.category(character) in _HIDDEN:
                    self.wrong((number, column), "hidden", character=f"U+{ord(character):04X}")

    def root(self, text: str, what: str) -> MappingNode | None:
        """Return the mapping that a YAML text holds, None after noting that it holds none."""
        try:
            node = compose(text)
        except NotYamlError as error:
            place = (error.line + self.above, error.column)
            self.wrong(place, "not_yaml", problem=error.problem)
            return None
        if isinstance(node, MappingNode):
            return node
        self.wrong((1 + self.above, 1), "not_a_mapping", what=what)
        return None

    def keyed(
        self, node: Node, what: str, *, required: Sequence[str], optional: Sequence[str] = ()
    ) -> Mapping[str, Node]:
        """Return the values of a mapping by key; note unknown, repeated and missing keys."""
        if not isinstance(node, MappingNode):
            self.wrong(node, "not_a_mapping", what=what)
            return {}
        known = (*required, *optional)
        found: dict[str, Node] = {}
        for key, value in node.value:
            name = str(key.value) if isinstance(key, ScalarNode) else ""
            if name in found:
                self.wrong(key, "twice", name=name)
            elif name not in known:
                self.wrong(key, "unknown", what="key", value=name, near=nearest(name, known))
            else:
                found[name] = value
        for name in required:
            if name not in found:
                self.wrong(node, "absent", name=name, what=what)
        return found

    def listed(self, node: Node | None, what: str) -> list[Node]:
        """Return the items of a list; none where nothing is given."""
        if node is None:
            return []
        if not isinstance(node, SequenceNode):
            self.wrong(node, "not_a_list", what=what)
            return []
        return list(node.value)

    def text(self, node: Node | None, what: str) -> str:
        """Return a text; an empty one where the node is none, or where nothing is given."""
        if node is None:
            return ""
        if isinstance(node, ScalarNode) and str(node.value).strip():
            return str(node.value)
        self.wrong(node, "not_a_text", what=what)
        return ""

    def name(self, node: Node | None, what: str) -> str:
        """Return a name: small letters, digits and `_`, at most 40."""
        text = self.text(node, what)
        if node is not None and text and not _NAME.fullmatch(text):
            self.wrong(node, "bad_name", what=what, value=text)
            return ""
        return text

    def whole(self, node: Node | None, what: str, *, least: int) -> int | None:
        """Return a whole number of at least `least`, None where there is none."""
        text = self.text(node, what)
        if node is None or not text:
            return None
        if not _WHOLE.fullmatch(text) or int(text) < least:
            self.wrong(node, "not_whole", what=what, value=text, least=least)
            return None
        return int(text)

    def day(self, node: Node | None, what: str) -> date | None:
        """Return a date, None where there is none."""
        text = self.text(node, what)
        if node is None or not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.wrong(node, "not_a_date", what=what, value=text)
            return None

    def choice(self, node: Node | None, what: str, known: Sequence[str]) -> str:
        """Return one of the known words, or an empty text."""
        text = self.text(node, what)
        if node is None or not text or text in known:
            return text
        self.wrong(node, "unknown", what=what, value=text, near=nearest(text, tuple(known)))
        return ""

    def choices(self, node: Node | None, what: str, known: Sequence[str]) -> tuple[str, ...]:
        """Return words of a known list, each once; one word may stand without brackets."""
        items = [node] if isinstance(node, ScalarNode) else self.listed(node, what)
        chosen: list[str] = []
        for item in items:
            word = self.choice(item, what, known)
            if word and word in chosen:
                self.wrong(item, "twice", name=word)
            elif word:
                chosen.append(word)
        return tuple(chosen)
