"""What is to be done on the days that a reply names: paid, asked for, or split into parts?"""

from __future__ import annotations

import re

from duly.replies.amounts import Figure
from duly.replies.day_words import Mention
from duly.replies.respelling import HAN

#: Words of paying right after a date: the date is when money goes out.
_PAYS_AFTER_ZH = re.compile(
    r"^[^,.!?]{0,12}?(?:还款|还钱|还清|还上|缴|还(?!要|有|在|是|没|不|能|会|来|想|打|发|催|得上|"
    r"需|可以|行|差|欠)|付|转|打(?:给你|款|钱|过去)|给(?:你|钱|我结|$|,)|存|处理|交(?!代)|结清|"
    r"搞定|弄(?!错|丢|清楚|坏)|补|汇|到(?:账|你|位|$|,)|安排|解决|结(?!婚|束|果|账单)|清(?!楚|单|明)|过(?:数|账|给|\d)|"
    r"凑齐|整(?:上|完|利索)|扣(?!错|多)|划(?!算))"
)
_ASKS_BETWEEN = re.compile(
    r"怎|如何|哪|什么|吗|多少|能不能|可不可以|行不行|别|不要|会不会|没|无|不(?![少用必管会差])"
)
_FILLER_ZH = re.compile(
    r"(?:好的?|嗯|哦|行|知道了?|收到|吧|啊|呀|哈|了|的|就|我|会|一定|肯定|之?前|以前|左右|"
    r"还款(?:日期|时间)[:是为]?|记下了?|记着|记好了?|大概|应该|可能|到时候?|等|要|再|最晚|最迟|"
    r"尽量|争取|先|,|!|\.|~| )+"
)
_FILLER_EN = re.compile(
    r"(?:\b(?:ok|okay|yes|sure|i|will|ill|for|by|on|the|its|it|maybe|probably|definitely|"
    r"latest|sir|maam|madam|pls|please|promise|god willing|hopefully|inshallah|thanks|of|def|"
    r"then|at|around|about|only|is|it's|i'll|ma|certainly|mate|bro|boss|dear|madam|ok then|"
    r"mam|my friend|fine|cool|latest by|most likely|most|likely|first|thing|before|"
    r"no later than|before noon|in the|morning|evening|guaranteed|without fail|100%|all|la|lah|leh|"
    r"lor|"
    r"liao|can|confirm|confirmed|pakka|pukka|full|amount|payment|in full|and|or|insha ?allah|god|"
    r"willing|if god|grace|by god'?s grace|surely|positively|max|max by|maximum|tops|noted|wallahi|"
    r"abeg|"
    r"oga|o|oo|sha|ji|bhai|yaar|saab|aunty|uncle|da|anna|end|coming|ya|yeah|yep|hundred percent|"
    r"next|done|settlement|settle|sat|for sure|at the latest|4 sure|cfm|confirm plus chop)\b|"
    r"[,.! ])+"
)
_PAYS_EN = re.compile(
    r"\b(?:pay|paying|payment|paid|send|sending|settle|clear|transfer|sort|do|money|yours|"
    r"debit|deduct|draw|collect|charge|remit|credit|bank it|manage|arrange|get it|have it|deposit|"
    r"repay|give|it'?s yours|done|"
    r"(?:de |kar |bhej |bhar )?d(?:u|oo)n?g[ai]|denge|kar(?:u|oo)n?g[ai]|karenge|bhej\w*|"
    r"(?:kar|de|bhej|bhar) det[aie]|"
    r"bhar(?:u|oo)n?g[ai]|chuka(?:u|oo)?n?g?[ai]?|jama)\b"
)
_ASKS_EN = re.compile(
    r"\b(?:how|where|why|what|who|which|did|stop|don'?t|not|can'?t|cannot|won'?t|no)\b|\?"
)

