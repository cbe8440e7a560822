"""What is so grave that a person reads a reply that only mentions it?

Rules and the model name what a reply says; beside an ordinary act a grave one can be named by
neither. Nothing follows from a mention but that somebody reads the reply.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import resources
from typing import Any

import yaml

from duly.replies.cues import without_harmless


def grave_words(text: str) -> tuple[str, ...]:
    """Return the words of a respelled text that mention death, danger, illness, a lawyer, others.

    >>> grave_words("收到,我是他的律师"), grave_words("明天还")
    (('律师',), ())
    """
    plain = without_harmless(text)
    found = (match[0] for one in _patterns() for match in one.finditer(plain))
    return tuple(dict.fromkeys(found))


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    source = resources.files("duly.replies").joinpath("mentions.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(source, Loader=yaml.CSafeLoader)
    return tuple(re.compile(one) for patterns in loaded.values() for one in patterns)
