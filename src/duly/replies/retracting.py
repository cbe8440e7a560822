"""Which days that a reply names are not the day of paying: taken back, put off, or of income."""

from __future__ import annotations

import re
from collections.abc import Sequence

from duly.replies.day_words import Mention
from duly.replies.respelling import HAN

#: Words of this moment: what is paid now leaves the day of the rest to be found.
NOW = ("now", "right now", "rn", "现在", "现在就", "马上", "立刻")
#: Words between two days by which the first is taken back: 'on wed, sorry, i mean thursday'.
_TAKES_BACK_ZH = re.compile(
    r"不对|说错|打错|写错|记错|搞错|看错|错了|口误|更正|算了|我是说|我说的是|我的?意思|应该是|而?是改|"
    r"[,.!]不(?:是)?(?:[,.!]|$)|[,.!](?:哦|噢|喔|啊)?不[,.!]?$|[,.!]还是(?!.*[还或]是)|"
    r"[,.!](?:不行)[,.!]"
)
_TAKES_BACK_EN = re.compile(
    r"\b(?:sorry|i mean|i meant|meant|wait|actually|correction|scratch that|make (?:it|that)|"
    r"my bad|oops|typo|rather|let'?s say|better (?:say|make it)|on second thoughts?|strike that|"
    r"no no|nah|wrong)\b|[,.!-] ?(?:no|not)[,.! ]+(?!problem|issue|worries|doubt|later|more)"
)
#: Words between two days by which it is put from the first to the second.
_PUT_OFF_ZH = re.compile(
    r"(?:改|推|延|挪|移|拖|换|顺延|调|放|缓|宽限)[^,.!?还付]{0,3}(?:到|成|至|在|为)|"
    r"(?:改|推|延|挪|换)(?:$|[,.])"
)
_PUT_OFF_EN = re.compile(
    r"\b(?:mov(?:e|ed|ing)|push(?:ed|ing)?|chang(?:e|ed|ing)|postpon\w*|shift(?:ed|ing)?|"
    r"extend(?:ed)?|switch(?:ed)?|swap(?:ped)?|delay(?:ed)?|put) ?(?:it |that |back |out |this |"
    r"the date |my date )*(?:to|till?|until|for)?\b"
)
_FROM_EN = re.compile(
    r"\b(?:mov|push|chang|postpon|shift|extend|switch|swap|delay)\w*\b[^,.;!]{0,30}\bfrom\b"
)
_TO_EN = re.compile(r"^(?:to|till?|until)\b")
#: Words before a day that was agreed or is due, where another day is named beside it.
_WAS_ZH = re.compile(
    r"(?:原定|原来|原先|原本|本来|本该|本应|之前(?:说|约|定|讲|答应)?|上次(?:说|约|答应)?|先前|"
    r"约定|约好|说好|讲好|答应|合同|还款日|账单日|扣款日|到期日?|截止日?|截至|应还日|逾期)"
    r"[^,.!?还付]{0,6}$"
)
_WAS_EN = re.compile(
    r"\b(?:originally|supposed to[^,.;!]{0,20}|was (?:going|meant|due|planning) [^,.;!]{0,20}|"
    r"meant to[^,.;!]{0,20}|i (?:said|promised|told you)[^,.;!]{0,14}|"
    r"(?:is|was|it'?s|payment|bill|falls|instal+ment|emi|loan)? ?due(?: date)?"
    r"(?: is| was| on| by| the)*|"
    r"instead of[^,.;!]{0,14}|debit(?:ed)? (?:date )?(?:is|was|set for)[^,.;!]{0,8})"
    r"(?: on| by| for| the| this)* ?$"
)
#: Money that comes in on a day.
_INCOME_ZH = re.compile(
    r"工资|薪|奖金|提成|结账|结款|结算|结钱|回款|货款|尾款|运费|工程款|来钱|进账|收入|收款|下款|放款|"
    r"到账|发钱|开支|卖|退休金|养老金|低保|补贴|生活费|打(?:款|钱)?给我|给我(?:打|转|结|发|付)|"
    r"还我|结给我|转给我|付给我"
)
_INCOME_EN = re.compile(
    r"\b(?:get(?:s|ting)?|be|am|i'?m|being|been) paid\b|\bpay(?: )?day\b|\bpaid (?:on|by|me)\b|"
    r"\b(?:wages?|salary|salaries|pay ?che(?:ck|que)s?|commission|bonus|benefits?|pension|"
    r"stipend|refund|ssi|invoice|settlement money|gratuity)\b|"
    r"\b(?:pays?|paying|owes?|sends?|gives?) me\b|\bcredited\b|"
    r"\b(?:money|funds|check|cheque|deposit|pay) "
    r"(?:comes?|hits?|lands?|drops?|clears?|arrives?|is)\b"
)
#: Money that goes out to us, said of a day.
_GOES_ZH = re.compile(
    r"(?<!该)(?<!应)还(?!要|有|在|是|没|不|会来|我)|(?:转|打|汇|交|付)(?:给你|过去|清|款给|到你|掉)?(?!给我|钱?给我)|"
    r"补|处理|结清|搞定|给你"
)
_GOES_EN = re.compile(
    r"\b(?:i|we|ill|i'll|we'll|will|can|gonna|going to|shall|to|and|then)\b[^,.;!]{0,14}?"
    r"\b(?:pay|send|settle|clear|transfer|sort|do it|do this|bank|deposit|repay|remit|give)\b|"
    r"\byou(?:'?ll| will| can)? (?:get|have|be getting|be paid|see)\b"
)
#: What ties a day to paying where several are named.
_PAYS_ZH = re.compile(
    r"(?:还(?!要|有|在|是|没|不|能不|会来|想|差|欠)|付|转|缴|交(?!代)|补|汇|存|打(?:款|钱|过|给你)|"
    r"给你|给(?:$|,)|结清|处理|搞定|弄好|到账|办)(?!不[了上起出清])(?!款日)"
)
_SHIFTS_ZH = re.compile(r"(?:宽限|延|缓|推|拖|挪|改|换|等|容)[^,.!?]{0,4}$")
_LEADS_ZH = re.compile(
    r"(?:还款|付款|还钱|还|付)(?:时间|日期|日)?(?:就|定|放|改|安排)?(?:在|到|是)$"
)
_PAYS_EN = re.compile(
    r"\b(?:pay|paying|payment|send|sending|settle|clear|transfer|sort|yours|bring|"
    r"debit|deduct|remit|deposit|repay|give you|get it|have it|do it|extend\w*|extension|until|"
    r"till?|wait|give me|grace|you(?:'?ll| will) (?:get|have))\b"
)
_NO_PAY_EN = re.compile(
    r"\b(?:can'?t|cannot|couldn'?t|didn'?t|not|won'?t|unable|failed|was down|missed)\b"
)
#: Between days of which the same is said: 'Thursday or Friday', 'tomorrow 500, Friday 500'.
_OR = re.compile(
    r"[\s,.]*(?:(?:或者?|或是|还是|和|跟|到|至|要么|\bor\b|\band\b|\bto\b|[/-]|[¥$]?\d+(?:元|块)?)"
    r"[\s,.]*(?:maybe|possibly|the|on)?)+[\s,.]*"
)
_CLAUSE_ZH = re.compile(r"[,.!?]")
_CLAUSE_EN = re.compile(r"[,.;!?]|\b(?:but|then|so|and)\b")


