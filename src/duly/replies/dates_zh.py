"""Dates in Chinese replies, after the guide: the local date of the reply is day 0."""

from __future__ import annotations

import re
from datetime import date, timedelta

from duly.replies import calendar
from duly.replies.day_words import (
    Meant,
    Resolver,
    Seen,
    days_from,
    hours,
    in_days,
    numeric,
    of_year,
    on,
    vague,
    weekday,
)
from duly.replies.numerals import CHARACTERS, whole

N = rf"(?:\d{{1,4}}|[{CHARACTERS}]{{1,4}})"
_DAY_NAMES = ("一1", "二2", "三3", "四4", "五5", "六6", "日天七7")
_WEEKDAYS = {char: day for day, chars in enumerate(_DAY_NAMES) for char in chars}
_MONTHS = {"正": 1, "元": 1, "冬": 11, "腊": 12}
#: In Taiwan 拜五 is Friday; 祭拜 and 拜一拜 are no days.
_WEEK = (
    r"(?:周|星期|礼拜|週|(?<=下)拜|"
    r"(?<![礼崇朝祭参跪叩结膜])拜(?=[一二三四五六日](?![拜下个天次位年家叩]|两)))"
)
_TIME = r"(?:一?早|早上|早晨|上午|中午|下午|傍晚|晚上|晚|夜里|凌晨)?"
_HOUR = rf"(?:{N}点(?:半|钟|多|来钟|左右|{N}分?)?)?"


def _weekday(found: re.Match[str], seen: Seen) -> Meant:
    word = found["week"] or ""
    return weekday(seen, _WEEKDAYS[found["day"]], word.count("下"))


def _weekend(found: re.Match[str], seen: Seen) -> Meant:
    day, _ = weekday(seen, 5 if seen.today.weekday() < 6 else 6, (found["week"] or "").count("下"))
    return day, "soft"


def _days(found: re.Match[str], seen: Seen) -> Meant | None:
    count = whole(found["n"])
    factor = {"天": 1, "日": 1, "周": 7, "星期": 7, "礼拜": 7, "月": 30}[found["unit"]]
    if count is None:
        return None
    after = found["after"] or ""
    if found["about"] and not after and count == 2 and factor == 1:
        return None, "vague"  # 过两天 is no number of days.
    # After or within N days counts from the reply; bare days may count from the due date.
    firm = bool(after or found["about"])
    return days_from(seen, count * factor, "firm" if firm else "soft")


def _days_from_a_day(found: re.Match[str], seen: Seen) -> Meant | None:
    count = whole(found["n"])
    begins = {"明": 1, "后": 2}.get(found["from"], 0)
    return None if count is None else days_from(seen, begins + count, "soft")


def _more_days(found: re.Match[str], seen: Seen) -> Meant | None:
    return days_from(seen, whole(found["n"]), "soft")


def _half_month(found: re.Match[str], seen: Seen) -> Meant | None:
    return days_from(seen, 15, "firm" if found["after"] or found["about"] else "soft")


def _working_days(found: re.Match[str], seen: Seen) -> Meant | None:
    count = 1 if found["next"] else whole(found["n"])
    if count is None or not 0 < count <= 60:
        return None
    return calendar.working_day(seen.today, count, seen.country or "CN"), "firm"


def _month_of(found: re.Match[str], seen: Seen) -> tuple[int, int]:
    return calendar.next_month(seen.today, (found["month"] or "").count("下"))


def _day_of_month(found: re.Match[str], seen: Seen) -> Meant | None:
    number = whole(found["n"])
    if number is None or not 1 <= number <= 31:
        return None
    if "下" not in (found["month"] or ""):
        return on(calendar.day_of_month(seen.today, number))
    year, month = _month_of(found, seen)
    # The 31st of a shorter month is its last day.
    return on(date(year, month, min(number, calendar.month_end(year, month).day)))


def _month_end(found: re.Match[str], seen: Seen) -> Meant:
    return on(calendar.month_end(*_month_of(found, seen)))


