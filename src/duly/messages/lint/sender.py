"""Who speaks? The signature or name in a text: a lender, nobody, or an authority it is not."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from duly.messages.lint.files import data
from duly.messages.lint.known import Known
from duly.messages.lint.model import SCAM, Hit
from duly.spelling import traced

_SIGNED = re.compile(r"【([^【】\n]{1,40})】|^\s*\[([^\[\]\n]{2,40})\]|\[([^\[\]\n]{2,40})\]\s*$")
#: The colon of a link (https://) or of a time of day (9:30) ends no signature.
_LEAD = re.compile(r"^\s*([^:\n.!?。]{2,60}?) ?(?:(?<![0-9]):(?!//)|:(?!//|[0-9])| - | – )")
#: An authority before the first colon: 最高人民法院执行局:您…, and nothing that is said of it.
_CHINESE_LEAD = re.compile(
    r"^\s*((?:(?!如|若|自称|冒充|关于|请|您|你|我|收到|谨防|警惕|假)[一-鿿]){4,20}):"
)
_CAPITAL = re.compile(r"(?<![\w@/.])[A-Z][\w&'’-]*(?: (?:& |and |of )?[A-Z][\w&'’-]*){0,3}")
_INNER_CAPITAL = re.compile(r"^[A-Z][a-z]+[A-Z][A-Za-z]+$")
_BEFORE_NAME = re.compile(
    r"(?:Dear|Hi|Hello|Hey|Mr|Mrs|Ms|Miss|Dr|for|to|tell|ask|is|it's|name is|I am|I'm|this is)"
    r"\.?\s*$",
    re.IGNORECASE,
)
_AFTER_SENTENCE = re.compile(r"(?:^|[.!?:;]\s|\n)\s*$")
_ORG = re.compile(
    r"\b(?:Loans?|Finance|Financial|Credit|Lending|Bank|Capital|Servicing|Funding|Cash|Money|Lend"
    r"|Ltd|LLC|Inc|Limited|Group|Partners|Union|Pay|Card|Mutual)\b"
)
#: Ways to pay and to write are no lenders (pay by Apple gift card), nor are amounts (RM430.00).
_NO_NAME = re.compile(
    r"(?:Apple|Google|Amazon|Steam|iTunes|Visa|Mastercard|Vanilla|Zelle|Venmo|PayPal|Cash App"
    r"|Western Union|MoneyGram|WhatsApp|Telegram|WeChat|Bitcoin|App Store|Google Play"
    r"|M-?Pesa|Paybill|UPI|GPay|PhonePe)\b|[A-Z][A-Za-z]{0,3} ?[0-9]"
)
_FROM = re.compile(r"(?:from|with|at|your|by|the|of|to|via|behalf of|-|–|—)\s*$", re.IGNORECASE)
#: Whom the debt is owed to, and who says what he is: "$90 to Elm Loans", "this is Elm, a lender".
_OWED_TO = re.compile(r"(?:[0-9] (?:owed |due )?to|owe|owed to)\s*$")
_SELF_NAMED = re.compile(
    r"^\s*(?:This is|It's|It is) ([A-Z][^,.!?]{2,40}), (?:a|an|the|your) (?:\w+ ){0,2}"
    r"(?:creditor|lender|bank|credit union|cooperative|collector|loan company|finance company)\b"
)
_OWED_BEFORE = re.compile(
    r"欠([一-鿿]{2,6})的?[0-9]|[】:]([一-鿿]{2,6})(?<!欠)(?:nt\$|hk\$)?[0-9][0-9,.]*元?,?逾期"
    r"|受(?!相关|有关|出借|贷款|债权|委托|多家|上述|某)([一-鿿]{2,8}?)的?委托"
)
#: Whom a text is addressed to; the sender may follow after a comma (Hi John, Elm Loans: …).
_ADDRESSED = re.compile(
    r"(?:hi|hello|hey|dear|greetings|good (?:morning|afternoon|evening|day)|attn|attention|fao"
    r"|to|for"
    r"|(?:a |quick |important |private )*(?:note|notice|message|reminder|letter) (?:to|for))"
    r"(?![a-z'-])[^,]*,?\s*"
)
#: Who says so within such words: "Hi John from Elm Loans", "Hello, this is Elm Loans".
_SAYS_SO = re.compile(r"(?:\bfrom|\bthis is|\bit's|\bit is|\bhere is) ")
_LEAD_END = re.compile(r" ?[:–-]\s*")
_FEW = 2  #: words in small letters that still may be a name (elm loans: …)
_FIGURES = re.compile(r"[0-9.,]+")
#: A signature at the end of a text is none that the words follow.
_OPENING_MAX = 4
_FIRM = re.compile(r"律师|律所|law|solicitors?|attorneys?|legal")
_WORD = re.compile(r"[A-Za-z][\w&'-]*")


@dataclass(frozen=True, kw_only=True)
class _Words:
    neutral: re.Pattern[str]
    neutral_en: frozenset[str]
    lead_ins: frozenset[str]
    authority: re.Pattern[str]
    authority_en: re.Pattern[str]
    known: re.Pattern[str]
    company: re.Pattern[str]
    product: re.Pattern[str]
    fillers: re.Pattern[str]


def signature(text: str) -> tuple[str, int, int]:
    """Return who signs a folded text, with its place; empty where nobody does."""
    found = _SIGNED.search(text)
    if found is None:
        return "", 0, 0
    place = next(number for number in (1, 2, 3) if found[number] is not None)
    return found[place], found.start(place), found.end(place)


def lead(text: str) -> tuple[str, int, int]:
    """Return the words before the first colon of a text in letters, with their place."""
    signed, start, end = _opening(text)
    return ("", 0, 0) if "," in signed else (signed, start, end)


def _opening(text: str) -> tuple[str, int, int]:
    found = _CHINESE_LEAD.match(text)
    if found is not None and _words().authority.search(found[1]):
        return found[1], found.start(1), found.end(1)
    found = _LEAD.match(text)
    if found is None or re.search(r"[一-鿿]", found[1]):
        return "", 0, 0
    return found[1], found.start(1), found.end(1)


def named(text: str, original: str, known: Known) -> bool:
    """Return whether a lender or a creditor is named, in the signature or in the body."""
    words = _words()
    if any(name in text for name in known.names):
        return True
    signed = signature(text)[0]
    if signed and not words.authority.search(signed) and _has_name(signed):
        return True
    if _SIGNED.search(text) is None or not signed:
        first = lead(text)[0]
        if first and not _english_authority(first) and _has_english_name(first):
            return True
    return _named_in_body(text) or _named_in_letters(original)


def name_end(text: str) -> int:
    """Return where the sender's own name ends: words of a name hint at nothing (Quick Credit)."""
    signed, start, end = signature(text)
    if not signed:
        signed, start, end = _opening(text)
    return end if start < _OPENING_MAX and signed and _is_named(signed) else 0


