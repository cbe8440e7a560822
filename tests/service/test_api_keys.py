"""Goal: who has no valid key for it gets nothing done. Method: a running server, every bad key."""

from __future__ import annotations

import hashlib

import pytest
from django.db import connection

from duly.core.errors import Refused
from duly.service.operations import keys
from duly.service.store.models import ApiKey, Audit, IdempotentAnswer

WRITES = ("/api/v1/events", "/api/v1/runs", "/api/v1/messages/m1/cancel",
          "/api/v1/contacts/reserve")  # fmt: skip
READS = ("/api/v1/runs", "/api/v1/runs/x", "/api/v1/loans/l1", "/api/v1/loans/l1/decisions",
         "/api/v1/messages/m1", "/api/v1/messages/m1/evidence")  # fmt: skip


def later(name, **times):
    """Move a key's instants, as if time had passed."""
    ApiKey.objects.filter(name=name).update(**times)


def age(name, sql):
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE store_apikey SET expires_at = {sql} WHERE name = %s", [name])


class TestKept:
    def test_only_prefix_and_hash_are_kept(self, store):
        made = keys.create("core", scopes=["runs:read"], days=30)
        row = ApiKey.objects.get()
        secret = made.text.rpartition("_")[2]
        assert row.secret_sha256 == hashlib.sha256(made.text.encode()).hexdigest()
        with connection.cursor() as cursor:
            cursor.execute("SELECT k::text FROM store_apikey AS k")
            assert secret not in cursor.fetchone()[0]
        assert secret not in Audit.objects.get(kind="key.created").payload

    def test_two_of_a_name_are_valid_while_it_rotates(self, store):
        first = keys.create("core", scopes=["runs:read"], days=30)
        second = keys.rotate("core", days=30, overlap_days=7)
        assert keys.open_with(first.text) and keys.open_with(second.text)
        assert second.scopes == first.scopes
        with pytest.raises(Refused, match="two valid keys"):
            keys.rotate("core", days=30, overlap_days=7)
        assert ApiKey.objects.count() == 2

    def test_without_overlap_the_former_ends_at_once(self, store):
        first = keys.create("core", scopes=["runs:read"], days=30)
        second = keys.rotate("core", days=30, overlap_days=0)
        assert keys.open_with(first.text) is None
        assert keys.open_with(second.text).name == "core"

    @pytest.mark.parametrize(
        ("name", "scopes", "code"),
        [("a b", ["runs:read"], "no name"), ("core", ["runs:eat"], "No such scope"),
         ("core", [], "No such scope"), ("", ["runs:read"], "no name")],
    )  # fmt: skip
    def test_what_is_no_key_is_not_made(self, store, name, scopes, code):
        with pytest.raises(Refused, match=code):
            keys.create(name, scopes=scopes, days=1)
        assert ApiKey.objects.count() == Audit.objects.count() == 0

    def test_a_name_has_one_key_until_it_rotates(self, store):
        keys.create("core", scopes=["runs:read"], days=30)
        with pytest.raises(Refused, match="has a valid key"):
            keys.create("core", scopes=["runs:write"], days=30)
        assert keys.revoke("core") == 1
        with pytest.raises(Refused):
            keys.revoke("core")
        with pytest.raises(Refused):
            keys.rotate("core", days=1, overlap_days=0)

    def test_lists_what_it_knows_and_no_secret(self, store):
        made = keys.create("core", scopes=["runs:read"], days=30)
        keys.open_with(made.text)
        one = keys.listed()[0]
        assert (one.name, one.prefix, one.live) == ("core", made.prefix, True)
        assert one.used_at is not None


class TestAsked:
    @pytest.mark.parametrize("path", READS)
    def test_nobody_reads_without_a_key(self, served, path):
        assert served.get(path, key=None).code == "no_key"
        assert served.get(path, key=None).headers["www-authenticate"] == "Bearer"

    @pytest.mark.parametrize("path", WRITES)
    def test_nobody_writes_without_a_key(self, facts, path):
        before = IdempotentAnswer.objects.count(), Audit.objects.count()
        for key in (None, "nonsense", "duly_0123456789_" + "A" * 43, facts.key[:-1] + "!"):
            found = facts.post(path, {}, key=key, Idempotency_Key="stolen")
            assert (found.status, found.code) == (401, "no_key" if key is None else "bad_key")
        assert (IdempotentAnswer.objects.count(), Audit.objects.count()) == before

    def test_another_scheme_is_no_key(self, served):
        found = served.get("/api/v1/runs", key=None, Authorization=f"Basic {served.key}")
        assert found.code == "bad_key"

    @pytest.mark.parametrize("end", ["expired", "revoked", "rotated"])
    def test_a_key_that_ended_opens_nothing(self, facts, end):
        made = keys.create(f"ends-{end}", scopes=["runs:read"], days=1)
        assert facts.get("/api/v1/runs", key=made.text).status == 200
        if end == "expired":
            age(made.name, "now()")
        elif end == "revoked":
            keys.revoke(made.name)
        else:
            keys.rotate(made.name, days=1, overlap_days=0)
        found = facts.get("/api/v1/runs", key=made.text)
        assert (found.status, found.code) == (401, "bad_key")

    @pytest.mark.parametrize("path", WRITES)
    def test_a_key_of_another_scope_does_nothing(self, facts, path):
        name = "narrow" + path.replace("/", "-")
        made = keys.create(name, scopes=["runs:read"], days=1)
        before = Audit.objects.count()
        found = facts.post(path, {}, key=made.text)
        assert (found.status, found.code) == (403, "unscoped")
        assert Audit.objects.count() == before

    def test_says_it_in_chinese_to_who_asks_so(self, served):
        found = served.get("/api/v1/runs", key=None, Accept_Language="zh-CN,zh;q=0.9")
        assert found.json["title"] == "需要密钥"
        assert found.headers["content-language"] == "zh-CN"