def _named_month_end(found: re.Match[str], seen: Seen) -> Meant | None:
    month = whole(found["m"])
    if month is None or not 1 <= month <= 12:
        return None
    year = seen.today.year + (month < seen.today.month)
    return on(calendar.month_end(year, month))


def _month_day(found: re.Match[str], seen: Seen) -> Meant | None:
    month, number = whole(found["m"]), whole(found["n"])
    if month is None or number is None:
        return None
    if not (1 <= month <= 12 and 1 <= number <= 31):
        # The 5th of a thirteenth month is no day, and not the 5th of this one.
        return (None, "vague") if found[0].rstrip().endswith(("号", "日")) else None
    return on(calendar.month_day(seen.today, month, number))


def _next_year(found: re.Match[str], seen: Seen) -> Meant | None:
    """Resolve a day of next year; a month of it, or the year alone, is no day."""
    year = seen.today.year + 1
    if found["end"]:
        return on(date(year, 12, 31))
    month, number = (whole(found[name] or "") for name in ("m", "n"))
    if month is None or number is None:
        return None, "vague"
    return of_year(seen, year, month, number)


def _full(found: re.Match[str], seen: Seen) -> Meant | None:
    year, month, number = int(found["y"]), int(found["m"]), int(found["n"])
    if year < 100 and not (1 <= month <= 12 and 1 <= number <= 31):
        return None  # 10-15-20 are three days rather than a date.
    return of_year(seen, year + 2000 if year < 100 else year, month, number)


def _today_or_tomorrow(found: re.Match[str], seen: Seen) -> Meant | None:
    return days_from(seen, 1 if found["within"] else 0)


def _within(found: re.Match[str], seen: Seen) -> Meant:
    """Resolve 'within this week' or month: its last day."""
    if found["unit"].startswith("月"):
        return on(calendar.month_end(seen.today.year, seen.today.month))
    return weekday(seen, 6, 0)


def _same_weekday(found: re.Match[str], seen: Seen) -> Meant | None:
    """Resolve 'today next week'."""
    return days_from(seen, 7 * found["n"].count("下"))


def _same_day(found: re.Match[str], seen: Seen) -> Meant:
    """Resolve 'today next month'; the 31st of a shorter month is its last day."""
    year, month = calendar.next_month(seen.today, found["n"].count("下"))
    return on(date(year, month, min(seen.today.day, calendar.month_end(year, month).day)))


def _nth_weekday(found: re.Match[str], seen: Seen) -> Meant:
    """Resolve the first, second, ... or last such weekday of a month, not before today."""
    nth = -1 if "最后" in found["nth"] else (whole(found["nth"][1:]) or 1)
    ahead = (found["month"] or "").count("下")
    return on(calendar.nth_weekday(seen.today, _WEEKDAYS[found["day"]], nth, ahead))


def _month_working_day(found: re.Match[str], seen: Seen) -> Meant:
    """Resolve the first or last working day of a month."""
    ahead = (found["month"] or "").count("下")
    last = "最后" in found["nth"]
    return on(calendar.month_working_day(seen.today, ahead, seen.country or "CN", last=last))


def _after_holiday(found: re.Match[str], seen: Seen) -> Meant | None:
    """Resolve the first working day after a holiday."""
    day = calendar.holiday(seen.today, found["name"]) if found["name"] else None
    begins = day or calendar.next_holiday(seen.today, seen.country or "CN")
    return on(calendar.after_holiday(begins, seen.country or "CN") if begins else None)


def _lunar(found: re.Match[str], seen: Seen) -> Meant | None:
    named = found["m"]
    month = _MONTHS.get(named) or whole(named) or 0 if named else 1
    number = whole(found["n"])
    if number is None:
        return None
    return on(calendar.lunar_day(seen.today, month, number))


def _lunar_end(found: re.Match[str], seen: Seen) -> Meant:
    """Resolve the last day of a lunar month, its 30th or where there is none its 29th."""
    month = _MONTHS.get(found["m"]) or whole(found["m"]) or 0
    last, before = (calendar.lunar_day(seen.today, month, number) for number in (30, 29))
    # A month without a 30th is passed over by the first: then it is another year's.
    if last is not None and before is not None and last - before > timedelta(days=1):
        return on(before)
    return on(last or before)


