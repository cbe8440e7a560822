"""Which figure does a reply name? Money is found, and the one tied to the act is chosen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from duly.replies import spoken_sums
from duly.replies.numerals import CHARACTERS, number

#: Larger figures are phone or card numbers.
AMOUNT_MAX = Decimal(10_000_000)

_FIGURE = r"\d{1,3}(?:,\d{2})*,\d{3}(?!\d)(?:\.\d{1,2})?|\d+(?:\.\d{1,2})?"
_CURRENCY = r"[$£€¥₹₦]|rs\.?|inr|ksh|kes|ngn|usd|gbp|rmb|cny|us\$|hk\$|nt\$|r(?=\d)|n(?=\d)"
_MONEY = re.compile(
    rf"(?P<mark>(?<![a-z])(?:{_CURRENCY})\s?)?"
    rf"(?P<figure>(?<!\w){spoken_sums.SUM}|(?:{_FIGURE})[千百万kw]\d?(?!\w)|"
    rf"(?:{_FIGURE})[千百万kw](?=[块元])|\d万\d[千百](?!\d)|"
    rf"\d+[千百万wk]\d(?=[㐀-鿿])(?![号日天个月周期次点年])|"
    rf"(?:{_FIGURE})(?:[千百万]|k\b|w(?![a-z]))|{_FIGURE}|(?:[{CHARACTERS}](?!分[不没毛钱]))+)"
    r"(?P<unit>\s?(?:块钱|块|元|圆|美元|刀|蚊|大洋|毛|dollars?|bucks?|quid|pounds?|rupees?|"
    r"euros?|naira|shillings?|bob|usd|rs\b|/-))?"
)
#: What after a figure says that it counts something else than money.
_OTHER_AFTER = re.compile(
    r"^\s?(?:个|期|天|日|号|(?<!每)(?<!个)月|周|星期|礼拜|点|时|岁|年|次|条|遍|分钟|小时|倍|折|%|％|％|成(?!不成|吗|么|嘛|吧|交)|"
    r"批|笔|家|位|人|口|级|楼|栋|斤|"
    r"[:：/]\d|st\b|nd\b|rd\b|th\b|days?\b|weeks?\b|wks?\b|months?\b|mths?\b|years?\b|yrs?\b|"
    r"hours?\b|hrs?\b|mins?\b|minutes?\b|"
    r"times?\b|kids?\b|children\b|calls?\b|texts?\b|messages?\b|am\b|pm\b|a\.m|p\.m|o'?clock|"
    r"percent|parts?\b|payments?\b|instal{1,2}ments?\b|emis?\b|"
    r"business|working|jan|feb|mar(?:ch)?\b|apr|may\b|jun|jul|aug|sep|oct|nov|dec|"
    r"or \d+ (?:days|weeks))"
)
_OTHER_BEFORE = re.compile(
    r"(?:(?:尾号|[末后][四4]位)[是为]?|(?:流水|参考|凭证|回单)号?|单号|工号|电话|手机号?|号码|"
    r"拨打?|(?<!给你)(?<!你们)(?<!给)(?<!先)(?<!我)打|第|分|办|分成|身份证|卡号|账号|合同|编号|回|选|"
    r"按|(?<![a-z])(?:chapter|section|ending(?: in)?|room|aged?|line|extension|ext|"
    r"ends?(?: in| with)?|ending(?: in| with)|last (?:four|4)(?: digits)?(?: are| is)?|"
    r"account(?: number)?|utr|ref|reference|txn|transaction|id|no|code|reply|press|option|at|"
    r"after|before|since|around \d+ or|app ?|v|"
    r"jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec|the)|"
    r"(?<!每)周|(?<!每)星期|(?<!每)礼拜|(?<!每)(?<!个)月|[:：/.\-]\d?)\s?$"
)
#: 打800过去 is money, 打12345 a call.
_SENT_AFTER = re.compile(r"^(?:过[去来]|给你|到你|进)")
_PAY_THE = re.compile(r"\b(?:pay|paid|paying|send|sent|sending|clear|settle|transfer) the $")
_INCOME_BEFORE = re.compile(
    r"(?:工资|收入|月薪|薪水|底薪|低保|退休金|养老金|一?个?月(?:就|只|才)?(?:挣|赚|拿)|挣|赚|"
    r"给我先?(?:支|结|发|打|转)(?!的)(?:了|个)?|"
    r"income|salary|earn(?:ing)?s?|wages?|i make|pension|benefits?|paycheck|房租|房贷|车贷|"
    r"奶粉|药费|医药费|rent|mortgage)"
    r"[^，,。.；;！!？?还付转给交]{0,8}$"
)
_INCOME_AFTER = re.compile(
    r"^[^，,。.；;！!？?]{0,3}(?:工资|收入|月薪|薪水|低保)|^ ?(?:salary|income|wages|rent)"
)
#: What before a figure says that it was borrowed or truly owed, not billed.
_OWED_BEFORE = re.compile(
    r"(?:只?借(?:了|款|的|过)?|就借(?:了)?|到手(?:只有|才|就|了)?|实际(?:到账|到手|借款)?|"
    r"本金(?:是|只有|才|就)?|(?:应该)?(?:只|就)剩(?:下|余)?|[只才就](?:欠|该|应该|应)(?:是|了|还|你们)*|(?<!不)应该是|明明是?|"
    r"(?:contract|agreement)(?: clearly)? (?:says?|states?|is)(?: it'?s)?|"
    r"合同(?!.{0,3}[多少差])(?:写的?)?(?:是|上是)?|上(?:个月|一?期)(?:还|才|只|是)*|(?:原来|原本|本来|之前|"
    r"以前)(?:还|才|只|是)*|"
    r"borrowed|(?<!you )(?<!u )took(?: out)?|loan (?:was|of)|only owe|owe only|owe|"
    r"principal(?: is| was)?|"
    r"original(?:ly)?(?: amount)?(?: was)?|should(?: only)? be|supposed to be|agreed(?: on)?|"
    r"make it(?: only)?|was|last month)"
    r"[^，,。.；;！!？?\d百千万]{0,4}(?:[$£€₹]|rs\.?)?\s?$"
)
#: What before a figure asks about the bill.
_BILLED_BEFORE = re.compile(
    r"(?:怎么|为什么|凭什么|变|成|算|要|多|收|扣|现在|这期|这次|显示|哪来|"
    r"why|charg\w+|now|asking|say\w*|show\w*|extra|added|how|demand\w*|bill(?:ed)?)"
    r"[^，,。.；;！!？?\d]{0,8}(?:[$£€₹]|rs\.?)?\s?$"
)
_TOTAL_BEFORE = re.compile(
    r"(?:一共|总共|总额|欠(?:你们|了|款)?|借(?:了)?|owe|total|balance|out of|"
    r"of the)[^，,。.；;\d]{0,6}$"
)
_PAY_BEFORE = re.compile(
    r"(?:还|付|转|给|交|打|汇|存|扣|出|拿|凑|paid|pay|paying|send|sent|sending|do|offer|"
    r"afford|put|give|transferred|deposited|made|manage|of|for)"
    r"[^，,。；;！!？?\d]{0,8}$"
)
_PERIOD_BEFORE = re.compile(
    r"(?:每个?(?:月|周|星期|礼拜|天|期)|一个?月|(?<!每)(?<!个)月(?![底末初中])|(?:monthly|weekly|"
    r"per month)(?: of)?)[^，,。；;\d]{0,8}$"
)
_PERIOD_AFTER = re.compile(
    r"^\s?(?:块|元)?(?:一个?[月周期]|每[月周期]|/月|\s?(?:a|per|each|every|/|pm|pw|p/?m|p/?w|"
    r"monthly|weekly|fortnightly)\s?(?:month|week|wk|fortnight|day|mth|payday)?)"
)
_VAGUE_AFTER = re.compile(r"^(?:多|来块|来元|几|\+)")
#: 几十块, 好几百, 两三千 say about how much, no figure.
_VAGUE_BEFORE = re.compile(r"[几数]$")
_SPAN_OF_SUMS = re.compile(r"(?:一二|一两|两三|二三|三四|三五|四五|五六|六七|七八|八九)[十百千万]")
#: What after a figure says that it is this that is paid: '这期1326块还掉'.
_PAY_AFTER = re.compile(
    r"^(?:块钱|块|元)?(?:就|先|也|都|一定|肯定)?(?:还|结|付|转)(?:掉|清|上|给|了)"
)
#: What after a figure of a Hindi reply says that it counts something else: '3 din pehle'.
_COUNTS_HI = re.compile(r"^ (?:din(?:on?)?|haft[ae]|mahin[ae]|tar(?:i+|ee)kh|baje|kist\w*)\b")
_HALF = re.compile(r"[一大小]半|half")

#: What before 五十 makes it money.
_PAID_TENS = re.compile(r"(?:多?[收扣还付给转交]|多了?)(?:了|我|你们|给)*$")
#: What is said not to be owed is what was billed.
_DENIED_OWED = re.compile(r"(?:don'?t|do not|dont|never) owe|[没不](?:是|有)?[欠该]")
#: Numbers that people dial, not pay.
_HOTLINES = frozenset("110 315 911 999 12315 12321 12345 12348 12363 12368 12378 12386".split())


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One figure of money in a reply."""

    start: int
    end: int
    value: Decimal
    marked: bool  #: by a currency