MENTIONS_MAX = 8  #: a text that names more days is no reply about one of them


def kept(text: str, found: Sequence[Mention]) -> tuple[Mention, ...]:
    """Return the days left when those taken back, put off or due are out; one always stays."""
    left = tuple(found)
    if len(left) > MENTIONS_MAX:
        return left
    for judged in (_taken_back, _was, _income, _untied):
        others = tuple(one for one in left if not judged(text, one, left))
        if any(one.day is not None for one in others):
            left = others
    return left


def corrections(text: str, found: Sequence[Mention]) -> tuple[tuple[int, int], ...]:
    """Return where a day is taken back for the next one: the spans between the two."""
    spans = []
    for one in found if len(found) <= MENTIONS_MAX else ():
        following = _next(one, found)
        if following is not None and _taken_back(text, one, found):
            spans.append((one.end, following.end))
    return tuple(spans)


def _taken_back(text: str, one: Mention, found: Sequence[Mention]) -> bool:
    """Tell whether a later day is named in place of this one."""
    following = _next(one, found)
    if one.day is None or following is None:
        return False
    between = text[one.end : following.start]
    if HAN.search(text):
        return bool(_TAKES_BACK_ZH.search(between) or _PUT_OFF_ZH.search(between))
    # The words that lead to a day belong to it: 'make it friday', 'from the 5th to the 9th'.
    led = f"{between} {following.words}"
    moved = _FROM_EN.search(f"{text[: one.start]} {one.words}") and _TO_EN.match(led.strip())
    return bool(moved or _TAKES_BACK_EN.search(led) or _PUT_OFF_EN.search(between))


