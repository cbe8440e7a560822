"""What every payment provider keeps to, whatever its words: the suite that a new one must pass.

A provider's test module subclasses `Conformance` and gives it a rig: the provider, and its other
side, which signs posts as the real one would.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from duly.care.checkout import CallbackRefused, Intent, Outcome, Provider

AT = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
INTENT = Intent(
    reference="Rf3_q-8Zk2m4", amount=62_617, currency="CNY",
    return_to="https://my.example.com/pay/back?payment=Rf3_q-8Zk2m4",
)  # fmt: skip
OTHER_SECRET = b"a secret of somebody else"


@dataclass(frozen=True, kw_only=True)
class Rig:
    """A provider and its other side.

    `fields` makes the provider's body out of our own names; `post` signs a body with a secret:
    which of `secrets` is by its place, the first signs what goes out.
    """

    provider: Provider
    secrets: tuple[bytes, ...]
    post: Callable[[bytes, bytes, datetime], Mapping[str, str]]
    body: Callable[[Mapping[str, Any]], bytes]
    merchant: str
    written: str  #: the amount of INTENT as this provider writes it


TOLD: dict[str, Any] = {
    "reference": INTENT.reference, "status": "paid", "amount": INTENT.amount, "currency": "CNY",
    "payment_id": "P-778", "paid_at": "2026-03-10T09:59:30+08:00",
}  # fmt: skip


class Conformance:
    """The suite; `rig` is a fixture of the subclass."""

    def read(self, rig: Rig, told: Mapping[str, Any] = TOLD, *, secret: bytes | None = None,
             signed: datetime = AT, at: datetime = AT, **changed: str) -> Outcome:  # fmt: skip
        body = rig.body(told)
        headers = dict(rig.post(rig.secrets[0] if secret is None else secret, body, signed))
        return rig.provider.read_callback(headers | changed, body, at=at)

    def refused(self, rig: Rig, told: Mapping[str, Any] = TOLD, **given: Any) -> str:
        with pytest.raises(CallbackRefused) as found:
            self.read(rig, told, **given)
        return found.value.why

    def test_nothing_goes_out_but_what_a_payment_needs(self, rig):
        where = urlsplit(rig.provider.checkout(INTENT, at=AT))
        said = sorted(value for _, value in parse_qsl(where.query, strict_parsing=True))
        mark = max(said, key=len) if len(max(said, key=len)) == 64 else said[0]
        own = {INTENT.reference, rig.written, "CNY", INTENT.return_to, rig.merchant,
               str(int(AT.timestamp()))}  # fmt: skip
        assert set(said) - own == {mark}
        assert not where.fragment

    def test_the_same_intent_at_the_same_instant_is_the_same_address(self, rig):
        first = rig.provider.checkout(INTENT, at=AT)
        assert rig.provider.checkout(INTENT, at=AT) == first
        later = rig.provider.checkout(INTENT, at=AT + timedelta(seconds=1))
        assert later != first

    def test_what_was_paid_is_read(self, rig):
        found = self.read(rig)
        assert (found.reference, found.status, found.amount, found.currency, found.payment_id) == (
            INTENT.reference, "paid", 62_617, "CNY", "P-778",
        )  # fmt: skip
        assert found.paid_at == datetime(2026, 3, 10, 1, 59, 30, tzinfo=UTC)
        assert found.name

    @pytest.mark.parametrize("status", ["failed", "pending"])
    def test_what_was_not_paid_names_no_money(self, rig, status):
        told = TOLD | {"status": status, "payment_id": None, "paid_at": None}
        found = self.read(rig, told)
        assert (found.status, found.payment_id, found.paid_at) == (status, "", None)

    def test_the_same_post_has_the_same_name(self, rig):
        assert self.read(rig).name == self.read(rig).name

    def test_each_of_two_secrets_is_believed_and_no_third(self, rig):
        assert len(rig.secrets) == 2
        for secret in rig.secrets:
            assert self.read(rig, secret=secret).status == "paid"
        assert self.refused(rig, secret=OTHER_SECRET) == "signature"

    def test_a_changed_body_is_forged(self, rig):
        body = rig.body(TOLD)
        headers = rig.post(rig.secrets[0], body, AT)
        for changed in (rig.body(TOLD | {"amount": 1}), body + b" ", b"", body[:-1]):
            with pytest.raises(CallbackRefused) as found:
                rig.provider.read_callback(headers, changed, at=AT)
            assert found.value.why == "signature"

    def test_without_a_signature_nothing_is_read(self, rig):
        with pytest.raises(CallbackRefused) as found:
            rig.provider.read_callback({}, rig.body(TOLD), at=AT)
        assert found.value.why == "signature"

    def test_what_is_old_or_ahead_is_stale(self, rig):
        for seconds in (-299, 299):
            signed = AT + timedelta(seconds=seconds)
            assert self.read(rig, signed=signed).status == "paid"
        for seconds in (-3_600, -302, 302, 86_400):
            assert self.refused(rig, signed=AT + timedelta(seconds=seconds)) == "stale"

    @pytest.mark.parametrize(
        "changed",
        [
            {"reference": None}, {"reference": 7}, {"reference": "short"}, {"reference": "x" * 65},
            {"reference": "a b c d e f"}, {"amount": None}, {"amount": 0}, {"amount": -1},
            {"amount": 10**14}, {"amount": 626.17}, {"amount": True}, {"currency": None},
            {"currency": "XXA"}, {"currency": 156}, {"payment_id": None}, {"payment_id": ""},
            {"payment_id": "a\nb"}, {"payment_id": "x" * 121}, {"payment_id": 5},
            {"paid_at": "yesterday"}, {"paid_at": "2026-03-10T10:00:00"}, {"paid_at": 5},
            {"status": None},
        ],
        ids=str,
    )  # fmt: skip
    def test_what_makes_no_sense_is_refused(self, rig, changed):
        assert self.refused(rig, TOLD | changed) == "unreadable"

    def test_a_status_that_nobody_explained_is_no_payment(self, rig):
        assert self.refused(rig, TOLD | {"status": "PARTLY_PAID"}) == "unknown_status"

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 5_000, b'{"status": NaN}',
                 b'{"status": "paid", "status": "failed"}', b" " * 70_000],
        ids=lambda one: one[:12].decode("latin-1"),
    )  # fmt: skip
    def test_a_body_of_another_form_is_refused(self, rig, body):
        headers = rig.post(rig.secrets[0], body, AT)
        with pytest.raises(CallbackRefused) as found:
            rig.provider.read_callback(headers, body, at=AT)
        assert found.value.why == "unreadable"
