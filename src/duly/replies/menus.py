"""What does a bare digit mean? It is read through the options of the text that was answered."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from duly.replies.numerals import whole
from duly.replies.reading import Menu
from duly.spelling import folded

_CHOICE = re.compile(
    r"^(?:我|就|我要)?(?:请?回复?|选择?|选项|按|发|option|press|reply|choose|number|no\.?|"
    r"#)?\s?[\[(【（\"'“]?\s?"
    r"(?P<key>\d{1,2}|[一二三四五六七八九十])\s?[\])】）\"'”]?\s?(?:项|个|吧|谢谢|please|pls|"
    r"thanks)?[.,!。]?$"
)
_AFTER = re.compile(
    r"(?:回复?|按|选|reply|press|text)?\s?(?P<key>(?<!\d)\d(?!\d))\s?[.、:=)\]】\-–]?\s?"
    r"(?P<text>[^\d]+?)(?=[,;。.、/|\s]*(?:回复?|按|选|or|reply|press)?\s?(?<!\d)\d(?!\d)|"
    r"[,;。.、\s]*(?:回复?|reply)\s?[a-z]{1,2}(?![a-z])|$)"
)
_BEFORE = re.compile(
    r"(?P<text>[^\d,;。.、]+?)(?:请)?(?:回复?|按|选|reply|press)\s?(?P<key>\d)(?=[,;。.、\s]|$)"
)


def choice(text: str) -> str | None:
    """Return the digit that a reply consists of ('1', '①', '三', '选2', '回1'), or None."""
    plain = folded(text).replace("\u20e3", "")
    found = _CHOICE.match(plain)
    if found is None:
        return None
    number = whole(found["key"])
    return None if number is None else str(number)


def option(menu: Menu, key: str) -> str | None:
    """Return the words of one option of a menu, or None where it has no such option."""
    return options(menu).get(folded(key))


def options(menu: Menu) -> dict[str, str]:
    """Return the options of a menu in any of its forms, keyed by folded digit or letter."""
    if menu is None:
        return {}
    if isinstance(menu, Mapping):
        return {folded(str(key)): _words(value) for key, value in menu.items()}
    if isinstance(menu, str):
        return _of_text(folded(menu))
    return _of_list(menu)


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        for name in ("intent", "text", "label", "title", "value"):
            if name in value:
                return str(value[name])
        return ""
    return str(value)


def _of_list(items: Sequence[object]) -> dict[str, str]:
    """Return a list's options: by their own key or leading digit, else counted from 1."""
    found: dict[str, str] = {}
    for place, item in enumerate(items, start=1):
        if isinstance(item, Mapping):
            key = next((str(item[name]) for name in ("key", "digit", "option", "id", "code")
                        if name in item), str(place))  # fmt: skip
            found[folded(key)] = _words(item)
            continue
        own = _of_text(folded(str(item)))
        found.update(own if len(own) == 1 else {str(place): str(item)})
    return found


def _of_text(text: str) -> dict[str, str]:
    """Return the options of a text: '1已还款 2要延期', 'Reply 1 if paid', '已还款请回复1'."""
    before = _BEFORE.findall(text)
    after = [(one["key"], one["text"].strip(" ,;。.")) for one in _AFTER.finditer(text)]
    if before and not (after and len(after[0][1]) > 1 and text.find(after[0][1]) >= 0
                       and re.match(r"^(?:回复?|按|选|reply|press|text)?\s?\d", text)):  # fmt: skip
        return {key: words.strip(" ,;。.") for words, key in before}
    return {key: re.sub(r"^(?:if|for|to|是|表示|代表)\s?", "", words) for key, words in after}
