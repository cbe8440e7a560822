"""The tree of a condition: frozen nodes, equal when they mean the same text of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal as Choice
from typing import TypeAlias

Kind: TypeAlias = Choice["integer", "money", "text", "boolean", "date"]
#: A number literal has no kind of its own until the other side of a comparison gives it one.
OpenKind: TypeAlias = Choice["integer", "money", "text", "boolean", "date", "number"]


@dataclass(frozen=True, kw_only=True)
class Field:
    """One name that a condition may use.

    Money columns hold minor units of `decimals` decimals; conditions write major units.
    """

    name: str
    kind: Kind
    doc_key: str
    nullable: bool = False
    values: tuple[str, ...] = ()  #: the only values of a text field, where they are closed
    decimals: int = 2


Vocabulary: TypeAlias = Mapping[str, Field]


@dataclass(frozen=True, kw_only=True)
class Literal:
    """A value: int for integer and money (minor units), str for text and date, bool."""

    kind: OpenKind
    value: int | str | bool
    decimals: int = 0


@dataclass(frozen=True, kw_only=True)
class Name:
    """A field, asked of the row."""

    name: str
    kind: Kind
    decimals: int = 0


@dataclass(frozen=True, kw_only=True)
class Compare:
    """`left op right`, unknown where either side is unknown."""

    op: Choice["=", "<>", "<", "<=", ">", ">="]
    left: Node
    right: Node


@dataclass(frozen=True, kw_only=True)
class Between:
    """`low <= item and item <= high`."""

    item: Node
    low: Node
    high: Node


@dataclass(frozen=True, kw_only=True)
class In:
    """Whether an item equals one of the literals."""

    item: Node
    values: tuple[Literal, ...]


@dataclass(frozen=True, kw_only=True)
class IsNull:
    """Whether an item is unknown; itself never unknown."""

    item: Node


@dataclass(frozen=True, kw_only=True)
class Not:
    """The contrary; unknown stays unknown."""

    item: Node


@dataclass(frozen=True, kw_only=True)
class And:
    """All of the items hold."""

    items: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True)
class Or:
    """At least one of the items holds."""

    items: tuple[Node, ...]


@dataclass(frozen=True, kw_only=True)
class Arithmetic:
    """`left op right` over whole numbers, exact."""

    op: Choice["+", "-", "*"]
    left: Node
    right: Node
    kind: OpenKind
    decimals: int = 0


@dataclass(frozen=True, kw_only=True)
class Negative:
    """The number with its sign changed."""

    item: Node
    kind: OpenKind
    decimals: int = 0


@dataclass(frozen=True, kw_only=True)
class Case:
    """The value of the first branch whose test holds, else `otherwise`, else unknown."""

    branches: tuple[tuple[Node, Node], ...]
    otherwise: Node | None
    kind: OpenKind
    decimals: int = 0


Node: TypeAlias = (
    Literal | Name | Compare | Between | In | IsNull | Not | And | Or | Arithmetic | Negative | Case
)


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A checked condition: its text, its boolean tree and the names it asks for."""

    text: str
    tree: Node
    fields: frozenset[str]


def kind_of(node: Node) -> OpenKind:
    """Return the kind of the node's value."""
    if isinstance(node, Literal | Name | Arithmetic | Negative | Case):
        return node.kind
    return "boolean"


def decimals_of(node: Node) -> int:
    """Return the decimals of a money node; 0 for every other kind."""
    if isinstance(node, Literal | Name | Arithmetic | Negative | Case):
        return node.decimals if node.kind == "money" else 0
    return 0


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes directly below, in the order of the text."""
    if isinstance(node, Compare | Arithmetic):
        return (node.left, node.right)
    if isinstance(node, Between):
        return (node.item, node.low, node.high)
    if isinstance(node, In):
        return (node.item, *node.values)
    if isinstance(node, IsNull | Not | Negative):
        return (node.item,)
    if isinstance(node, And | Or):
        return node.items
    if isinstance(node, Case):
        last = () if node.otherwise is None else (node.otherwise,)
        return (*(part for branch in node.branches for part in branch), *last)
    return ()


def names_in(node: Node) -> frozenset[str]:
    """Return the fields that the tree asks for."""
    if isinstance(node, Name):
        return frozenset((node.name,))
    return frozenset().union(*(names_in(child) for child in children(node)))
