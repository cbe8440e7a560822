"""The lexicon as files: plain words in YAML, written for a lawyer, read once."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import yaml

_HERE = "duly.messages.lint"
_BOOL = "tag:yaml.org,2002:bool"


class _Loader(yaml.CSafeLoader):
    """Reads words as words: `no`, `on` and `yes` are no truth values."""

    yaml_implicit_resolvers = {  # noqa: RUF012 The library names it so.
        first: [one for one in several if one[0] != _BOOL or first in "tTfF"]
        for first, several in yaml.CSafeLoader.yaml_implicit_resolvers.items()
    }


@cache
def data(*path: str) -> Any:
    """Return what one file of the lint says, such as `data("lexicon", "threat.yaml")`."""
    text = resources.files(_HERE).joinpath(*path).read_text(encoding="utf-8")
    return yaml.load(text, Loader=_Loader)  # noqa: S506 The loader is a safe one.
