"""The typed variables of templates: what each is, and which values a typed text may have.

There is no type for prose. A value that is a text (a court, a case number, a name with its staff
number, a reference) is matched whole against a grammar with bounded length; all others are written
by us from numbers and dates.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from duly.messages.lint import is_authority

#: Every variable that a body may name, with its type.
VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "name": "name",
        "tail": "tail",
        "loans": "count",
        "days": "days",
        "as_of": "instant",
        "debit_time": "clock",
        **dict.fromkeys(
            [
                *("overdue_total", "overdue_principal", "overdue_interest", "overdue_fee"),
                *("late_charge", "next_due_amount", "paid_amount", "principal"),
                *("plan_total", "plan_amount", "plan_cost", "promise_amount", "least_payment"),
                "outstanding_principal",
            ],
            "money",
        ),
        **dict.fromkeys(
            [
                *("overdue_since", "next_due_on", "report_on", "paid_on", "corrects_on"),
                *("disbursed_on", "agency_from", "answer_by", "filed_on", "visit_on"),
                *("plan_first_on", "promise_on"),
            ],
            "date",
        ),
        "plan_count": "number",
        "agency": "agency",
        "court": "court",
        "case_no": "case",
        "reference": "code",
        **dict.fromkeys(["staff_one", "staff_two"], "staff"),
        "stopped": "channel",
        **dict.fromkeys(["signature", "lender", "ways"], "lender"),
        "phone": "phone",
        "clause": "clause",
    }
)
#: Variables whose value the lender file gives, the same in all its texts.
OF_LENDER = frozenset(
    name for name, kind in VARIABLES.items() if kind in ("lender", "phone", "clause")
)
#: Kinds whose value is a text of the case file: it may be in any script, so each text is counted.
OF_CASE = frozenset({"agency", "court", "case", "staff"})

#: Questions with the answer yes or no that a body may ask: of the facts, then of the lender.
FACT_FLAGS = (
    *("named", "several", "several_due", "accrues", "late", "paid_known", "corrects_known"),
    *("borrowed_known", "accrual_stops", "plan_even", "plan_free", "least_known"),
    *("debit_known", "left_known"),
)
LENDER_FLAGS = ("opt_out", "paying_prevents", "national")
#: The question that must be asked before a fact that may be absent is named.
GUARDS: Mapping[str, str] = MappingProxyType(
    {
        "overdue_since": "late",
        "next_due_on": "late",
        "paid_on": "paid_known",
        "paid_amount": "paid_known",
        "corrects_on": "corrects_known",
        "principal": "borrowed_known",
        "disbursed_on": "borrowed_known",
        "least_payment": "least_known",
        "debit_time": "debit_known",
        "outstanding_principal": "left_known",
    }
)
#: Variables that are worked out from the facts and the lender file together.
COMPUTED = frozenset({"least_payment"})
#: Variables that every conversation has a value for.
ALWAYS = frozenset(
    [
        *("name", "tail", "loans", "as_of", "days", "overdue_total", "overdue_principal"),
        *("overdue_interest", "overdue_fee", "late_charge", "next_due_amount"),
    ]
)
#: The facts that a plan knows of a conversation; all others come with a case or an event.
OF_A_PLAN = frozenset(
    [
        *("name", "loan_ids", "currency", "overdue_total", "overdue_principal"),
        *("overdue_interest", "overdue_fee", "late_charge", "days_past_due", "overdue_since"),
        *(
            "next_due_on",
            "next_due_amount",
            "debit_time",
            "accrues",
            "several_due",
            "report_on",
            "as_of",
            "as_of_time",
        ),
    ]
)
#: Where the fact behind a variable has another name.
FACT_OF: Mapping[str, str] = MappingProxyType(
    {"tail": "loan_ids", "loans": "loan_ids", "days": "days_past_due"}
)

VALUE_CHARACTERS_MAX = 35

_DENIED = re.compile(
    "[转轉付还還款钱錢账帳请請你您勿扣快]"
    r"|\b(?:pay|send|ignore|call|click|transfer|money|bank|now|wire|urgent)\b",
    re.IGNORECASE,
)
_PLACE = "[一-鿿]{1,8}(?:省|市|区|區|县|縣|旗|州|盟|兵团)"
_GRAMMARS: Mapping[str, re.Pattern[str]] = MappingProxyType(
    {
        "court": re.compile(
            rf"最高人民法院|(?:{_PLACE}){{1,3}}(?:第[一二三四五六])?(?:高级|中级|基层)?人民法院"
            r"|[一-鿿]{2,3}(?:互联网|金融|知识产权|海事|铁路运输)法院"
            r"|(?:臺灣|福建)[一-鿿]{2,3}(?:地方|高等)法院"
            r"|(?:[A-Z][a-z]{1,14} ){1,4}(?:Court|Tribunal)"
            r"(?: (?:of|at|in)(?: [A-Z][a-z]{1,14}){1,2})?"
        ),
        "case": re.compile(
            r"[（(](?:19|20)[0-9]{2}[)）][一-鿿]{1,2}[0-9]{0,5}[一-鿿]{1,4}[0-9]{1,8}号(?:之[一二三])?"
            r"|1[0-9]{2}年度[一-鿿]{1,4}字第[0-9]{1,6}[号號]"
            r"|[0-9]:[0-9]{2}-[a-z]{2}-[0-9]{3,6}"
            r"|(?=[0-9/ -]*[A-Z])[A-Z]{0,3}[0-9]{2,6}(?:[-/ ][A-Z]{0,3}[0-9]{1,6}){0,3}"
        ),
        "code": re.compile(r"[A-Z]{1,3}[0-9]{2,8}(?:-[0-9]{1,6}){0,2}"),
        "staff": re.compile(
            r"(?:[一-鿿]{2,4}|[A-Z][a-z]{1,14}(?: [A-Z][a-z]{1,14}){1,2}) [0-9]{3,8}"
        ),
        "channel": re.compile(r"sms|email|voice"),
    }
)


def is_typed(kind: str, value: object) -> bool:
    """Return whether a value is one of its kind, whole: no line, no link, no word beside it.

    >>> is_typed("code", "D2607-18"), is_typed("code", "D2607-18 see 1.cn")
    (True, False)
    """
    return (
        isinstance(value, str)
        and len(value) <= VALUE_CHARACTERS_MAX
        and _GRAMMARS[kind].fullmatch(value) is not None
        and _DENIED.search(value) is None
        and not (kind == "staff" and is_authority(value))
    )


#: The kinds that `is_typed` knows.
TYPED = frozenset(_GRAMMARS)