_ASKS_BEFORE = re.compile(r"(?:能不能|可不可以|能否|可否|是否可以|可以不可以)[^,.!?]{0,6}$")
#: Where one clause of an English reply ends and another begins.
_CLAUSES_EN = re.compile(r"[,.;!]|\bbut\b|\bthen\b|\band\b")
#: A question whether that day would do, right after it in Chinese, around it in English.
_ASKS_AFTER = re.compile(
    r"^[^,.!?]{0,8}?(?:行不|行吗|行么|行嘛|可以吗|可以不|可以么|可不可以|能不能|得不|成不|"
    r"成吗|好吗|好不好|可否|来得及|可以吧|没问题吧|咋样|如何|中不|要得不|ok吗|ok不|行吧\?|得吗)"
)
_ENDS_ASKING = re.compile(
    r"(?:还|付|扣|转|交|给|打|划|处理|缓|延|吧|,|成|再)[^.!?]{0,4}(?:吗|么|嘛|行不|成不|好不|可以不|中不|得不|行吧|可以吧|好吧|如何)\??$"
)
_ASKS_LEAVE = re.compile(
    r"^(?:pls |please |sir |hi |hello )*(?:can|could|may|would|is|will|shall)(?: (?:i|it|we|"
    r"u|you|that|this))*"
    r"(?: (?:be|pay|settle|wait|clear|do|ok|fine|give|have|okay|possible|make|"
    r"send))* .*(?:\?|ok$|okay$|please$|pls$)|"
    r"\b(?:ok|okay|fine|alright|possible|acceptable|works?)\?$|^(?:how|what) about\b|"
    r"^(?:hi |hello |sir |pls |please |so |abeg )*(?:can|could|may|shall|would|will) (?:i|we|u|you|"
    r"ya) "
    r"(?!be |afford |call |ring |text |send me|tell |talk |stop )"
)

