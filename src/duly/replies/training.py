"""Train the small model from the corpus in this package; only here is scikit-learn imported."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import md5
from importlib import import_module, resources
from typing import Any

from duly.core import digest
from duly.replies.evidence import Evidence, gathered
from duly.replies.model import BUCKETS, FEARS, Model, features
from duly.replies.reading import INTENTS

#: How often a line with slots is filled anew.
FILLS = 4
#: And a line with many alternatives.
FILLS_MAX = 14
#: Strength of the fit (inverse regularization) chosen by cross-validation.
FIT = 10.0
FOLDS = 5
#: The day on which every utterance of the corpus is read: dates are features, days are not.
RECEIVED_AT = datetime.fromisoformat("2026-04-08T10:00:00+08:00")

#: The innermost slot: a name of the tables below, or alternatives between bars.
_SLOT = re.compile(r"\{([^{}]*)\}")
_SLOTS = {
    "zh": {
        "day": (
            "明天|后天|大后天|今晚|今天下午|周五|这周六|下周一|下礼拜三|月底|15号|下个月10号|"
            "5月8日|三天后|一周内|两天内|下月初五号|明早|周日|28号"
        ).split("|"),
        "ago": "昨天|前天|上周五|今早|刚刚|3号|上个月|昨晚|周一|大前天".split("|"),
        "sum": "300|五百|1200块|88.5元|两千|一千五|650|3000|420元|1.2万".split("|"),
        "per": "每月500|一个月300|每周100".split("|"),
        "name": "李强|王芳|赵磊|陈静|周涛|孙丽|吴刚|郑敏|钱伟|冯军".split("|"),
        "n": "三|两|五|6|十|12|半|四".split("|"),
        "relation": "我爸|我妈|我老公|我老婆|我哥|我儿子|我姐|我爷爷".split("|"),
    },
    "en": {
        "day": (
            "tomorrow|on friday|next monday|by the 15th|tonight|this saturday|in 3 days|"
            "end of the month|may 4|next wednesday|on the 1st|sunday|by 20th|this evening"
        ).split("|"),
        "ago": (
            "yesterday|last friday|on monday|this morning|last week|two days ago|on the 3rd|"
            "last night"
        ).split("|"),
        "sum": "$50|120|$75.50|rs 2000|£40|300|1500 naira|$200".split("|"),
        "per": "$20 a month|40 a week|rs 1000 per month".split("|"),
        "name": "kevin|maria|john|mrs patel|david|grace|sandra|musa".split("|"),
        "n": "two|3|4|six|5|three|10".split("|"),
        "relation": "my dad|my mum|my husband|my wife".split("|"),
    },
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Utterance:
    """One composed reply with its intent; `group` names the line that it was filled from."""

    text: str
    lang: str
    intent: str
    vulnerable: bool
    group: str


def corpus() -> tuple[Utterance, ...]:
    """Return every utterance of the corpus, slots filled, in the order of its files."""
    return tuple(one for lang in ("zh", "en") for one in _read(lang, _source(lang)))


@dataclass(frozen=True, kw_only=True)
class Fearful:
    """One composed reply and what is to be feared for its writer; empty: nothing."""

    text: str
    lang: str
    fear: str


def care_corpus() -> tuple[Fearful, ...]:
    """Return the replies that teach what to fear, and those that only use such words."""
    return tuple(
        Fearful(text=one.text, lang=lang, fear="" if one.intent == "none" else one.intent)
        for lang in ("zh", "en")
        for one in _read(lang, _source(f"care.{lang}"))
    )


def corpus_sha256() -> str:
    """Return the fingerprint of the corpus: its files and what fills their slots."""
    sources = [_source(name) for name in ("zh", "en", "care.zh", "care.en")]
    return digest.of_value([*sources, _SLOTS, FILLS, FILLS_MAX])


def _source(name: str) -> str:
    place = resources.files("duly.replies").joinpath("corpus", f"{name}.txt")
    return place.read_text(encoding="utf-8")


def _read(lang: str, source: str) -> Iterator[Utterance]:
    intent, vulnerable = "", False
    for line in source.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if line.startswith("["):
            intent, _, mark = line.strip("[]").partition(" ")
            vulnerable = mark == "!"
            continue
        times = _times(line)
        for time in range(times):
            text = _filled(line, lang, time)
            yield Utterance(text=text, lang=lang, intent=intent, vulnerable=vulnerable, group=line)


def _times(line: str) -> int:
    """Return how often a line is filled: once without slots, often enough to meet most words."""
    slots = _SLOT.findall(line)
    longest = max((slot.count("|") + 1 for slot in slots), default=0)
    return max(FILLS, min(longest, FILLS_MAX)) if slots else 1


def _filled(line: str, lang: str, time: int) -> str:
    """Fill the slots of a line: which word stands where is a hash of line, slot and time."""

    def word(slot: re.Match[str]) -> str:
        named = _SLOTS[lang].get(slot[1])
        words = named or slot[1].split("|")
        # Alternatives of a line come in turn, words of a table as they are drawn.
        where = f"{line}|{slot.start()}|{time}" if named else f"{slot[1]}"
        drawn = md5(where.encode(), usedforsecurity=False).digest()
        return words[(int.from_bytes(drawn[:4], "big") + time) % len(words)]

    while _SLOT.search(line):  # An alternative may have slots of its own.
        line = _SLOT.sub(word, line)
    return line


def seen(row: Utterance) -> Evidence:
    """Return what the reader sees of an utterance, as of the corpus's own day."""
    return gathered(row.text, RECEIVED_AT, row.lang)


