"""What a text must not show of a person: full numbers, home, employer, birth, relatives."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from duly.messages.lint.files import data
from duly.messages.lint.known import Known
from duly.messages.lint.model import PERSONAL, THIRD_PARTY, Hit

_RULE = "CN-PI-4"
_RELATIVE = "Details of a relative"
_HAN = "一-鿿"
#: Most forms need a Chinese character, a house number or one of these words.
_HINT = re.compile(rf"[{_HAN}]|[0-9]{{1,5}}[a-z]? [a-z]|born|birth|d\.?o\.?b|apt|flat|unit|room")
_CARD_DIGITS = range(13, 20)
_ACCOUNT_DIGITS_MIN = 8
#: The letters of a Taiwanese identity in the order of their numbers, from 10.
_PLACES = "abcdefghjklmnpqrstuvxywzio"
_BEFORE = 24  #: characters before a number that tell whose it is

Form = tuple[str, re.Pattern[str]]


@dataclass(frozen=True, kw_only=True)
class _Forms:
    forms: Sequence[Form]
    capitals: Sequence[Form]
    chinese: frozenset[re.Pattern[str]]  #: of `forms` those that only texts with characters have
    numbers: Mapping[str, re.Pattern[str]]
    before: Mapping[str, re.Pattern[str]]
    named: re.Pattern[str]


def personal(text: str, stage: str, known: Known) -> Iterator[Hit]:
    """Give the details of a person that a folded text shows."""
    if any("0" <= char <= "9" for char in text):
        yield from _numbers(text, known)
    if _HINT.search(text):
        found, plain = _forms(), text.isascii()
        for why, form in found.forms:
            if (stage == THIRD_PARTY and why == _RELATIVE) or (plain and form in found.chinese):
                continue  # He is the one whom the text is about; no such form is in letters alone.
            hit = form.search(text)
            if hit is not None and not found.before["lenders_own"].search(_before(text, hit)):
                yield Hit(PERSONAL, _RULE, why, *hit.span())


def capitals(original: str) -> Iterator[tuple[str, int, int]]:
    """Give the details that only capitals show; spans count the original text."""
    if re.search(rf"[{_HAN}]", original):
        return
    for why, form in _forms().capitals:
        hit = form.search(original)
        if hit is not None:
            yield why, hit.start(), hit.end()


def _numbers(text: str, known: Known) -> Iterator[Hit]:
    taken: list[tuple[int, int]] = []
    found = _forms()
    for why, start, end in (*_identities(text, found), *_accounts(text, found)):
        if not any(low <= start < high for low, high in taken):
            taken.append((start, end))
            yield Hit(PERSONAL, _RULE, why, start, end)
    for name in ("mobile", "phone"):
        for hit in found.numbers[name].finditer(text):
            if any(low <= hit.start() < high for low, high in taken):
                continue
            if re.sub(r"\D", "", hit[0])[-11:] in known.phones:
                continue
            before = _before(text, hit)
            his = found.before["his_own"].search(before) is not None
            if his or (found.named.search(before) and not found.before["call_us"].search(before)):
                yield Hit(PERSONAL, _RULE, "A telephone number of a person", *hit.span())


def _identities(text: str, found: _Forms) -> Iterator[tuple[str, int, int]]:
    for name in ("id", "hkid", "twid", "twid_alone", "nino", "ssn", "ssn_bare"):
        for hit in found.numbers[name].finditer(text):
            if name == "twid_alone" and not _is_taiwanese(hit[0]):
                continue
            if not found.before["not_person"].search(_before(text, hit)):
                yield "An identity number", hit.start(), hit.end()


def _is_taiwanese(number: str) -> bool:
    """Return whether a letter and nine digits have the check digit of a Taiwanese identity."""
    place = _PLACES.index(number[0]) + 10
    digits = [place // 10, place % 10, *map(int, number[1:])]
    weights = (1, 9, 8, 7, 6, 5, 4, 3, 2, 1, 1)
    return sum(one * by for one, by in zip(digits, weights, strict=True)) % 10 == 0


def _accounts(text: str, found: _Forms) -> Iterator[tuple[str, int, int]]:
    for hit in found.numbers["digits"].finditer(text):
        digits = sum(char.isdigit() for char in hit[0])
        if digits in _CARD_DIGITS and not found.before["not_person"].search(_before(text, hit)):
            yield "A card or account number", hit.start(), hit.end()
    for hit in found.numbers["account"].finditer(text):
        if sum(char.isdigit() for char in hit[0]) >= _ACCOUNT_DIGITS_MIN:
            yield "A card or account number", hit.start(), hit.end()


def _before(text: str, hit: re.Match[str]) -> str:
    return text[max(0, hit.start() - _BEFORE) : hit.start()]


@cache
def _forms() -> _Forms:
    found = data("lexicon", "personal.yaml")
    pieces = {name: f"(?:{'|'.join(words)})" for name, words in found["pieces"].items()}
    pieces["han"] = _HAN

    def compiled(form: str) -> re.Pattern[str]:
        for name, piece in pieces.items():
            form = form.replace(f"<{name}>", piece)
        return re.compile(form)

    forms = [(one["shows"], compiled(one["form"])) for one in found["forms"]]
    return _Forms(
        forms=forms,
        chinese=frozenset(form for _, form in forms if re.search(f"[{_HAN}]", form.pattern)),
        capitals=[(one["shows"], compiled(one["form"])) for one in found["capitals"]],
        numbers={name: compiled(form) for name, form in found["numbers"].items()},
        before={name: compiled(form) for name, form in found["before"].items()},
        named=compiled(found["named"]),
    )
