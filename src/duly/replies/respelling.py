"""Write a reply in the spelling that the cues read: dialects, slips, pinyin, look-alikes."""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module, resources
from typing import Any

import yaml

from duly.replies import ordinals
from duly.replies.slips import righted
from duly.spelling import folded

HAN = re.compile(r"[㐀-鿿]")  #: a Chinese character: the reply is read as Chinese
_LATIN = re.compile(r"[a-z]+(?:[ '][a-z]+)*")
#: Marks between clauses, and a space between two Chinese words, which people write for a comma.
_MARKS = re.compile(
    r"([，。；;！!？?、\r\n…]+|(?<!\d)[,.]+(?!\d)|(?<=[㐀-鿿]{2})[ \t\u3000]+(?=[㐀-鿿]{2}))"
)
_MARK_NAMES = {"?": "?", "？": "?", "!": "!", "！": "!", "。": ".", ".": "."}
#: A short reply in letters may be an abbreviation of Chinese words.
_SHORT = 8
#: 'ill' before a verb is 'i will'.
_I_WILL = re.compile(
    r"\bill(?= (?:pay|go|send|do|settle|transfer|clear|be|try|have|get|make|call|sort|give|come|"
    r"see|let|put|take|move|bring|deposit|ring|talk|check|ask|need|never|not|"
    r"just|also|definitely|def)\b)"
)
_DAY_OF_MONTH = re.compile(r"(?<=[\d一二三四五六七八九十]) ?好(?![吗么嘛不]|[了的意]?[吗么])")
#: 名天 and 下五 are slips of 明天 and 下午 where a day or an hour stands beside them.
_SLIPS_OF_DAYS = (
    (re.compile(r"(?<![扬闻出有著姓])名(?=[天早晚](?!下(?!午|五|班)))"), "明"),
    (re.compile(r"(?<=[明今后周][天一二三四五六日])下五(?![百千万天个期元块年月])"), "下午"),
    (re.compile(r"下五(?=(?:\d{1,2}|[一二两三四五六七八九十])点)"), "下午"),
    (re.compile(r"还前(?=$|[,.!?])"), "还钱"),
)
_INITIALS = "zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw]"
_FINALS = (
    "iang|iong|uang|ueng|ang|eng|ing|ong|ian|iao|uai|uan|ai|ei|ao|ou|an|en|in|un|ia|ie|iu|ua|ue"
    "|ui|uo|ve|er|a|o|e|i|u|v"
)
_SYLLABLE = re.compile(f"(?:{_INITIALS})?(?:{_FINALS})")
#: English words that are syllables too: a text with one of them is no pinyin unless it says so.
_ENGLISH = frozenset(
    "he she me men can die sue sang long china bank no hi wo man fan ban pen den sun run gun bang"
    " ding ping an a i to do go so be we hang ran tan pan tune nine line time like one use pie tie"
    " woe fee lie lose dude same came late hope home phone please yo hey done come some women sane"
    " change dong shang sure cause because gone".split()
)


#: One word of so many may be English too, where the language is not known or said to be English.
_ENGLISH_MOST: dict[str | None, int] = {None: 2, "en": 3}