def matrix(rows: Sequence[Evidence]) -> Any:
    """Return the features of replies as a sparse matrix."""
    return matrix_of([(row.text, row.named) for row in rows])


def matrix_of(rows: Sequence[tuple[str, Collection[str]]]) -> Any:
    """Return the features of respelled texts and their cues as a sparse matrix."""
    sparse, numpy = import_module("scipy.sparse"), import_module("numpy")
    places, columns, cells = [], [], []
    for place, (text, named) in enumerate(rows):
        found = features(text, named)
        places += [place] * len(found)
        columns += list(found)
        cells += list(found.values())
    shape = (len(rows), BUCKETS)
    return sparse.csr_matrix((numpy.array(cells), (places, columns)), shape=shape)


def fitted(rows: Sequence[Evidence], intents: Sequence[str]) -> Any:
    """Return the classifier fitted to replies and their intents; no draw is made.

    Each reply is learned twice, once without its cues: so that the n-grams learn to speak where
    no rule does.
    """
    linear = import_module("sklearn.linear_model")
    bare = [
        replace(one, cues=(), pays_on=False, asks_on=False, shifts=False, in_parts=False)
        for one in rows
    ]
    classifier = linear.LogisticRegression(C=FIT, max_iter=300, tol=1e-3)
    return classifier.fit(matrix([*rows, *bare]), [*intents, *intents])


def fears_fitted(
    rows: Sequence[Fearful], others: Sequence[Utterance], others_read: Sequence[Evidence]
) -> tuple[Any, ...]:
    """Return a classifier for each fear, fitted twice to each text as `fitted` is; no draw is made.

    The other utterances, with what is seen of each, are of writers for whom nothing is feared. Left
    out are those that say so without saying what (`vulnerable`), and of illness those of people who
    cannot act.
    """
    linear, numpy = import_module("sklearn.linear_model"), import_module("numpy")
    calm = [pair for pair in zip(others, others_read, strict=True) if not pair[0].vulnerable]
    read = [gathered(one.text, RECEIVED_AT, one.lang) for one in rows]
    read += [evidence for _, evidence in calm]
    fears = [one.fear for one in rows] + ["" for _ in calm]
    cannot = [False for _ in rows] + [one.intent == "deceased_or_incapacity" for one, _ in calm]
    grams = matrix_of([(one.text, one.named) for one in read] + [(one.text, ()) for one in read])
    found = []
    for fear in FEARS:
        kept = numpy.tile(~(numpy.array(cannot) & (fear == "severe_illness")), 2)
        classifier = linear.LogisticRegression(C=FIT, max_iter=300, tol=1e-3)
        found.append(classifier.fit(grams[kept], numpy.tile(numpy.array(fears) == fear, 2)[kept]))
    return tuple(found)


def train() -> Model:
    """Return the model of the corpus, its weights rounded to whole numbers of 8 bits."""
    numpy = import_module("numpy")
    rows = corpus()
    read = [seen(one) for one in rows]  # Reading is most of the work: once for both.
    classifier = fitted(read, [one.intent for one in rows])
    order = [list(classifier.classes_).index(intent) for intent in INTENTS]
    feared = fears_fitted(care_corpus(), rows, read)
    weights = numpy.vstack([classifier.coef_[order], *(one.coef_ for one in feared)])
    biases = numpy.hstack([classifier.intercept_[order], *(one.intercept_ for one in feared)])
    scales = numpy.abs(weights).max(axis=1) / 127
    whole = numpy.rint(weights / scales[:, None]).astype(numpy.int8)
    return Model(
        intents=INTENTS,
        fears=FEARS,
        weights=whole,
        scales=tuple(round(float(one), 8) for one in scales),
        biases=tuple(round(float(one), 6) for one in biases),
        corpus_sha256=corpus_sha256(),
    )


def cross_validated() -> tuple[tuple[Utterance, str, float], ...]:
    """Return each utterance with the intent and probability of a model that never saw its line."""
    rows = corpus()
    read = [seen(one) for one in rows]
    folds = [md5(one.group.encode(), usedforsecurity=False).digest()[0] % FOLDS for one in rows]
    found: list[tuple[Utterance, str, float]] = []
    for fold in range(FOLDS):
        kept = [place for place, at in enumerate(folds) if at != fold]
        left = [place for place, at in enumerate(folds) if at == fold]
        classifier = fitted([read[place] for place in kept], [rows[place].intent for place in kept])
        chances_left = classifier.predict_proba(matrix([read[place] for place in left]))
        for place, chances in zip(left, chances_left, strict=True):
            best = int(chances.argmax())
            found.append((rows[place], str(classifier.classes_[best]), float(chances[best])))
    return tuple(found)
