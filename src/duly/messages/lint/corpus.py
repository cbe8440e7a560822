"""Texts that people labelled: those that ship with the lint, and files like them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from duly.messages.lint.files import data
from duly.messages.lint.model import NONE, Labelled, Message


@cache
def corpora() -> Mapping[str, tuple[Labelled, ...]]:
    """Return the shipped corpora by name; each was written before the lint was measured on it."""
    folder = resources.files("duly.messages.lint").joinpath("corpus")
    files = sorted(item.name for item in folder.iterdir() if item.name.endswith(".yaml"))
    return {file.removesuffix(".yaml"): labelled(data("corpus", file)) for file in files}


def labelled(rows: Iterable[Mapping[str, Any]]) -> tuple[Labelled, ...]:
    """Return rows with `text` and `labels` (and id, stage, lang, hard, facts) as values."""
    return tuple(
        Labelled(
            id=str(row.get("id", "")),
            message=Message(
                text=str(row["text"]),
                stage=str(row.get("stage") or ""),
                lang=str(row.get("lang") or ""),
                facts=row.get("facts") or {},
            ),
            labels=frozenset(map(str, row["labels"])) - {NONE},
            hard=str(row.get("hard") or ""),
        )
        for row in rows
    )