def figures(text: str, taken: Sequence[tuple[int, int]]) -> tuple[Figure, ...]:
    """Return the figures of money in a respelled text; what dates take up is none."""
    found = []
    for match in _MONEY.finditer(text):
        start, end = match.span()
        words = match["figure"]
        half = words[: len(words) // 2]
        if half * 2 == words and not words.isascii():
            words = half  # 一千一千 is a thousand at a time.
        value = number(words)
        if value is None and words.isascii():
            value = spoken_sums.value_of(words)
        if value is None or not 0 < value <= AMOUNT_MAX:
            continue
        if any(start < stop and begin < end for begin, stop in taken):
            continue
        marked = bool(match["mark"] or match["unit"])
        before, after = text[:start], text[end:]
        if _VAGUE_AFTER.match(after) or _income(before, after):
            continue
        if _VAGUE_BEFORE.search(before) and words[0] in "十百千万":
            continue
        if _SPAN_OF_SUMS.fullmatch(words):
            continue
        if not marked and not _may_be_money(match["figure"], before, after):
            continue
        found.append(Figure(start=start, end=end, value=value, marked=marked))
    return tuple(found)


def _income(before: str, after: str) -> bool:
    """Tell whether a figure is what somebody earns or pays to others."""
    return bool(_INCOME_BEFORE.search(before[-24:]) or _INCOME_AFTER.match(after))


def _may_be_money(figure: str, before: str, after: str) -> bool:
    """Tell whether a bare number may be money: not a count, an hour, a phone or card number."""
    sent = (before.endswith("打") and _SENT_AFTER.match(after)) or _PAY_THE.search(before)
    if _OTHER_AFTER.match(after) or (_OTHER_BEFORE.search(before) and not sent):
        return False
    if re.search(r"[a-z0-9]$", before) and re.match(r"\d", figure):
        return False
    if figure.isdigit():
        return len(figure) <= 7 and not figure.startswith("0") and figure not in _HOTLINES
    # A single character like 一 or 两 counts things; 五百 and 1.5k are money.
    large = bool(re.search(r"[百千万佰仟kw]|\d|[a-z]{4}", figure))
    return len(figure) > 1 and (large or bool(_PAID_TENS.search(before)))


def chosen(text: str, found: Sequence[Figure], intent: str) -> Decimal | None:
    """Return the figure tied to an act: paid, promised, offered a period, billed in dispute."""
    found = [one for one in found if not _COUNTS_HI.match(text[one.end :])]
    if not found:
        return None
    if intent == "dispute_amount":
        billed = [one for one in found if not _OWED_BEFORE.search(text[: one.start])]
        asked = [one for one in billed if _BILLED_BEFORE.search(text[: one.start])]
        if not billed and _DENIED_OWED.search(text):
            billed = list(found[:1])
        return (asked or billed)[0].value if billed else None
    before = {one: text[max(0, one.start - 24) : one.start] for one in found}
    if intent == "instalment_request":
        offers = [
            one
            for one in found
            if _PERIOD_BEFORE.search(before[one]) or _PERIOD_AFTER.match(text[one.end :])
        ]
        if offers:
            return offers[0].value
    other = [one for one in found if not _TOTAL_BEFORE.search(before[one])]
    settled = [one for one in other if _PAY_AFTER.match(text[one.end :])]
    if settled and len(other) > 1 and intent == "promise_to_pay":
        return settled[0].value
    paid = [one for one in other if _PAY_BEFORE.search(before[one])]
    if paid:
        return paid[0].value
    if intent == "extension_request":
        return None
    return other[0].value if other else None