def names_nobody(signed: str) -> bool:
    """Return whether a signature is neutral: 还款通知, 催收中心, Account Services."""
    return not _is_named(traced(signed).text)


def is_authority(signed: str) -> bool:
    """Return whether a signature is that of a court, the police, a bureau, a law firm."""
    folded = traced(signed).text
    return bool(_words().authority.search(folded)) or _english_authority(folded)


def posing(
    text: str, stage: str, known: Known, raw: Callable[[int, int], str], *, baited: bool
) -> Iterator[Hit]:
    """Give the signature where it poses as somebody; `baited` says that the text has a link.

    `raw` gives the characters of the original: a name shows by its capitals.
    """
    yield from _disowned(text, known)
    words = _words()
    signed, start, end = signature(text)
    led = not signed
    if led:
        signed, start, end = _speaker(text)
    if not signed or any(name in signed or signed in name for name in known.names):
        return
    if words.authority.search(signed) or _english_authority(signed):
        if known.vouches_for_firm and _FIRM.search(signed):
            return
        yield Hit("impersonation", "CN-COND-2", "Signed as an authority", start, end)
        return
    if not (_is_sender(signed, raw(start, end)) if led else _is_named(signed)):
        return
    if stage == SCAM or (baited and words.known.search(signed)):
        yield Hit("impersonation", "CN-ID-1", "Signed as another lender", start, end)
    elif known.lenders and stage != SCAM:
        yield Hit("impersonation", "CN-SMS-3", "Signed as another lender", start, end)


def _disowned(text: str, known: Known) -> Iterator[Hit]:
    """Give the name at the end of a text where the facts say that he is not the sender."""
    for name in known.disowned:
        if _is_named(name) and text.rstrip(" .!。】").endswith(name):
            start = text.rindex(name)
            yield Hit("impersonation", "CN-ID-1", "Signed as another", start, start + len(name))


def _speaker(text: str) -> tuple[str, int, int]:
    """Return the words before the first colon, or those after them where they only greet."""
    signed, start, end = _opening(text)
    greeting = _ADDRESSED.fullmatch(signed)
    if greeting is None or _SAYS_SO.search(signed):
        return signed, start, end
    rest = _LEAD_END.match(text, end)
    after = _LEAD.match(text[rest.end() :]) if rest is not None else None
    if rest is None or after is None:
        return signed, start, end
    return after[1], rest.end() + after.start(1), rest.end() + after.end(1)


