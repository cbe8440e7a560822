"""Goal: a no about a person or the words is never taken for one about the moment or the route.

Method: the codes of the three wires as they stand in records, and gateways' own words.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.delivery import Answer
from duly.delivery.refusals import about_of


def about(outcome: str, code: str) -> str | None:
    return about_of(Answer(message_id="m", outcome=outcome, code=code))


@pytest.mark.parametrize(
    ("outcome", "code", "expected"),
    [
        ("throttled", "0x00000058 ESME_RTHROTTLED", "later"),
        ("throttled", "0x00000014 ESME_RMSGQFUL", "later"),
        ("throttled", "0x00000008 ESME_RSYSERR", "later"),
        ("not_sent", "DULY:not_written", "later"),
        ("refused", "0x0000000b ESME_RINVDSTADR", "number"),
        ("refused", "0x0000000a ESME_RINVSRCADR", "route"),
        ("refused", "0x00000062 ESME_RINVEXPIRY", "route"),
        ("refused", "0x00000001 ESME_RINVMSGLEN", "text"),
        ("refused", "0x00000045 ESME_RSUBMITFAIL", "unclear"),
        ("refused", "0x00000421", "unclear"),
        ("refused", "DULY:partial 0x00000058 ESME_RTHROTTLED", "partial"),
        ("refused", "DULY:address", "number"),
        ("refused", "DULY:no_template_code", "route"),
        ("refused", "DULY:text_empty", "text"),
        ("throttled", "HTTP 429", "later"),
        ("throttled", "HTTP 503 busy", "later"),
        ("throttled", "HTTP 200 isv.BUSINESS_LIMIT_CONTROL", "frequency"),
        ("throttled", "HTTP 429 FailedOperation.PhoneNumberInBlacklist", "number"),
        ("refused", "HTTP 200 MK:0001", "number"),
        ("refused", "HTTP 400 isv.SMS_CONTENT_ILLEGAL", "text"),
        ("refused", "HTTP 400", "unclear"),
        ("refused", "HTTP 401", "route"),
        ("refused", "HTTP 404 no such path", "route"),
        ("throttled", "450 4.2.1 mailbox busy", "later"),
        ("refused", "550 5.1.1 no such person", "number"),
        ("refused", "530 5.7.0 authenticate first", "route"),
        ("refused", "554 5.7.1 no", "text"),
        ("refused", "", "unclear"),
    ],
)
def test_each_code_is_about_what_it_is_about(outcome, code, expected):
    assert about(outcome, code) == expected


@given(st.sampled_from(("accepted", "unknown")), st.text(max_size=40))
def test_what_may_have_been_taken_is_no_refusal_whatever_it_says(outcome, code):
    assert about(outcome, code) is None


@given(st.sampled_from(("refused", "throttled", "not_sent")), st.text(max_size=40))
def test_any_words_at_all_are_about_something(outcome, code):
    assert about(outcome, code) is not None
    assert about(outcome, f"DULY:partial {code}") == "partial"