@cache
def _loaded() -> dict[str, Any]:
    source = resources.files("duly.replies").joinpath("spelling.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.load(source, Loader=yaml.CSafeLoader)
    return loaded


@cache
def _as_written() -> re.Pattern[str]:
    return re.compile(f"({'|'.join(_loaded()['as_written'])})")


@cache
def _tables() -> tuple[re.Pattern[str], dict[str, str], dict[str, str]]:
    """Return the pattern of the other spellings, what each means, and the table of syllables."""
    loaded = _loaded()
    means = {**loaded["dialect"], **loaded["typos"]}
    ordered = sorted(means, key=lambda word: (-len(word), word))
    latin = [rf"(?<![a-z]){word}(?![a-z])" if word.isascii() else word for word in ordered]
    syllables = {str(key): str(value) for key, value in loaded["pinyin"].items()}
    return re.compile("|".join(latin)), means, syllables


def respelled(text: str, lang: str | None = None) -> str:
    """Return a text as the cues read it: folded, pinyin as characters, dialect words replaced."""
    plain = righted(_I_WILL.sub("i'll", _folded(text)))
    plain = ordinals.in_digits(plain)
    plain = _LATIN.sub(lambda run: _from_pinyin(run[0], plain, lang), plain)
    if lang != "en" or HAN.search(plain):
        plain = _DAY_OF_MONTH.sub("号", plain)
    for slip, right in _SLIPS_OF_DAYS:
        plain = slip.sub(right, plain)
    if not HAN.search(plain) and (lang == "en" or len(plain) > _SHORT):
        return plain
    pattern, means, _ = _tables()
    return pattern.sub(lambda found: means[found[0]], plain)


def _folded(text: str) -> str:
    """Return a text folded clause by clause, so that the marks between clauses stay."""
    parts = _MARKS.split(text)
    pieces = [folded(part) if at % 2 == 0 else _MARK_NAMES.get(part[0], ",")
              for at, part in enumerate(parts)]  # fmt: skip
    return "".join(pieces).strip(",. ")


def by_sound(plain: str) -> str:
    """Return a Chinese text with each word written as the word of replies that sounds like it."""
    return "".join(
        part if at % 2 else _by_sound(part)
        for at, part in enumerate(_as_written().split(plain))
        if part
    )


def _by_sound(plain: str) -> str:
    pinyin = import_module("pypinyin").lazy_pinyin(plain, errors=lambda rest: [f"|{rest}|"])
    out, run = [], list[str]()
    for one in [*pinyin, "||"]:
        if not one.startswith("|"):
            run.append(one.replace("ü", "v"))
            continue
        out.append(_joined(run, _tables()[2]) or "".join(run))
        out.append(one.strip("|"))
        run = []
    return "".join(out)


#: Words of days by their sound: whoever types 名天 means 明天.
_DAYS_BY_SOUND = {
    ("ming", "tian"): "明天", ("hou", "tian"): "后天", ("jin", "tian"): "今天",
    ("jin", "wan"): "今晚", ("yue", "di"): "月底", ("zhou", "mo"): "周末",
    ("xia", "zhou"): "下周", ("xia", "yue"): "下月", ("xing", "qi"): "星期",
    ("li", "bai"): "礼拜",
}  # fmt: skip


def days_by_sound(plain: str) -> str:
    """Return a Chinese text with what sounds like a word of days written as that word."""
    pinyin = import_module("pypinyin").lazy_pinyin(list(plain), errors="default")
    out, place = list(plain), 0
    while place < len(plain) - 1:
        word = _DAYS_BY_SOUND.get((pinyin[place], pinyin[place + 1]))
        if word is not None:
            out[place : place + 2] = word
            place += 1
        place += 1
    return "".join(out)


def _from_pinyin(run: str, whole: str, lang: str | None) -> str:
    """Return a run of letters as characters where all of it reads as pinyin, else as it is."""
    words = run.replace("'", " ").split()
    parts = [_syllables(word) for word in words]
    if any(part is None for part in parts):
        return run
    mixed = bool(HAN.search(whole))
    english = sum(word in _ENGLISH for word in words)
    if not mixed and lang != "zh" and english * _ENGLISH_MOST[lang] > len(words):
        return run
    syllables = [one for part in parts for one in part or ()]
    if len(syllables) < 2 and not (mixed and syllables[0] in ("huan", "gun")):
        return run
    return _joined(syllables, _tables()[2]) or run


def _syllables(word: str) -> tuple[str, ...] | None:
    """Return the syllables of a word of letters, or None; the longest first, then shorter ones."""
    if len(word) > 40:
        return None
    ends: dict[int, tuple[str, ...]] = {0: ()}
    for start in range(len(word)):
        if start not in ends:
            continue
        for size in range(6, 0, -1):
            stop = start + size
            if stop <= len(word) and _SYLLABLE.fullmatch(word, start, stop):
                known = (*ends[start], word[start:stop])
                if stop not in ends or len(known) < len(ends[stop]):
                    ends[stop] = known
    return ends.get(len(word))


def _joined(syllables: list[str], table: dict[str, str]) -> str | None:
    """Return syllables as characters, longest words first; None unless most of them are known."""
    out, place, known = [], 0, 0
    while place < len(syllables):
        for size in range(min(5, len(syllables) - place), 0, -1):
            word = "".join(syllables[place : place + size])
            if word in table:
                out.append(table[word])
                known += size
                break
        else:
            size = 1
            out.append(syllables[place])
        place += size
    return "".join(out) if syllables and known * 10 >= len(syllables) * 6 else None