def _was(text: str, one: Mention, found: Sequence[Mention]) -> bool:
    """Tell whether a day is only the one that was agreed, or that is due."""
    if one.day is None or not any(other.day not in (None, one.day) for other in found):
        return False
    before = text[: one.start]
    return bool((_WAS_ZH if HAN.search(text) else _WAS_EN).search(before))


def _income(text: str, one: Mention, found: Sequence[Mention]) -> bool:
    """Tell whether money comes in on a day, and nothing is said to go out on it."""
    if one.day is None or not any(other.day not in (None, one.day) for other in found):
        return False
    before, after = _around(text, one, found)
    if HAN.search(text):
        return bool(_INCOME_ZH.search(before + "|" + after)) and not _GOES_ZH.search(
            _INCOME_ZH.sub(" ", after)
        )
    said = f"{before}|{after}"
    return bool(_INCOME_EN.search(said)) and not _GOES_EN.search(_INCOME_EN.sub(" ", said))


def _untied(text: str, one: Mention, found: Sequence[Mention]) -> bool:
    """Tell whether nothing is to be paid on a day while something is on another."""
    return not _tied(text, one, found) and any(
        _tied(text, other, found) for other in found if other.words not in NOW
    )


def _tied(text: str, one: Mention, found: Sequence[Mention]) -> bool:
    """Tell whether words beside a day say that it is for paying, or put the paying off to it."""
    if one.day is None:
        return False
    following = _next(one, found)
    if following is not None and _OR.fullmatch(text[one.end : following.start]):
        # 'Thursday or Friday': what is said of one is said of both.
        return _tied(text, following, found)
    before, after = _around(text, one, found)
    if HAN.search(text):
        return bool(_PAYS_ZH.search(after) or _SHIFTS_ZH.search(before) or _LEADS_ZH.search(before))
    said = f"{before}|{after}"
    return bool(_PAYS_EN.search(said)) and not _NO_PAY_EN.search(said)


def _around(text: str, one: Mention, found: Sequence[Mention]) -> tuple[str, str]:
    """Return the words of a day's clause before and after it, up to the days beside it."""
    clause = _CLAUSE_ZH if HAN.search(text) else _CLAUSE_EN
    start = max((other.end for other in found if other.end <= one.start), default=0)
    following = _next(one, found)
    end = following.start if following else len(text)
    stops = [stop.end() for stop in clause.finditer(text, start, one.start)]
    stop = clause.search(text, one.end, end)
    before = text[stops[-1] if stops else start : one.start]
    return before, text[one.end : stop.start() if stop else end]


def _next(one: Mention, found: Sequence[Mention]) -> Mention | None:
    later = [other for other in found if other.start >= one.end and other.day is not None]
    return min(later, key=lambda other: other.start, default=None)
