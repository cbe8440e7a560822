"""Goal: a code says what was issued, no other says the same, and nobody else can make one.

Method: properties over what a receipt can say; every letter of a code changed.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from duly.core.money import CURRENCIES
from duly.messages.code import ALPHABET, plain
from duly.service.api.signing import Signer
from duly.service.portal.receipt_codes import LENGTH, Issued, code_of, is_formed, read

OURS = Signer([b"Z" * 32])
ONE = Issued(issued_on=date(2026, 3, 10), received_on=date(2026, 1, 20), amount=50_000,
             currency="CNY")  # fmt: skip
days = st.dates(date(2000, 1, 1), date(2089, 1, 1))
issued = st.builds(
    Issued, issued_on=days, received_on=days, amount=st.integers(1, 10**12 - 1),
    currency=st.sampled_from(sorted(CURRENCIES)),
)  # fmt: skip


@given(one=issued)
def test_what_was_issued_is_read(one):
    code = code_of(one, OURS)
    assert [len(group) for group in code.split("-")] == [4] * 7
    assert is_formed(plain(code))
    assert read(plain(code.lower().replace("-", " ")), OURS) == one


@given(one=issued, other=issued)
def test_two_receipts_have_two_codes(one, other):
    assert (code_of(one, OURS) == code_of(other, OURS)) == (one == other)


def test_one_letter_changed_is_none_of_ours():
    code = plain(code_of(ONE, OURS))
    for place in range(LENGTH):
        for letter in ALPHABET.replace(code[place], ""):
            assert read(code[:place] + letter + code[place + 1 :], OURS) is None


@given(code=st.text(ALPHABET, min_size=LENGTH, max_size=LENGTH))
def test_nobody_guesses_one(code):
    assert read(code, OURS) is None


def test_a_key_of_before_is_believed_and_no_other():
    code = plain(code_of(ONE, OURS))
    assert read(code, Signer([b"Y" * 32, b"Z" * 32])) == ONE
    assert read(code, Signer([b"Y" * 32])) is None


@pytest.mark.parametrize(
    "changed",
    [{"received_on": date(1999, 12, 31)}, {"issued_on": date(2099, 1, 1)}, {"amount": 2**40},
     {"amount": -1}],
    ids=str,
)  # fmt: skip
def test_what_has_no_room_has_no_code(changed):
    assert code_of(replace(ONE, **changed), OURS) is None


@pytest.mark.parametrize("typed", ["", "BCDF", "A" * LENGTH, "0" * LENGTH, "B" * 29, "逾" * LENGTH])
def test_what_is_no_code_is_seen_at_once(typed):
    assert not is_formed(plain(typed))
