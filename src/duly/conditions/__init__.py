"""What does a condition mean? Restricted SQL: one tree, asked as a column and of one row."""

from duly.conditions.convert import nearest
from duly.conditions.describe import Leaf, describe
from duly.conditions.place import Place, place_from, place_in_scalar
from duly.conditions.reader import DEPTH_MAX, TEXT_BYTES_MAX, Parsed, parse
from duly.conditions.row import evaluate
from duly.conditions.sql import to_sql
from duly.conditions.tree import Condition, Field, Kind, Node, Vocabulary

__all__ = [
    "DEPTH_MAX",
    "TEXT_BYTES_MAX",
    "Condition",
    "Field",
    "Kind",
    "Leaf",
    "Node",
    "Parsed",
    "Place",
    "Vocabulary",
    "describe",
    "evaluate",
    "nearest",
    "parse",
    "place_from",
    "place_in_scalar",
    "to_sql",
]
