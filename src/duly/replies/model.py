"""The small model: character n-grams in hashed buckets, a row of weights for each intent and fear.

Intents share one whole; a fear (`self_harm`, `severe_illness`) is a question of its own. It is read
from one file that `duly replies train` writes, with numpy and nothing else.
"""

from __future__ import annotations

import json
import re
import struct
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module, resources
from itertools import pairwise
from pathlib import Path
from typing import Any

BUCKETS = 1 << 14
GRAMS = (1, 2, 3)
#: How much one cue of the rules weighs beside all n-grams of a text together.
CUE = 0.5
#: A longer text says no more to a model of short replies.
CHARACTERS_MAX = 300
MAGIC = b"DULYREPLY2"
#: What is feared for a writer, each asked by itself.
FEARS = ("self_harm", "severe_illness")
_DIGITS = re.compile(r"\d+")
_WORDS = re.compile(r"[a-z0']+")
#: Where a clause ends; between Chinese words a space is as good as a stop.
_CLAUSE = re.compile(r"[,.!?;:\n]+|(?<=[\u4e00-\u9fff])\s+|\s+(?=[\u4e00-\u9fff])")
_CLAUSE_MIN = 3


@dataclass(frozen=True)
class Feared:
    """How probable it is that a writer is in a danger."""

    fear: str
    chance: float


@dataclass(frozen=True, kw_only=True)
class Chances:
    """What the model says of one reply: the probability of each intent, and what is feared."""

    intents: Mapping[str, float]
    feared: tuple[Feared, ...]


@dataclass(frozen=True, kw_only=True)
class Model:
    """Weights by row and bucket (int8 times a scale a row), biases, and what it was made of.

    The rows are those of the intents, then those of the fears.
    """

    intents: tuple[str, ...]
    fears: tuple[str, ...]
    weights: Any
    scales: tuple[float, ...]
    biases: tuple[float, ...]
    corpus_sha256: str

    def chances(self, text: str, named: Collection[str]) -> Chances:
        """Return what a respelled text and its cues by name say."""
        numpy = import_module("numpy")
        scores = self._scores(text, named, slice(None))
        wanted, feared = scores[: len(self.intents)], scores[len(self.intents) :]
        grown = numpy.exp(wanted - wanted.max())
        afraid = (1 / (1 + numpy.exp(-feared))).tolist()
        return Chances(
            intents=dict(zip(self.intents, (grown / grown.sum()).tolist(), strict=True)),
            feared=tuple(map(Feared, self.fears, afraid)),
        )

    def clause(self, text: str, fear: str) -> str:
        """Return the clause of a respelled text that speaks most of a fear."""
        place = len(self.intents) + self.fears.index(fear)
        rows = slice(place, place + 1)
        return max(clauses(text), key=lambda part: float(self._scores(part, (), rows)[0]))

    def _scores(self, text: str, named: Collection[str], rows: slice) -> Any:
        numpy = import_module("numpy")
        found = features(text, named)
        places = sorted(found)
        values = numpy.array([found[place] for place in places])
        scores = (self.weights[rows, places] * values).sum(axis=1)
        return scores * numpy.array(self.scales[rows]) + numpy.array(self.biases[rows])


def clauses(text: str) -> tuple[str, ...]:
    """Return the clauses of a respelled text; a short one says nothing by itself."""
    text = text[:CHARACTERS_MAX]
    return tuple(part for part in _CLAUSE.split(text) if len(part) >= _CLAUSE_MIN) or (text,)


def features(text: str, named: Collection[str]) -> dict[int, float]:
    """Return the value of each bucket: n-grams and words (together of length one), and cues.

    Digits are all alike, the edges of a text are marked.
    """
    plain = "^" + _DIGITS.sub("0", text[:CHARACTERS_MAX]) + "$"
    words = _WORDS.findall(plain)
    grams = {plain[start : start + size] for size in GRAMS
             for start in range(len(plain) - size + 1)}  # fmt: skip
    grams |= {f"w:{word}" for word in words}
    grams |= {f"w:{one} {two}" for one, two in pairwise(words)}
    each = len(grams) ** -0.5
    return {_bucket(gram): each for gram in grams} | {_bucket(f"c:{cue}"): CUE for cue in named}


def _bucket(name: str) -> int:
    return zlib.crc32(name.encode()) % BUCKETS


def dumped(model: Model) -> bytes:
    """Return a model as the bytes of its file: the same model gives the same bytes."""
    head = json.dumps(
        {"intents": model.intents, "fears": model.fears, "scales": model.scales,
         "biases": model.biases, "buckets": BUCKETS, "corpus_sha256": model.corpus_sha256},
        sort_keys=True,
    ).encode()  # fmt: skip
    body = zlib.compress(model.weights.tobytes(), 9)
    return MAGIC + struct.pack("<I", len(head)) + head + body


def loaded(data: bytes) -> Model:
    """Return the model of a file's bytes."""
    numpy = import_module("numpy")
    start = len(MAGIC) + 4
    (size,) = struct.unpack("<I", data[len(MAGIC) : start])
    head = json.loads(data[start : start + size])
    weights = numpy.frombuffer(zlib.decompress(data[start + size :]), dtype=numpy.int8)
    return Model(
        intents=tuple(head["intents"]),
        fears=tuple(head["fears"]),
        weights=weights.reshape(len(head["scales"]), head["buckets"]),
        scales=tuple(head["scales"]),
        biases=tuple(head["biases"]),
        corpus_sha256=head["corpus_sha256"],
    )


@cache
def built_in() -> Model:
    """Return the model that is shipped."""
    return loaded(Path(str(resources.files("duly.replies").joinpath("model.bin"))).read_bytes())
