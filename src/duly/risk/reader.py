"""From a scorecard's file to a Scorecard; who the borrower is, is refused by name."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import resources
from pathlib import Path

from duly.book.nodes import MappingNode, Node, NotYamlError, ScalarNode, SequenceNode, compose
from duly.conditions import nearest, parse, place_in_scalar
from duly.core import digest
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.risk.scorecard import HISTORY, PERSONAL, SCORE_MAX, Factor, Line, Scorecard

_WHOLE = re.compile(r"-?[0-9]{1,6}")


def load_scorecard(path: Path | None = None) -> Scorecard:
    """Return the built-in scorecard, or that of a file; refuse (Refused) with every mistake."""
    built_in = resources.files("duly.risk").joinpath("scorecard.yaml")
    data = built_in.read_bytes() if path is None else path.read_bytes()
    return _read("scorecard.yaml" if path is None else str(path), data)


@lru_cache(maxsize=8)
def _read(file: str, data: bytes) -> Scorecard:
    """Return the scorecard of these bytes, read once: a plan asks for it several times."""
    reader = _Reader(file, data)
    card = reader.scorecard()
    if reader.diagnostics:
        raise Refused(*sorted(reader.diagnostics, key=lambda item: (item.line, int(item.column))))
    assert card is not None
    return card


class _Reader:
    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self.fingerprint = digest.of_bytes(data)
        self.source = data.decode("utf-8-sig")
        self.diagnostics: list[Diagnostic] = []

    def _wrong(self, node: Node, code: str, **values: object) -> None:
        self._report(node.start_mark.line + 1, node.start_mark.column + 1, code, **values)

    def _report(self, line: int, column: int, code: str, **values: object) -> None:
        self.diagnostics.append(
            Diagnostic(
                area="risk",
                code=code,
                file=self.file,
                line=line,
                column=str(column),
                values=values,
            )
        )

    def _keyed(self, node: Node, keys: tuple[str, ...]) -> dict[str, Node]:
        """Return exactly the values of the keys, or nothing with diagnostics."""
        if not isinstance(node, MappingNode):
            self._wrong(node, "not_a_mapping")
            return {}
        found = {str(key.value): value for key, value in node.value}
        for key, _ in node.value:
            if key.value not in keys:
                near = nearest(str(key.value), keys)
                self._wrong(key, "unknown_key", name=key.value, suggestion=near)
        missing = [name for name in keys if name not in found]
        for name in missing:
            self._wrong(node, "missing_key", name=name)
        return {} if missing else found

    def _items(self, node: Node) -> list[Node]:
        if isinstance(node, SequenceNode) and node.value:
            return list(node.value)
        self._wrong(node, "not_a_list")
        return []

    def _text(self, node: Node) -> str:
        if isinstance(node, ScalarNode):
            return str(node.value)
        self._wrong(node, "not_a_text")
        return ""

    def _whole(self, node: Node) -> int:
        text = self._text(node)
        if _WHOLE.fullmatch(text) and abs(int(text)) <= SCORE_MAX:
            return int(text)
        self._wrong(node, "not_points", value=text)
        return 0

    def scorecard(self) -> Scorecard | None:
        try:
            root = compose(self.source)
        except NotYamlError as error:
            self._report(error.line, error.column, "not_yaml", problem=error.problem)
            return None
        if root is None:
            self._report(1, 1, "not_a_mapping")
            return None
        found = self._keyed(root, ("scorecard", "version", "base", "bands", "factors"))
        if not found:
            return None
        bands = self._keyed(found["bands"], ("medium_risk", "high_risk"))
        medium, high = (
            self._whole(bands[name]) if bands else 0 for name in ("medium_risk", "high_risk")
        )
        if bands and not 0 < medium < high:
            self._wrong(found["bands"], "bands_order", medium=medium, high=high)
        return Scorecard(
            name=self._text(found["scorecard"]),
            version=self._whole(found["version"]),
            base=self._whole(found["base"]),
            medium_from=medium,
            high_from=high,
            factors=tuple(self._factor(item) for item in self._items(found["factors"])),
            fingerprint=self.fingerprint,
        )

    def _factor(self, node: Node) -> Factor:
        found = self._keyed(node, ("factor", "lines"))
        if not found:
            return Factor(name="", lines=())
        lines = [self._line(item) for item in self._items(found["lines"])]
        return Factor(name=self._text(found["factor"]), lines=tuple(line for line in lines if line))

    def _line(self, node: Node) -> Line | None:
        found = self._keyed(node, ("if", "points", "reason"))
        if not found:
            return None
        condition_node, text = found["if"], self._text(found["if"])
        mark = condition_node.start_mark
        place = place_in_scalar(self.source, mark.line + 1, mark.column + 1, text)
        personal = [word for word in re.finditer(r"\w+", text) if word[0].lower() in PERSONAL]
        for word in personal:
            line, column = place(word.start())
            self._report(line, column, "personal_attribute", name=word[0])
        if personal:
            return None
        parsed = parse(text, HISTORY, file=self.file, place=place)
        self.diagnostics.extend(parsed.diagnostics)
        points, reason = self._whole(found["points"]), self._text(found["reason"])
        if parsed.condition is None:
            return None
        return Line(condition=parsed.condition, points=points, reason=reason)