#: Words of putting off that lead to a day.
_SHIFTS_ZH = re.compile(
    r"(?<![不没别])(?<!不想)(?<!不会)(?<!不用)(?:宽限?|延(?!误)(?:期|迟|后|缓|长)?|展(?:期|延|缓)|缓|推(?!荐|送)|拖(?!欠)|挪|顺延|"
    r"后(?:延|移|推)|往后|改(?:到|成|在|为|期)|换(?:到|成)|容(?:我|到|限)|通融|[晚迟](?:到|至)|(?:多|再)(?:给|宽|容)|"
    r"给我?多|(?:能|可以)等到?|等我(?:到|至)|(?:申请|请求|求|希望|想)等)[^,.!?]{0,6}$"
)
_LEAVES_ZH = re.compile(
    r"(?:别|不要|勿|暂停|先不|暂不|能不能不)(?:急着|着急|马上|现在|今天|给我|自动|先){0,2}(?:扣|划|代扣|收)"
)
_SHIFTS_EN = re.compile(
    r"\b(?:extend\w*|extension|extra|further|additional|another|grace|postpone\w*|push|pushing|"
    r"pushed|"
    r"shift\w*|mov(?:e|ed|ing) (?:it|the|my|this|due|payment|date|debit)|delay\w*|defer\w*|"
    r"resched\w*|"
    r"hold (?:on|off|it|the|my)|hold (?:till?|until)|wait(?: for me| please| pls)? (?:till?|until|"
    r"untill|for|up ?to)|bear with me|"
    r"(?:give|grant|allow|spare|gimme|grace)(?: (?:me|us))?(?: (?:some|little|more|at ?least|a|bit|"
    r"only|just|"
    r"until|till?|untill|up ?to|time|days?|\d+|two|three|few))|let me have (?:till?|until)|"
    r"(?:need|require|want|have|get|could use|request\w*|appreciate|extra|seek\w*|asking(?: for)?)"
    r"(?: (?:till?|until|up ?to|a|an|one|\d+|two|three|ten|another|more|some|few|time))+|"
    r"(?:change|put back|set|take) (?:back )?(?:my|the) (?:due|payment|debit|pay)\w*|(?:time|"
    r"leave it|adjust|excuse me|spare me|manage) (?:till?|until|up ?to))\b[^,.;!]{0,24}$"
)
_LEAVES_EN = re.compile(
    r"\b(?:don'?t|dont|do not|pls no|not) (?:debit|deduct|charge me|draw|present|take (?:it|today|"
    r"the money|this|payment))\b"
)
#: In Hindi what asks for time stands after it: '10 din ka time do'.
_SHIFTS_HI = re.compile(
    r"^(?: (?:ka|ki|ke|aur|sa|thoda|extra))*(?: (?:time|samay|mohlat|waqt))?"
    r"(?: (?:ka|aur))*(?: (?:de ?do|de ?dijiye|dedo|dijiye|do|dena|chahiye|ruk\w*|wait|badha\w*)\b)"
)
_SPAN_HI = re.compile(r"\b(?:din|dino|dinon|haft\w+|mahin\w+|time|samay|waqt|mohlat)$")
_INSTEAD_EN = re.compile(r"\binstead\b")
#: A span that is asked for on top.
_MORE_EN = re.compile(r"\b(?:more|extra|additional|further|another)\b")
_GIVES_EN = re.compile(r"\b(?:i|we)(?:'?ll| will| shall|'m going to| am going to)\b[^,.;!]{0,12}$")
#: A part that is paid, and what is said of the rest.
_PART_ZH = re.compile(
    r"一半|一部分|(?<!全)部分|小半|大半|零头|首笔|头一笔|先[^,.!?]{0,4}(?:还|付|给|交|转|打|来)"
)
_REST_ZH = re.compile(
    r"剩|其余|其馀|余下|余款|余额|另外?一?半|另一部分|后面|后续|尾款|尾数|下半|再(?:还|付|给|交)另|剩余"
)
_ONLY_ZH = re.compile(
    r"(?:只能|只够|最多|顶多|暂时能|目前能|只)(?:先|再|能|够){0,2}(?:还|付|给|交|拿|凑|转)(?:得起|出|你们?)?"
    r"(?:一半|一部分|部分|点|一点|些|一些|个零头)"
)
_PART_EN = re.compile(
    r"\b(?:half|part|some|portion|bit|little|first|1st half|something|(?:\d+|fifty) ?(?:%|"
    r"percent))\b"
)
_REST_EN = re.compile(
    r"\b(?:the )?(?:rest|remain(?:ing|der)|other half|another half|2nd half|second half|left ?over|"
    r"balance(?! (?:will be|is|in))|half (?:next|later|on|in|by|end|after|at|when|mon|tue|wed|thu|"
    r"fri|sat|sun))\b"
)
_ONLY_EN = re.compile(
    r"\b(?:only|just) (?:able to |can |could |afford to |manage to )*(?:pay|give|do|send|manage|"
    r"afford|settle)"
    r"(?: you| u| u all)? (?:a )?(?:part|half|some|bit|portion|little)\b"
)
#: Questions and other talk around a day.
_ASKS_ZH = re.compile(
    r"怎|如何|哪|什么|吗|么$|问问|问一?下|商量|多少|谁|几[点号]|为何|\?|干嘛|放款|借(?!遍)|打电话|联系|回电|[开上放]门"
)
_TALKS_EN = re.compile(
    r"\b(?:how|where|why|what|when|who|which|did|call|ring|text|speak|talk|loan|open|meet|"
    r"see you)\b|\?"
)
#: Days that are no date by themselves: they need words of paying.
_MOMENT = re.compile(
    r"等|一会|稍|马上|立[刻马即]|现在|这就|下班|到家|回家|睡前|点|早上|上午|中午|下午|傍晚|晚上|晚些|小时|钟头|分钟|"
    r"\b(?:now|hours?|hrs?|min\w*|morning|afternoon|evening|shortly|while|bit|after work|sec)\b"
)
_DAYLIKE = re.compile(
    r"[今明后周号日月]|星期|礼拜|today|2day|toni|tom|tm[rw]|2mo|day\b|\b(?:mon|tue|wed|thu|fri|sat|sun)|"
    r"\d(?:st|nd|rd|th)"
)