def _is_sender(signed: str, written: str) -> bool:
    """Return whether the words before a colon name who writes: no greeting, no lead-in.

    `written` are the same words with their capitals.
    """
    if not signed.isascii():
        return _is_named(signed)
    greeting = _ADDRESSED.match(written.casefold())
    said = _SAYS_SO.search(written.casefold())
    start = said.end() if said else greeting.end() if greeting else 0
    left = _WORD.findall(written[start:])
    strange = [word for word in left if _is_strange(word)]
    if not strange or len(left) == 1:
        return bool(strange)
    if all(not word[0].islower() for word in strange) or _words().known.search(signed):
        return True
    if written.islower() and len(left) <= _FEW:
        return True
    return any(
        _ORG.search(run) is not None and any(map(_is_strange, _WORD.findall(run)))
        for run in _CAPITAL.findall(written[start:])
    )


def _is_strange(word: str) -> bool:
    """Return whether a word neither stands in neutral signatures nor leads in what follows."""
    plain = word.casefold().removesuffix("'s")
    words = _words()
    return len(word) > 1 and plain not in words.neutral_en and plain not in words.lead_ins


def _is_named(signed: str) -> bool:
    return _has_english_name(signed) if signed.isascii() else _has_name(signed)


def _has_name(signed: str) -> bool:
    if "{" in signed or "%" in signed:
        return True
    left = _words().neutral.sub("", signed)
    return bool(re.search(r"[\w]", re.sub(r"[\d\s_]", "", left)))


def _has_english_name(first: str) -> bool:
    words = [word.casefold().removesuffix("'s") for word in _WORD.findall(first)]
    return any(word not in _words().neutral_en and len(word) > 1 for word in words)


def _english_authority(signed: str) -> bool:
    return _words().authority_en.search(signed) is not None


def _named_in_body(text: str) -> bool:
    words = _words()
    for pattern in (words.company, words.product, _OWED_BEFORE):
        for found in pattern.finditer(text):
            left = words.neutral.sub("", found[1] or found[found.lastindex or 1])
            left = _FIGURES.sub("", words.fillers.sub("", left))
            if len(left) >= 2:
                return True
    return False


def _named_in_letters(original: str) -> bool:
    """Return whether a name in capitals stands in a text where a lender's would."""
    neutral = _words().neutral_en
    own = _SELF_NAMED.match(original)
    if own and not _english_authority(own[1].casefold()) and _has_english_name(own[1]):
        return True
    for found in _CAPITAL.finditer(original):
        mine = _WORD.findall(found[0])
        strange = [word for word in mine if word.casefold().removesuffix("'s") not in neutral]
        if not strange or (found[0].isupper() and len(found[0]) < 5):
            continue
        if _english_authority(found[0].casefold()) or _NO_NAME.match(found[0]):
            continue
        before = original[: found.start()][-24:]
        if any(_INNER_CAPITAL.match(word) for word in strange):
            return True
        if _ORG.search(found[0]) and not _BEFORE_NAME.search(before[:-1] + "x"):
            return True
        if _OWED_TO.search(before):
            return True
        if _BEFORE_NAME.search(before) and not re.search(r"(?:from|with) *$", before):
            continue
        after = original[found.end() : found.end() + 12]
        if _FROM.search(before) and not _AFTER_SENTENCE.search(before):
            return True
        if re.match(r"\s*(?:app|loan|account|payment|installment)\b", after):
            return not _AFTER_SENTENCE.search(before) or len(strange) == len(mine)
    return False


@cache
def _words() -> _Words:
    found: Mapping[str, list[str]] = data("lexicon", "sender.yaml")

    def either(name: str) -> str:
        return "|".join(map(re.escape, sorted(map(str, found[name]), key=len, reverse=True)))

    after = f"(?={either('after_company')}|[0-9,。:;!?\\s(]|$)"
    return _Words(
        neutral=re.compile(either("neutral")),
        neutral_en=frozenset(map(str, found["neutral_en"])),
        lead_ins=frozenset(map(str, found["lead_ins"])),
        authority=re.compile("|".join([*map(str, found["authority_forms"]), either("authority")])),
        authority_en=re.compile(rf"(?<![a-z])(?:{either('authority_en')})(?![a-z])"),
        known=re.compile(either("known")),
        company=re.compile(rf"([一-鿿a-z0-9]{{2,10}})(?:{either('company_ends')}){after}"),
        product=re.compile(
            rf"(?:{either('before_product')})([一-鿿a-z0-9]{{1,8}}?)(?:{either('product_ends')})"
            rf"(?={either('after_product')}|的?[0-9])"
            rf"|([一-鿿]{{2,8}})app"
        ),
        fillers=re.compile(either("fillers")),
    )
