"""Where a part of a policy stands in its file, for what is found only after the file was read."""

from __future__ import annotations

from typing import TypeAlias

from duly.book.nodes import MappingNode, Node, ScalarNode, SequenceNode, compose
from duly.conditions import place_in_scalar
from duly.policy.sheet import first_character

Path: TypeAlias = tuple[str | int, ...]


class Places:
    """The places of one policy file that was read without a mistake; all are 1-based."""

    def __init__(self, file: str, data: bytes) -> None:
        self.file = file
        self._source = data.decode("utf-8-sig").replace("\r\n", "\n")
        root = compose(self._source)
        assert root is not None, "a policy that was read has a root"
        self._root = root

    def at(self, *path: str | int) -> tuple[int, int]:
        """Return line and column of a part such as `("treatments", 3, "send", "tone")`.

        A part that is not written stands where the nearest part around it stands.
        """
        mark = self._node(path).start_mark
        return mark.line + 1, mark.column + 1

    def inside(self, offset: int, *path: str | int) -> tuple[int, int]:
        """Return line and column of one character of a part that is a text."""
        node = self._node(path)
        if not isinstance(node, ScalarNode):
            return self.at(*path)
        line, column = first_character(node)
        return place_in_scalar(self._source, line, column, str(node.value))(offset)

    def _node(self, path: Path) -> Node:
        node = self._root
        for step in path:
            found = _child(node, step)
            if found is None:
                break
            node = found
        return node


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
        item: Node = node.value[step]
        return item
    if isinstance(node, MappingNode):
        for key, value in node.value:
            if key.value == step:
                assert isinstance(value, Node)
                return value
    return None
