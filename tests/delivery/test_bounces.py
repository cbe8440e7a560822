"""Goal: a bounce tells which mail came back and why; no other mail tells anything.

Method: notifications composed by hand in the shape of RFC 3464's own examples.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.delivery.smtp import read_bounce

FAILED = """\
From: mailer-daemon@mail.example
To: bounces@lender.example
Subject: Undelivered Mail Returned to Sender
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain

I am sorry.
--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mail.example
{envelope}Arrival-Date: Tue, 10 Mar 2026 10:00:00 +0800

Final-Recipient: rfc822; nobody@borrower.example
Action: {action}
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such
 person
Last-Attempt-Date: Tue, 10 Mar 2026 10:05:00 +0800
--b1
Content-Type: {returned}

From: service@lender.example
To: nobody@borrower.example
Message-ID: <m0001@lender.example>
Subject: x

--b1--
"""


def bounce(*, action="failed", envelope="", returned="text/rfc822-headers", end="\n") -> bytes:
    text = FAILED.format(action=action, envelope=envelope, returned=returned)
    return text.replace("\n", end).encode()


@pytest.mark.parametrize("returned", ["text/rfc822-headers", "message/rfc822"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_mail_that_came_back_is_undelivered(returned, end):
    (found,) = read_bounce(bounce(returned=returned, end=end))
    assert (found.provider_id, found.state) == ("m0001@lender.example", "undelivered")
    assert found.code == "5.1.1 smtp; 550 5.1.1 no such person"
    assert found.at == datetime(2026, 3, 10, 2, 5, tzinfo=UTC)
    assert "nobody@borrower.example" in found.raw


def test_the_envelope_is_believed_before_what_came_back():
    envelope = "Original-Envelope-Id: m0002@lender.example\n"
    (found,) = read_bounce(bounce(envelope=envelope))
    assert found.provider_id == "m0002@lender.example"


@pytest.mark.parametrize(
    ("action", "state"),
    [
        ("failed", "undelivered"), ("Failed", "undelivered"), ("delivered", "delivered"),
        ("delayed", "unknown"), ("relayed", "unknown"), ("expanded", "unknown"), ("", "unknown"),
    ],
)  # fmt: skip
def test_each_action_leads_to_its_state(action, state):
    (found,) = read_bounce(bounce(action=action))
    assert found.state == state


def test_a_date_without_a_zone_or_none_is_left_out():
    for date in (b"Tue, 10 Mar 2026 10:05:00 -0000", b"yesterday"):
        (found,) = read_bounce(bounce().replace(b"Tue, 10 Mar 2026 10:05:00 +0800", date))
        assert found.at is None


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"not a mail",
        b"Subject: Re: your letter\r\n\r\nplease stop",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\n\r\nno status\r\n--x--",
        bounce().replace(b"message/delivery-status", b"text/plain"),
        bounce()[:400],
    ],
)
def test_any_other_mail_tells_nothing(raw):
    assert read_bounce(raw) == ()


@given(st.binary(max_size=200), st.integers(0, 900), st.integers(0, 200))
def test_a_damaged_bounce_is_survived(junk, at, cut):
    whole = bounce()
    for found in read_bounce(whole[:at] + junk + whole[at + cut :]):
        assert found.state in ("delivered", "undelivered", "unknown")
        assert "\0" not in found.raw + found.code + found.provider_id