def _holiday(found: re.Match[str], seen: Seen) -> Meant | None:
    day = calendar.holiday(seen.today + timedelta(days=bool(found["eve"])), found["name"])
    if day is None:
        return None
    if found["eve"]:
        return day - timedelta(days=1), "firm"
    if found["after"]:
        return calendar.after_holiday(day), "soft"
    return day, "firm"


_AFTER = r"(?P<after>之?内|以内|之?前|以前|之?后|以后)?"
_RULES: tuple[tuple[str, Resolver], ...] = (
    (r"(?<!\d)(?P<y>\d{4}|\d\d)[年./-](?P<m>\d{1,2})[月./-](?P<n>\d{1,2})(?:日|号)?(?!\d)", _full),
    # Digits without a mark, but no number of an order, an account or a contract.
    (r"(?<![\d号码:#a-z])(?P<y>20\d\d)(?P<m>0[1-9]|1[0-2])(?P<n>0[1-9]|[12]\d|3[01])"
     r"(?:日|号)?(?![\d元块.])",
     _full),
    ((
        rf"明年(?:(?P<end>年?[底末])|的?(?P<m>{N})月份?(?:的?(?P<n>{N})(?:日|号))?"
        r"(?:初|底|中旬?|[上下]旬)?)?(?!的?(?:春节|元旦|今天))"
    ), _next_year),
    # 'In May' before a word of paying; 'a month' and 'three months' are other words.
    (
        r"(?<![\d.个每过等第])(?:1[0-2]|[2-9])月份?(?=再?(?:还|付)(?![\d一二三四五六七八九十])|再)",
        vague,
    ),
    (rf"(?:20\d\d|后)年(?:{N}月份?)?(?!\d|[{CHARACTERS}]{{1,3}}[日号]|之?[前后]|[底末])", vague),
    (r"(?<![\d./-])(?P<a>\d{1,2})[/.-](?P<b>\d{1,2})[/.-](?P<y>20\d\d|9999)(?!\d)", numeric),
    ((
        rf"(?:农历|阴历|旧历)?(?P<m>[正冬腊]|(?<=[农阴旧]历)[{CHARACTERS}]{{1,2}})月初?(?P<n>{N})"
    ), _lunar),
    (rf"(?P<m>[{CHARACTERS}]{{1,2}})月初(?P<n>[{CHARACTERS}])(?![{CHARACTERS}号日])", _lunar),
    (rf"(?:农历|阴历|旧历)(?P<m>[正冬腊]|[{CHARACTERS}]{{1,2}})月(?:底|末|最后一天)", _lunar_end),
    (rf"(?P<month>下+个?月|这个?月|本月|月)初(?P<n>{N})(?:号|日)", _day_of_month),
    (r"(?P<month>(?<!剩)(?<!余)下+个?月|这个?月|本月|每个?月|月)?(?:的)?最后一[天日]", _month_end),
    (rf"(?:过?年|大年|正月)?(?P<m>)初(?P<n>[{CHARACTERS}])(?![中级])", _lunar),
    ((
        rf"(?:过完?|等)?(?P<name>{calendar.HOLIDAYS})?(?:节|假期|长假|黄金周|放假)?(?:之?后|过后|过完|完|以后|结束后?)的?"
        r"(?:第一个|首个|第一天)(?:工作日|上班|开工)(?:日|天)?"
    ), _after_holiday),
    ((
        r"(?P<month>下+个?月|这个?月|本月|每个?月|月底?|当月)?(?:的)?(?P<nth>第一个|首个|最后一个|最后1个)工作日"
        r"(?<!^第一个工作日)"
    ), _month_working_day),
    ((
        rf"(?P<month>下+个?月|这个?月|本月|每个?月|月底?|当月)(?:的)?(?P<nth>第[{CHARACTERS}1-5]|最后一?)个"
        rf"{_WEEK}(?P<day>[一二三四五六日天1-7]){_TIME}{_HOUR}"
    ), _nth_weekday),
    (rf"(?:过|等)?(?<![周期拜二三月初号])(?P<name>{calendar.HOLIDAYS})(?![号日定个月点次期块百千万])(?:节|节假日|假期|放假|黄金周)?"
     r"(?P<eve>(?:的?前一[天日晚]|前夕))?(?P<after>(?:过|完|结束|以|之)*后|过了|过完)?(?!路)",
     _holiday),
    (rf"(?P<m>{N})月份?(?:的)?(?P<n>{N})(?:日|号)?{_TIME}{_HOUR}(?![期个块元万千])", _month_day),
    ((
        r"(?<![\d.])(?P<m>1[0-2]|0?[1-9])(?:[./]|-(?!\d\d?[号日]))"
        r"(?P<n>[0-3]?\d)(?![\d.]|[块元万千k])(?:号|日)?"
    ), _month_day),
    ((
        rf"(?:等|到)?(?P<next>下(?:一)?个?|第一个)工作日|(?P<n>{N})个?工作日(?:之?内|之?后|"
        r"以?后)?"
    ), _working_days),
    ((  # The day from which more days are asked for is not the day of paying.
        rf"(?:从|自|打)?(?P<from>[今明后现即])[天日在晚](?:起|开始|算起|算)[,，、 ]*"
        rf"(?:再|请|能|给|帮|我|你们?|可以|可否|能否|申请|希望){{0,4}}(?:宽限|延期|延后|延缓|延长|推迟|缓|延)(?:我)?"
        rf"(?P<n>{N})(?:天|日)"
    ), _days_from_a_day),
    (rf"(?<=[多限延缓迟晚再容宽])(?P<n>{N})日(?!前|之前|以前)", _more_days),
    ((
        r"(?<=[限延缓拖推迟等]到)(?P<month>)(?P<n>\d{1,2})(?![\d个块元百千万天日点周月年])"
    ), _day_of_month),
    ((
        r"(?P<about>)(?P<n>\d{1,2})[-~到至]\d{1,2}个?(?P<unit>天|日)(?P<after>之?内|以内|之?后)"
    ), _days),
    # Several days are the earliest of them.
    ((
        rf"(?P<month>(?:下+个?|这个?|本|当)月)?(?P<n>{N})(?:号|日)?(?:到|至|-|~|或者?|、|和)"
        rf"(?:{N})(?:号|日)(?!线|码|楼|院|店)"
        r"(?:之?间|之?前)?"
    ), _day_of_month),
    ((
        rf"(?P<month>(?:下+个?|这个?|本|当|每个?)?月)?(?:的)?(?P<n>{N})(?:号|日)(?!线|码|楼|院|"
        rf"店){_TIME}{_HOUR}"
    ),
     _day_of_month),
    ((
        r"(?P<month>下+个?月|本月|这个?月|当月)(?P<n>\d{1,2}|[一二三四五六七八九十廿]{1,3})(?![\d个期块元百千万起次并定共总半]|多|左右)"
    ), _day_of_month),
    (rf"(?P<m>{N})月份?(?:底|末)", _named_month_end),
    ((
        rf"(?:这个?|本|当|(?<![个下\d{CHARACTERS}]))(?P<unit>月份?|周|星期|礼拜)(?:之?内|以内)"
    ), _within),
    (rf"(?P<n>下+个?){_WEEK}的?(?:今天|这一?天|今日)", _same_weekday),
    (r"(?P<n>下+个?)月的?(?:今天|这一?天|今日)", _same_day),
    (r"(?P<month>(?<!剩)(?<!余)下+个?月|这个?月|本月|月)(?:的)?(?:底|末)", _month_end),
    (r"(?:今年)?(?<!后)年(?:底|末)|今年内", lambda _f, seen: on(date(seen.today.year, 12, 31))),
    ((
        rf"(?P<week>(?:下+个?|这个?|本)?(?:一个)?)?{_WEEK}(?P<day>[一二三四五六日天七1-7])(?![个"
        rf"期次\d天百千万]){_TIME}{_HOUR}"
    ),
     _weekday),
    (r"(?P<week>(?:下+个?|这个?|本)?)?(?:周末|礼拜末)", _weekend),
    (r"(?:一两|两三|三五|三四|四五|五六|七八)(?:天|日|个?月|个?星期|周)", vague),
    (rf"(?P<about>过|等)?(?P<n>半)个月{_AFTER}", _half_month),
    ((
        rf"(?<!今明)(?P<about>过|(?<![多再])等)?(?P<n>(?:\d{{1,4}}|[{CHARACTERS}]{{1,3}}))个?"
        rf"(?P<unit>天|日|周|星期|"
        rf"礼拜)(?!一|二|三|四|五|六)(?:时间)?{_AFTER}(?!打|都打|给我打)"
    ),
     _days),
    (rf"(?P<about>过|等)?(?P<n>{N})个(?P<unit>月)(?:时间)?{_AFTER}", _days),
    (rf"(?P<n>{N})个?(?:小时|钟头)(?:之?内|之?后|以?后)?", hours),
    (rf"(?:{N}个?分钟|半个?(?:小时|钟头))(?:之?内|之?后|以?后)?", in_days(0)),
    (rf"(?:大+|外)后[天日]{_TIME}{_HOUR}", in_days(3)),
    (rf"今明(?:两|二)?[天日]{_TIME}(?P<within>之?内|以内)?", _today_or_tomorrow),
    (rf"明后(?:两|二)?[天日]{_TIME}", in_days(1)),
    (rf"(?<!今)后[天日]{_TIME}{_HOUR}", in_days(2)),
    (rf"明(?:天|早|晚|日){_TIME}{_HOUR}(?:下班)?", in_days(1)),
    (rf"(?:今[天晚日夜早]|当[天日]){_TIME}{_HOUR}(?:下班|之?内)?", in_days(0)),
    ((
        r"等下|等会儿?|等一(?:下|会儿?)|待会儿?|一会儿?|稍后|稍等|马上|立刻|立马|立即|现在就|"
        r"这就|下了?班(?:就|后|了|以后|之后)?|(?:回|到)家(?:后|就|了)|睡前"
    ),
     in_days(0)),
    ((
        rf"(?:早上|上午|中午|下午|傍晚|晚上|晚些时候)(?!好){_HOUR}|今儿|(?:\d{{1,2}}|十[一二]?|"
        r"[二三四五六七八九两])点(?:半|钟)?(?:之?前|之?后|"
        r"以?后)?"
    ), in_days(0)),
    ((
        r"(?:等|到|看)?下+个?(?:月|周|星期|礼拜)|这?几[天日]|过(?:几|些|一?阵|段|一段)(?:天|日|"
        r"子|时间)?|[一两]两?三?天|多?几天|"
         r"到手|回头|改天|改日|以后|(?:等|到)?(?:我)?有(?:了钱?|钱)(?:了|的时候|以后)?|"
         r"手头(?:宽裕|松)(?:了|"
         r"点)?|(?:等|到)?(?:我)?发(?:了)?(?:工资|薪水?|钱|奖金)(?:了|后|以后|之后|那天|的时候)?|"
         r"工资(?:到账?|下来|发了?)(?:了|后|就)?|(?:钱|货款|工程款|尾款|回款|货款)(?:到账?|下来|"
         r"回来)(?:了|后|就)?|尽快|尽早|尽量|抓紧|早日|有空|迟早|总会|将来|"
         r"晚一?点|迟一?点|晚些|迟些|月[初中]|[上中下]旬|年[后前]|过完?年|过完?节|节[后前]|"
         r"再过(?:段|一段)?时间|(?:忙|熬|挺|过)完这(?:阵子?|段(?:时间)?)|多?一?段时间|多?(?:一)?些时间|点时间|时间"
     ),
     vague),
)  # fmt: skip
RULES = tuple((re.compile(pattern), resolve) for pattern, resolve in _RULES)
