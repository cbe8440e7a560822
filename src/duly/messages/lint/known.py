"""What is true about a case beyond the text? Facts given with a message, by sensible names."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property

from duly.spelling import traced

_FILED = re.compile(
    r"filed|accepted|judged|judgment|judgement|enforce|sued|lodged|issued|in_court|litigation"
    r"|已起诉|已立案|已受理|已判决|已提起|执行中|起诉中"
)
_NOT_YET = re.compile(r"not|none|no_|prep|plan|consider|approved|未|没有|拟|准备|draft|pending_app")
_CASE_KEY = re.compile(r"case|legal|court|filed|suit|claim|litig|诉|案|法院|sued|judg")
_NUMBER_KEY = re.compile(r"no$|num|number|案号|docket|ref")
_HOST_KEY = re.compile(r"host|link|url|domain|site|web|网|portal|page")
#: A value that is a link or a host, or a telephone number, and nothing else.
_HOST = re.compile(
    r"(?:h(?:tt|xx)ps?://)?(?:[a-z0-9-]{1,40}[.]){1,5}[a-z]{2,10}(?::\d{2,5})?(?:/\S*)?"
)
_PHONE = re.compile(r"[+(]?\d[\d ()-]{4,18}\d")
#: Facts that tell of somebody else, or of what is not the lender's: their values vouch for nothing.
_NOT_OURS = re.compile(
    r"fake|scam|phish|fraud|suspicious|unknown|unofficial|not_|impost|third|borrower|customer"
    r"|debtor|relative|reported|note|comment|假|骗|冒|可疑|非官方|借款人|客户(?!服务)|亲|联系人"
)
#: Facts in prose, and what they say of a host, a case, a law firm.
_PROSE = frozenset({"", "note", "notes", "comment", "说明", "备注"})
_PROSE_END = re.compile(r"[。;；\n]|(?<=[a-z]{3})[.](?= |$)")
_DENIES = re.compile(
    r"不是|并非|没有|未(?!来)|假|冒|非官方|无关|不存在|自己的催收"
    r"|\b(?:no|not|never|nobody|none|fake|scam|unknown|unregistered|unofficial)\b|n't"
)
_OFFICIAL = re.compile(
    r"官方|官网|登记|备案|公布|official|registered|published|lender's own|own (?:web)?site"
)
_HOST_IN_PROSE = re.compile(r"(?:[a-z0-9-]{1,40}[.]){1,5}[a-z]{2,10}")
_FILED_IN_PROSE = re.compile(
    r"(?:确|属实|真实|已)[^,，]{0,16}(?:立案|起诉|受理|判决)"
    r"|(?:in fact|was|were|has been|really|did) "
    r"(?:indeed |really |in fact )?(?:filed|sued|issued|file|accepted|entered)"
)
_REAL_FIRM = re.compile(
    r"(?:律所|律师|律师事务所|机构|该所|本所)[^,，]{0,6}(?:真实|确|持证|执业)"
    r"|(?:law firm|solicitors?|attorneys?|firm)\b.{0,30}"
    r"\b(?:real|genuine|instructed|retained|registered)"
)
_FIRM_KEY = re.compile(r"law_?firm|solicitor|attorney|mandate|engagement|律所|律师|委托")
_VERIFIED = re.compile(r"真实|属实|有效|可查|\b(?:real|genuine|verified|valid|signed)\b")
#: That the time to sue is over, as a key, a value or in prose.
_BARRED_KEY = re.compile(
    r"time.?barred|statute.?barred|limitation.?(?:over|expired|passed)|时效已过|超时效"
)
_BARRED = re.compile(
    r"(?:time|statute)[- _]?barred|limitation (?:period )?(?:has |is )?(?:over|expired|passed)"
    r"|(?:诉讼)?时效(?:期间|期)?(?:已|早已)(?:过|届满|经过)|已过(?:诉讼)?时效"
)
_NOT_BARRED = re.compile(r"not[ _-](?:yet[ _-])?(?:time|statute)|未过|没过|尚未|isn't")
_ROLE_KEY = re.compile(r"recipient|addressee|reader|sent_to|收件人|接收人|收信人")
#: Whoever reads it though he owes nothing.
_OTHERS = re.compile(
    r"colleague|co-?worker|friend|relative|family|parent|sibling|neighbo|employer|boss|\bhr\b"
    r"|third|reference|contact|stranger|landlord|teacher|同事|朋友|亲|邻居|单位|领导|父|母|联系人|第三"
)
_NOT_BORROWER = re.compile(
    r"(?:收件人|接收人|收信人)[^,，。;]{0,12}(?:不是|并非)[^,，。;]{0,4}(?:借款人|本人)"
    r"|(?:recipient|reader|addressee) is not the borrower"
)
_ACCOUNT_KEY = re.compile(r"account|账户|账号|户名|upi|vpa|iban")
#: What a note says of the case that a text must not contradict.
_JUDGED = re.compile(r"判决书?(?:已|已经)*(?:生效|作出|下达)|judg(?:e)?ment (?:has been |was |is )")
_NO_JUDGMENT = re.compile(r"没有判决|尚未判决|未判决|尚未开庭|no judgment|not (?:yet )?judged")
#: Where a name ends in a fact that goes on to tell of it, and whom it says that nobody is.
_NAME_END = re.compile(r"[,;(]")
_DISOWNED = re.compile(
    r"\b(?:not|unrelated to|no (?:link|tie|relation) (?:to|with)) (?:the |with |from )?"
    r"([a-z][\w&' -]{3,40})"
    r"|(?:与|和|同)([^,;与和同]{2,20}?)(?:并无|没有|无)(?:任何)?(?:关|联)"
    r"|(?:不是|并非|冒充)([^,;]{2,20})"
)
_DATED_KEY = re.compile(r"filed|judg|accepted|issued|lodged|sued|起诉|立案|受理|判决")
_PLACE_KEY = re.compile(r"jurisdiction|country|法域|国家")
_LICENCE_KEY = re.compile(r"licen[cs]e")
_PLACE_CODE = re.compile(r"[a-z]{2}(?:[-_][a-z0-9]{1,4})?")
_STATE = re.compile(r"(?<=^[a-z]{2})[-_][a-z0-9]{1,4}$")
_APP_KEY = re.compile(r"(?<![a-z])apps?(?![a-z])|official|应用|小程序|官方")
_NAME_KEY = re.compile(
    r"lender|creditor|brand|company|signature|sender|agency|agencies|firm|owner|name|机构|公司|贷款人"
)
_PHONE_KEY = re.compile(r"phone|hotline|tel|number|电话|热线|客服|official|官方|channel|渠道")
_TIME_KEY = re.compile(
    r"cut.?off|deadline|offer|until|expire|valid|debit|ends|end_|promo|plan|window|截止|优惠|方案|扣款|at$"
)
_VISIT_KEY = re.compile(r"visit|上门|外访|appointment|home_call")
_BUREAU_KEY = re.compile(r"bureau|report|征信|报送|credit")
_WRITTEN_CASE = re.compile(
    r"\(20\d\d\)[^,。;]{1,16}号|(?:case|docket|claim)(?: no\.?| number|:)* ?([0-9][\w-]{3,})"
)
_TRUE = frozenset(
    {"true", "yes", "1", "是", "y", "real", "genuine", "official", "approved", "consented"}
)
_FALSE = frozenset(
    {"false", "no", "0", "none", "null", "否", "n", "never", "fake", "unknown", "", "not_filed"}
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_ISO = re.compile(r"(\d{4})-(\d{2})-(\d{2})")
_TIME = re.compile(r"(?<!\d)([01]?\d|2[0-3]):([0-5]\d)(?!\d)")


class Known:
    """The facts of one message; keys are read by what they mean: `case_status`, `court`, …"""

    def __init__(self, facts: Mapping[str, object]) -> None:
        self._pairs = tuple((key, traced(value).text.strip()) for key, value in _flat("", facts))
        self._given = facts

    @cached_property
    def _written(self) -> tuple[tuple[str, str], ...]:
        """Return the facts before their spelling is folded: a host is nobody else's look-alike."""
        return tuple((key, value.strip().lower()) for key, value in _flat("", self._given))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return who may sign or be named: the lender, its agencies, its law firm."""
        return tuple(name for _, name in self._parties)

    @cached_property
    def _parties(self) -> tuple[tuple[str, str], ...]:
        """Return the keys and the names of the parties, without what is told of them."""
        return tuple(
            (key, name) for key, value in self._pairs
            if _NAME_KEY.search(key) and not _HOST_KEY.search(key) and not _PHONE_KEY.search(key)
            for name in (_NAME_END.split(value)[0].strip(),)
            if len(name) > 1 and name not in _TRUE | _FALSE
        )  # fmt: skip

    @cached_property
    def disowned(self) -> tuple[str, ...]:
        """Return whom the facts call another than the sender: 'not Elm Bank', 与青石银行无关."""
        return tuple(
            next(name for name in found.groups() if name).strip()
            for key, value in self._pairs
            if _NAME_KEY.search(key)
            for found in _DISOWNED.finditer(value)
        )

    @cached_property
    def lenders(self) -> tuple[str, ...]:
        """Return the names of the lender alone."""
        mine = re.compile(r"lender|creditor|brand|signature|贷款人|机构")
        return tuple(name for key, name in self._parties if mine.search(key))

    @cached_property
    def jurisdiction(self) -> str:
        """Return where the lender or the borrower is, as it is written, or nothing.

        A code may go on with a state (`us-ny`); of a name all of it counts. A licence may be a
        number or a paper: of it only a code counts.
        """
        named = (
            value for key, value in self._pairs
            if (value and _PLACE_KEY.search(key))
            or (_LICENCE_KEY.search(key) and _PLACE_CODE.fullmatch(value))
        )  # fmt: skip
        return next((_STATE.sub("", value) for value in named), "")

    @cached_property
    def _vouched(self) -> str:
        """Return what notes in prose say without a denial, sentence by sentence."""
        told = [value for key, value in self._pairs if key.rpartition(".")[2] in _PROSE]
        parts = [part for one in told for part in _PROSE_END.split(one)]
        return "\n".join(part for part in parts if not _DENIES.search(part))

    @cached_property
    def vouches_for_firm(self) -> bool:
        """Return whether the facts say that the law firm is real and was asked to write."""
        return _REAL_FIRM.search(self._vouched) is not None or any(
            _FIRM_KEY.search(key)
            and (value in _TRUE or _VERIFIED.search(value) is not None)
            and not _DENIES.search(value)
            for key, value in self._pairs
        )

    @cached_property
    def hosts(self) -> frozenset[str]:
        """Return the hosts whose links are the lender's own, as written but in small letters."""
        found = [
            value for key, value in self._written
            if (_HOST_KEY.search(key) and "." in value and not _NOT_OURS.search(key))
            or (_HOST.fullmatch(value) and not _NOT_OURS.search(key))
        ]  # fmt: skip
        for key, value in self._written:
            if key.rpartition(".")[2] in _PROSE:
                found += _hosts_in_prose(value)
        plain = (re.sub(r"^[a-z]+://", "", one) for one in found)
        return frozenset(re.split(r"[/?#:]", one.removeprefix("www."))[0] for one in plain)

    @cached_property
    def phones(self) -> frozenset[str]:
        """Return the digits of the telephone numbers that are published."""
        return frozenset(
            re.sub(r"\D", "", value)
            for key, value in self._pairs
            if not _NOT_OURS.search(key) and (_PHONE_KEY.search(key) or _PHONE.fullmatch(value))
        )

    @cached_property
    def apps(self) -> tuple[str, ...]:
        """Return the names under which the lender offers software."""
        return (*self.names, *(
            value for key, value in self._pairs
            if _APP_KEY.search(key) and not _NOT_OURS.search(key) and len(value) > 1
            and value not in _TRUE | _FALSE and "." not in value
        ))  # fmt: skip

    @cached_property
    def time_barred(self) -> bool:
        """Return whether the facts say that the time to sue is over."""
        return any(
            (_BARRED_KEY.search(key) is not None and value in _TRUE)
            or (_BARRED.search(value) is not None and not _NOT_BARRED.search(value))
            for key, value in self._pairs
        )

    @cached_property
    def reader_is_another(self) -> bool:
        """Return whether the facts say that somebody else than the borrower gets the text."""
        return any(
            (_ROLE_KEY.search(key) is not None and _OTHERS.search(value) is not None)
            or (key.rpartition(".")[2] in _PROSE and _NOT_BORROWER.search(value) is not None)
            for key, value in self._pairs
        )

    @cached_property
    def accounts(self) -> tuple[str, ...]:
        """Return the accounts that the facts call the lender's own: names, numbers, addresses."""
        found = (
            part.strip()
            for key, value in self._pairs
            if _ACCOUNT_KEY.search(key) and not _NOT_OURS.search(key) and value not in _FALSE
            for part in re.split(r"[,;:：，；]|户名|尾号", value)
        )
        return tuple(part for part in found if len(part) > 3)

    @cached_property
    def disowned_accounts(self) -> tuple[str, ...]:
        """Return the payment addresses that notes call a person's own."""
        told = [value for key, value in self._pairs if key.rpartition(".")[2] in _PROSE]
        return tuple(
            found[0]
            for one in told
            if re.search(r"personal|agent|private|not (?:ours|official)|个人|私人", one)
            for found in re.finditer(r"[a-z0-9._-]{2,40}@[a-z]{2,20}", one)
        )

    def says_no(self, what: str) -> bool:
        """Return whether a fact denies something outright: a report, a visit, time to sue."""
        if what == "time":
            return self.time_barred
        pattern = {"bureau": _BUREAU_KEY, "visit": _VISIT_KEY}[what]
        return any(pattern.search(key) and value in _FALSE for key, value in self._pairs)

    def confirms(self, what: str, text: str) -> bool:
        """Return whether the facts make a claim of the folded text true: `filed`, `deadline`, …"""
        if not self._pairs:
            return False
        if what == "filed":
            return self._filed(text)
        if what == "firm":
            return self.vouches_for_firm
        if what == "account":
            return any(one in text for one in self.accounts)
        if what == "visit":
            return any(_VISIT_KEY.search(key) and value not in _FALSE for key, value in self._pairs)
        if what == "deadline":
            return any(
                value in _TRUE or any(form in text for form in _forms(value))
                for key, value in self._pairs
                if _TIME_KEY.search(key)
            )
        return False

    def _filed(self, text: str) -> bool:
        mine = [(key, value) for key, value in self._pairs if _CASE_KEY.search(key)]
        numbers = [value for key, value in mine if _NUMBER_KEY.search(key) and value not in _FALSE]
        written = [found[0] for found in _WRITTEN_CASE.finditer(text)]
        plain = re.sub(r"[\s()-]", "", text)
        if written and numbers:
            return any(re.sub(r"[\s()-]", "", one) in plain for one in numbers)
        for key, value in mine:
            if value in _FALSE and ("filed" in key or "status" in key):
                return False
        if any(_NO_JUDGMENT.search(value) for _, value in self._pairs) and _JUDGED.search(text):
            return False
        if _FILED_IN_PROSE.search(self._vouched):
            return True
        for key, value in mine:
            if _FILED.search(value) and not _NOT_YET.search(value):
                return True
            if value in _TRUE and _FILED.search(key):
                return True
            if _ISO.fullmatch(value) and _DATED_KEY.search(key) and not _NOT_YET.search(key):
                return True
            if len(value) > 3 and value not in _TRUE and value in text and "court" in key:
                return True
        return any(re.sub(r"[\s()-]", "", one) in plain for one in numbers if len(one) > 3)


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key).casefold(), inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _flat(prefix, inner)
    else:
        yield prefix.casefold(), "" if value is None else str(value)


