"""A condition as one DuckDB expression: TRUE, FALSE or NULL (unknown)."""

from __future__ import annotations

from duly.conditions.tree import (
    And,
    Arithmetic,
    Between,
    Case,
    Compare,
    Condition,
    In,
    IsNull,
    Literal,
    Name,
    Negative,
    Node,
    Not,
    Or,
)

_WIDE = "DECIMAL(38, 0)"  #: arithmetic is bounded to 38 digits when a condition is read


def to_sql(condition: Condition, prefix: str = "") -> str:
    """Return the condition as SQL; `prefix` (such as `f.`) stands before each column."""
    return node_sql(condition.tree, prefix)


def node_sql(node: Node, prefix: str = "") -> str:
    """Return one node as SQL, in parentheses wherever precedence could matter."""
    match node:
        case Literal():
            return _literal(node)
        case Name():
            return f'{prefix}"{node.name}"'
        case Compare():
            return f"({node_sql(node.left, prefix)} {node.op} {node_sql(node.right, prefix)})"
        case Between():
            low, high = node_sql(node.low, prefix), node_sql(node.high, prefix)
            return f"({node_sql(node.item, prefix)} BETWEEN {low} AND {high})"
        case In():
            values = ", ".join(_literal(value) for value in node.values)
            return f"({node_sql(node.item, prefix)} IN ({values}))"
        case IsNull():
            return f"({node_sql(node.item, prefix)} IS NULL)"
        case Not():
            return f"(NOT {node_sql(node.item, prefix)})"
        case And():
            return "(" + " AND ".join(node_sql(item, prefix) for item in node.items) + ")"
        case Or():
            return "(" + " OR ".join(node_sql(item, prefix) for item in node.items) + ")"
        case Arithmetic():
            return f"({_wide(node.left, prefix)} {node.op} {_wide(node.right, prefix)})"
        case Negative():
            return f"(- {_wide(node.item, prefix)})"
        case Case():
            return _case(node, prefix)


def _literal(node: Literal) -> str:
    if isinstance(node.value, bool):
        return "TRUE" if node.value else "FALSE"
    if isinstance(node.value, int):
        return str(node.value) if node.value >= 0 else f"({node.value})"
    text = node.value.replace("'", "''")
    return f"CAST('{text}' AS DATE)" if node.kind == "date" else f"'{text}'"


def _wide(node: Node, prefix: str) -> str:
    inner = node_sql(node, prefix)
    return inner if isinstance(node, Arithmetic | Negative) else f"CAST({inner} AS {_WIDE})"


def _case(node: Case, prefix: str) -> str:
    branches = " ".join(
        f"WHEN {node_sql(test, prefix)} THEN {node_sql(value, prefix)}"
        for test, value in node.branches
    )
    last = "" if node.otherwise is None else f" ELSE {node_sql(node.otherwise, prefix)}"
    return f"(CASE {branches}{last} END)"
