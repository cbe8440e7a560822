"""Which languages a borrower's text may be in: simplified, traditional, English.

Staff read two (`duly.core.words`); borrowers have a third, so the two are never the same function.
"""

from __future__ import annotations

from functools import lru_cache

LOCALES = ("zh-CN", "zh-TW", "en")
_TRADITIONAL = frozenset({"tw", "hk", "mo", "hant"})


@lru_cache(maxsize=1 << 10)
def message_locale(wanted: str) -> str:
    """Return the locale in which a borrower who reads `wanted` (BCP 47 or POSIX) is written to.

    A script counts before a region: zh-Hans-HK reads simplified characters.

    >>> [message_locale(one) for one in ("zh", "zh_TW.UTF-8", "zh-Hant", "zh-Hans-HK", "fr")]
    ['zh-CN', 'zh-TW', 'zh-TW', 'zh-CN', 'en']
    """
    language, *rest = wanted.partition(".")[0].replace("_", "-").lower().split("-")
    if language != "zh":
        return "zh-CN" if language.startswith("zh") else "en"
    return "zh-TW" if "hans" not in rest and _TRADITIONAL & set(rest) else "zh-CN"


def is_chinese(locale: str) -> bool:
    """Return whether a locale of messages is one of the Chinese ones."""
    return locale.startswith("zh")