def _hosts_in_prose(note: str) -> Iterator[str]:
    """Give the hosts, as written, that a sentence of a note calls official and denies nothing."""
    for part in _PROSE_END.split(note):
        folded = traced(part)
        if _OFFICIAL.search(folded.text) and not _DENIES.search(folded.text):
            for found in _HOST_IN_PROSE.finditer(folded.text):
                start, end = folded.written(*found.span())
                yield part[start:end]


def _forms(value: str) -> Iterator[str]:
    """Give the ways in which a text may write a day or a time of day."""
    for found in _ISO.finditer(value):
        day = _day(*map(int, found.groups()))
        if day is not None:
            month = _MONTHS[day.month - 1]
            yield from (
                f"{day.month}月{day.day}日",
                f"{day.month}月{day.day}号",
                f"{month} {day.day}",
            )
            yield from (f"{day:%B} {day.day}".casefold(), f"{day.day} {day:%B}".casefold())
    for found in _TIME.finditer(value):
        hour, minute = int(found[1]), found[2]
        yield from (f"{hour}:{minute}", f"{hour:02}:{minute}")
        if minute == "00":
            yield from (f"{hour}点", f"{hour}时", f"{hour % 12 or 12}pm", f"{hour % 12 or 12} pm")
    if len(value) > 3 and not value.isdigit():
        yield value


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