def shifts(text: str, meant: tuple[Mention, ...]) -> bool:
    """Tell whether a reply asks for a later day or more time: words of putting off lead to it."""
    chinese = bool(HAN.search(text))
    for one in meant:
        if chinese and (_SHIFTS_ZH.search(text[: one.start]) or _LEAVES_ZH.search(text)):
            return True
        if not chinese and (_LEAVES_EN.search(text) or _INSTEAD_EN.search(text)):
            return True
        if not chinese and _SHIFTS_HI.match(text[one.end :]) and _SPAN_HI.search(one.words):
            return True
        led = _SHIFTS_EN.search(text[: one.end])
        if not chinese and not _GIVES_EN.search(text[: led.start() if led else one.start]) and (
            led or _MORE_EN.search(one.words)
        ):  # fmt: skip
            return True
    return False


def in_parts(text: str, found: tuple[Mention, ...], figures: tuple[Figure, ...]) -> bool:
    """Tell whether a sum is split: a part with its rest, or two figures on two days."""
    if HAN.search(text):
        split = bool(_ONLY_ZH.search(text)) or bool(
            len(re.findall("一半", text)) > 1
            or (
                (rest := _REST_ZH.search(text))
                and (_PART_ZH.search(text) or any(one.end <= rest.start() for one in figures))
            )
        )
    else:
        part = _PART_EN.search(text)
        rest = _REST_EN.search(text, part.end() if part else 0)
        split = bool(_ONLY_EN.search(text)) or bool(
            rest and (part or figures) and (found or figures)
        )
    named = [one for one in found if one.day is not None]
    return split or (len(figures) > 1 and len({one.day for one in named}) > 1)


def stands(text: str, meant: tuple[Mention, ...]) -> bool:
    """Tell whether a reply names a firm day and asks and tells nothing beside it."""
    asked = (_ASKS_ZH if HAN.search(text) else _TALKS_EN).search(text)
    return not asked and any(
        one.day is not None and not (_MOMENT.search(one.words) and not _DAYLIKE.search(one.words))
        for one in meant
    )


def asks_on(text: str, found: tuple[Mention, ...]) -> bool:
    """Tell whether a reply asks if a day would do."""
    if _ENDS_ASKING.search(text) and any(one.day for one in found):
        return True
    return any(
        _ASKS_AFTER.match(text[one.end :])
        or (_ASKS_BEFORE.search(text[: one.start]) and _PAYS_AFTER_ZH.match(text[one.end :]))
        for one in found
    ) or bool(found and _ASKS_LEAVE.search(text))


def pays_on(text: str, meant: tuple[Mention, ...], figures: tuple[Figure, ...]) -> bool:
    """Tell whether a date is tied to paying: words of paying beside it, or nothing else at all."""
    if not meant:
        return False
    left, end = [], 0
    for one in meant:
        left.append(text[end : one.start])
        end = one.end
    rest = "".join([*left, text[end:]])
    for figure in figures:
        rest = rest.replace(text[figure.start : figure.end], "")
    if HAN.search(text):
        if not _FILLER_ZH.sub("", rest):
            return any(one.day for one in meant)
        return any(_pays_after(text, one) for one in meant)
    if not _FILLER_EN.sub("", rest):
        return True
    return any(_pays_in_clause(text, one) for one in meant)


def _pays_after(text: str, one: Mention) -> bool:
    after = _PAYS_AFTER_ZH.match(text[one.end :])
    rest = text[one.end + after.end() :] if after else ""
    tail = re.split(r"[,.!]|谢|辛苦|麻烦|拜托", rest[:3])[0]
    return bool(after and not _ASKS_BETWEEN.search(after[0]) and not _ASKS_BETWEEN.search(tail)
                and not re.match(r"^不[了起上出清]", tail))  # fmt: skip


def _pays_in_clause(text: str, one: Mention) -> bool:
    """Tell whether the clause around an English date speaks of paying, and asks nothing."""
    starts = [stop.end() for stop in _CLAUSES_EN.finditer(text, 0, one.start)]
    stop = _CLAUSES_EN.search(text, one.end)
    clause = text[starts[-1] if starts else 0 : stop.start() if stop else len(text)]
    clause = clause.replace(one.words, " ")
    return bool(_PAYS_EN.search(clause)) and not _ASKS_EN.search(clause)
