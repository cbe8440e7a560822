"""Trees as arrays: what LightGBM grew, read without LightGBM and walked by one compiled loop."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from duly.position.arrays import compiled, leaf

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int32]
LEAF = -1
#: Where an empty value goes.
_RIGHT, _LEFT, _AS_ZERO = 0, 1, 2


@dataclass(frozen=True, kw_only=True)
class Forest:
    """Nodes of all trees one after the other; a leaf has no feature."""

    roots: Ints
    feature: Ints  #: LEAF for a leaf, else the column of the matrix
    threshold: Floats
    left: Ints
    right: Ints
    empty: Ints
    value: Floats  #: of a leaf what it adds; of a node the mean of what lies below it

    def raw(self, values: npt.NDArray[np.float32]) -> Floats:
        """Return the log odds of each row."""
        out = np.zeros(values.shape[0])
        _walk(
            self.roots, self.feature, self.threshold, self.left, self.right, self.empty,
            self.value, values, out,
        )  # fmt: skip
        return out

    def parts(self, values: npt.NDArray[np.float32]) -> Floats:
        """Return what each column moved the log odds by: along the path, node by node."""
        out = np.zeros(values.shape)
        _explain(
            self.roots, self.feature, self.threshold, self.left, self.right, self.empty,
            self.value, values, out,
        )  # fmt: skip
        return out

    def plain(self) -> dict[str, list[Any]]:
        """Return the arrays as lists."""
        return {name: getattr(self, name).tolist() for name in self.__dataclass_fields__}


def of_plain(found: Mapping[str, Sequence[Any]], columns: int) -> Forest:
    """Return the forest of lists; refuse (ValueError) nodes that lead nowhere or back."""

    def whole(name: str) -> Ints:
        return np.array(found[name], np.int32)

    def exact(name: str) -> Floats:
        return np.array(found[name], np.float64)

    forest = Forest(
        roots=whole("roots"),
        feature=whole("feature"),
        threshold=exact("threshold"),
        left=whole("left"),
        right=whole("right"),
        empty=whole("empty"),
        value=exact("value"),
    )
    columns_of = (forest.threshold, forest.left, forest.right, forest.empty, forest.value)
    size, inner = forest.feature.size, forest.feature != LEAF
    below = np.concatenate([forest.left[inner], forest.right[inner]])
    above = np.tile(np.flatnonzero(inner), 2)
    sound = (
        all(column.shape == (size,) for column in columns_of)
        and np.isfinite(forest.value).all()
        and np.isfinite(forest.threshold).all()
        and ((forest.feature >= LEAF) & (forest.feature < columns)).all()
        and ((below > above) & (below < size)).all()
        and ((forest.roots >= 0) & (forest.roots < size)).all()
    )
    if not sound:
        raise ValueError("trees")
    return forest


def of_lightgbm(dump: Mapping[str, Any]) -> Forest:
    """Return the forest of a booster's own description."""
    nodes: list[list[Any]] = []
    roots = []

    def add(node: Mapping[str, Any]) -> int:
        at = len(nodes)
        if "leaf_value" in node:
            nodes.append([LEAF, 0.0, LEAF, LEAF, _RIGHT, float(node["leaf_value"])])
            return at
        empty = _AS_ZERO if node["missing_type"] == "None" else int(node["default_left"])
        nodes.append([node["split_feature"], float(node["threshold"]), 0, 0, empty, 0.0])
        below = (add(node["left_child"]), add(node["right_child"]))
        weights = [_count(node[side]) for side in ("left_child", "right_child")]
        mean = sum(nodes[one][5] * weight for one, weight in zip(below, weights, strict=True))
        nodes[at][2:4], nodes[at][5] = below, mean / max(sum(weights), 1)
        return at

    for tree in dump["tree_info"]:
        roots.append(add(tree["tree_structure"]))
    columns = list(zip(*nodes, strict=True))
    feature, threshold, left, right, empty, value = (np.array(column) for column in columns)
    return Forest(
        roots=np.array(roots, np.int32),
        feature=feature.astype(np.int32),
        threshold=threshold.astype(np.float64),
        left=left.astype(np.int32),
        right=right.astype(np.int32),
        empty=empty.astype(np.int32),
        value=value.astype(np.float64),
    )


def _count(node: Mapping[str, Any]) -> int:
    return int(node.get("leaf_count", node.get("internal_count", 1)) or 1)


@leaf
def _goes_left(seen: float, threshold: float, empty: int) -> bool:
    if not np.isnan(seen):
        return seen <= threshold
    return threshold >= 0.0 if empty == _AS_ZERO else empty == _LEFT


@compiled
def _walk(
    roots: Ints, feature: Ints, threshold: Floats, left: Ints, right: Ints, empty: Ints,
    value: Floats, values: npt.NDArray[np.float32], out: Floats,
) -> None:  # fmt: skip
    for row in range(values.shape[0]):
        total = 0.0
        for root in roots:
            node = root
            while feature[node] != LEAF:
                seen = np.float64(values[row, feature[node]])
                goes_left = _goes_left(seen, threshold[node], empty[node])
                node = left[node] if goes_left else right[node]
            total += value[node]
        out[row] = total


@compiled
def _explain(
    roots: Ints, feature: Ints, threshold: Floats, left: Ints, right: Ints, empty: Ints,
    value: Floats, values: npt.NDArray[np.float32], out: Floats,
) -> None:  # fmt: skip
    for row in range(values.shape[0]):
        for root in roots:
            node = root
            while feature[node] != LEAF:
                column = feature[node]
                seen = np.float64(values[row, column])
                goes_left = _goes_left(seen, threshold[node], empty[node])
                below = left[node] if goes_left else right[node]
                out[row, column] += value[below] - value[node]
                node = below
