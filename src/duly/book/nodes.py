"""A YAML file as nodes that know where they stand, read by libyaml.

Scalars stay text: nothing turns into a float, a boolean or a date behind the reader's back.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

__all__ = [
    "DEPTH_MAX",
    "MappingNode",
    "Node",
    "NotYamlError",
    "ScalarNode",
    "SequenceNode",
    "compose",
    "is_plain",
    "too_deep",
    "turns",
]

#: Marks that turn the order of what a person reads, so that a file could say another thing.
_TURNS = re.compile(r"[\u202a-\u202e\u2066-\u2069]")
DEPTH_MAX = 50
#: A file of the largest policy has some 60,000 values; aliases may repeat what they name so often.
VALUES_MAX = 500_000


class NotYamlError(ValueError):
    """A text is no YAML document; `line` and `column` count from 1."""

    def __init__(self, line: int, column: int, problem: str) -> None:
        self.line = line
        self.column = column
        self.problem = problem
        super().__init__(f"{line}:{column} {problem}")


def turns(text: str) -> Iterator[tuple[int, int, str]]:
    """Give line, column and name of each mark that turns the order of what follows it."""
    for turn in _TURNS.finditer(text):
        line = text.count("\n", 0, turn.start()) + 1
        column = turn.start() - text.rfind("\n", 0, turn.start())
        yield line, column, f"U+{ord(turn[0]):04X}"


def compose(text: str) -> Node | None:
    """Return the root node of the one document of a text, None for an empty one.

    Raises NotYamlError, also for a text nested deeper than DEPTH_MAX, one whose aliases hold
    themselves, and one that holds more than VALUES_MAX values, each alias counted as what it names.
    """
    deep = too_deep(text)
    if deep:
        raise NotYamlError(*deep, "nested too deep")
    try:
        node: Node | None = yaml.compose(text, Loader=yaml.CSafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        problem = str(error.problem or error.context or "").strip()
        raise NotYamlError(*_inside(text, line, column), problem) from error
    except yaml.reader.ReaderError as error:
        before = text.encode()[: error.position].decode(errors="ignore")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        raise NotYamlError(line, column, str(error.reason)) from error
    except yaml.YAMLError as error:
        raise NotYamlError(1, 1, type(error).__name__) from error
    if node is not None:
        _values(node, {})
    return node


def _values(node: Node, known: dict[int, int]) -> int:
    """Return how many values a node holds once its aliases are written out; refuse too many.

    `known` holds the count of each node that was counted, 0 for one that is still open.
    """
    counted = known.get(id(node))
    if counted is None:
        known[id(node)] = 0
        inner: list[Node] = []
        if isinstance(node, SequenceNode):
            inner = node.value
        elif isinstance(node, MappingNode):
            inner = [part for pair in node.value for part in pair]
        counted = 1 + sum(_values(part, known) for part in inner)
        known[id(node)] = counted
    place = (node.start_mark.line + 1, node.start_mark.column + 1)
    if counted == 0:
        raise NotYamlError(*place, "an alias stands inside what it names")
    if counted > VALUES_MAX:
        raise NotYamlError(*place, f"more than {VALUES_MAX:,} values, aliases written out")
    return counted


def _inside(text: str, line: int, column: int) -> tuple[int, int]:
    """Return the place itself, or the end of the text where the place lies behind it."""
    lines = text.rstrip("\n").split("\n")
    return (line, column) if line <= len(lines) else (len(lines), len(lines[-1]) + 1)


def is_plain(node: ScalarNode) -> bool:
    """Say whether a scalar stands without quotes, `|` or `>`."""
    return not node.style


def too_deep(source: str) -> tuple[int, int] | None:
    """Return the line and column of the first bracket or hyphen nested deeper than the limit.

    A YAML parser recurses on both, in time that grows with the square: counted before it runs.
    Each line that stands further in than the one before opens a level as well.
    """
    depth = 0
    indents: list[int] = []
    for number, line in enumerate(source.split("\n"), start=1):
        indent = len(line) - len(line.lstrip(" "))
        if indent < len(line.rstrip("\r")):  # Blank lines close and open nothing.
            while indents and indents[-1] >= indent:
                indents.pop()
            indents.append(indent)
            if len(indents) > DEPTH_MAX:
                return number, indent + 1
        hyphens = re.match(r"(?:[ ]*[-?:] ){51}", line)
        if hyphens:
            return number, hyphens.end()
        for found in re.finditer(r"[\[\]{}]", line):
            depth = depth + 1 if found[0] in "[{" else max(depth - 1, 0)
            if depth > DEPTH_MAX:
                return number, found.end()
    return None
