"""Goal: what happened cannot be unsaid unnoticed. Method: seal, tamper as the owner could."""

from __future__ import annotations

import psycopg
import pytest

from duly.audit import (
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    verify_consistency,
    verify_inclusion,
)
from duly.audit.signing import SigningKey, verify_root
from duly.service.outbox.auditing import audit
from duly.service.sealing import Wrong, leaf_of, node_of, seal, verify

KEY = SigningKey(seed=b"s" * 32)


@pytest.fixture
def log(ours):
    """Give a log of eleven rows, sealed in three batches."""
    for batch in (range(5), range(5, 6), range(6, 11)):
        audit(ours, "message.claimed", [(f"m{n}", {"n": n, "名": "值"}) for n in batch])
        seal(ours, key=KEY)
    return ours


def force(ours, statement):
    """Do what the tables forbid, as their owner could."""
    with ours.transaction():
        ours.execute("SET LOCAL session_replication_role = replica")
        ours.execute(statement)


def codes(ours):
    return [(one.code, one.subject) for one in verify(ours, public=KEY.public).wrong]


class TestSeal:
    def test_each_row_has_one_place_in_the_order_it_was_found(self, log):
        rows = log.execute("SELECT index, audit_id FROM store_sealed ORDER BY index").fetchall()
        assert [index for index, _ in rows] == list(range(11))
        assert [audit_id for _, audit_id in rows] == sorted(audit_id for _, audit_id in rows)
        assert seal(log, key=KEY) == 0

    def test_a_row_that_commits_late_is_sealed_late(self, store, ours):
        with psycopg.connect(store) as slow:
            audit(slow, "slow", [("m0", {})])
            audit(ours, "fast", [("m1", {})])
            assert seal(ours) == 1
            slow.commit()
        assert seal(ours) == 1
        assert verify(ours).wrong == ()

    def test_what_waits_is_what_is_committed_and_not_sealed(self, store, ours):
        def waiting() -> int:
            return ours.execute("SELECT count(*) FROM store_unsealed").fetchone()[0]

        with psycopg.connect(store) as undone:
            audit(undone, "undone", [("m0", {}), ("m1", {})])
            undone.rollback()
        audit(ours, "done", [(f"m{n}", {}) for n in range(60)])  # So many are copied in.
        assert waiting() == 60
        assert (seal(ours), waiting()) == (60, 0)

    def test_two_sealers_never_seal_at_once(self, store, ours):
        audit(ours, "one", [("m0", {})])
        with psycopg.connect(store) as other:
            assert seal(other) == 1
            assert seal(ours) == 0
            other.commit()
        assert verify(ours).size == 1

    def test_the_whole_log_is_right(self, log):
        found = verify(log, public=KEY.public)
        assert (found.size, found.wrong) == (11, ())


class TestProofs:
    def test_a_row_is_proven_to_somebody_who_has_the_root_alone(self, log):
        size, root, signature = log.execute(
            "SELECT size, root, signature FROM store_root ORDER BY size DESC LIMIT 1"
        ).fetchone()
        assert verify_root(KEY.public, size, bytes(root), bytes(signature))
        row = log.execute(
            "SELECT s.index, a.id, a.at AT TIME ZONE 'UTC', a.kind, a.subject, a.payload_sha256"
            " FROM store_sealed AS s JOIN store_audit AS a ON a.id = s.audit_id"
            " WHERE a.subject = 'm7'"
        ).fetchone()
        proof = inclusion_proof(row[0], size, lambda level, number: node_of(log, level, number))
        assert verify_inclusion(leaf_hash(leaf_of(*row[1:])), row[0], size, proof, bytes(root))

    def test_yesterdays_root_begins_todays_log(self, log):
        rows = log.execute("SELECT size, root FROM store_root ORDER BY size").fetchall()
        (old, old_root), (new, new_root) = rows[0], rows[-1]
        proof = consistency_proof(old, new, lambda level, number: node_of(log, level, number))
        assert verify_consistency(old, new, proof, bytes(old_root), bytes(new_root))


class TestTampering:
    def test_a_changed_payload_is_found(self, log):
        force(log, "UPDATE store_audit SET payload = '{}' WHERE subject = 'm3'")
        (number,) = log.execute("SELECT id FROM store_audit WHERE subject = 'm3'").fetchone()
        assert codes(log) == [("payload", str(number))]

    def test_a_payload_changed_with_its_hash_is_found(self, log):
        force(log, "UPDATE store_audit SET kind = 'message.blocked' WHERE subject = 'm3'")
        assert codes(log) == [("root", "5"), ("root", "6"), ("root", "11")]

    def test_a_row_taken_out_is_found(self, log):
        force(log, "DELETE FROM store_audit WHERE subject = 'm8'")
        assert ("gap", "8") in codes(log)

    def test_the_last_rows_taken_out_are_found(self, log):
        force(log, "DELETE FROM store_sealed WHERE index > 8")
        assert ("root_beyond", "11") in codes(log)

    def test_a_root_made_anew_is_not_signed_by_us(self, log):
        force(log, "UPDATE store_audit SET kind = 'x' WHERE subject = 'm10'")
        found = verify(log)
        log.execute("UPDATE store_root SET root = %s WHERE size = 11", (found.root,))
        assert codes(log) == [("signature", "11")]

    def test_a_row_left_out_is_found_after_a_minute(self, log):
        audit(log, "late", [("m99", {})])
        assert codes(log) == []
        force(log, "UPDATE store_audit SET at = at - interval '61 seconds' WHERE subject = 'm99'")
        (number,) = log.execute("SELECT id FROM store_audit WHERE subject = 'm99'").fetchone()
        assert verify(log).wrong == (Wrong(code="unsealed", subject=str(number)),)

    def test_another_key_signs_nothing(self, log):
        other = SigningKey(seed=b"o" * 32)
        assert {one.code for one in verify(log, public=other.public).wrong} == {"signature"}
        assert other.key_id != KEY.key_id
