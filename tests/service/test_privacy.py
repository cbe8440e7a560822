"""Goal: what is about a person is read by his key alone, and is gone when law lets it go.

Method: a day of a real lender; the tables read as their owner could; each thing that forbids a
deletion; the log verified and exported afterwards.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import outsider
import psycopg
import pytest
from databases import database
from evidence_world import KEY, LENDER, a_day, payment, written
from hypothesis import given
from hypothesis import strategies as st
from outgoing import fill
from test_evidence import FINGERPRINT

import duly
from duly.core.check_key import CheckKey
from duly.core.errors import Refused
from duly.service import borrower_keys as keys
from duly.service import sealing, setting_up
from duly.service.operations.events import accept
from duly.service.operations.telling import raise_signal
from duly.service.outbox import auditing
from duly.service.outbox.auditing import audit
from duly.service.privacy import erasing, holding, retaining
from duly.service.privacy.deleting import delete, standing_against
from duly.service.privacy.forbidding import kept_until
from duly.service.store.event_models import Event, Word
from duly.service.store.models import (
    Attempt,
    Audit,
    BorrowerKey,
    Contact,
    Decision,
    Deletion,
    LegalHold,
    Message,
    Report,
    Signal,
)

LATER = datetime(2032, 3, 1, 2, 0, tzinfo=UTC)
K1, K2 = (CheckKey(key_id=name, secret=name.encode() * 16) for name in ("k1", "k2"))


@pytest.fixture
def masters():
    """Let the test say which master keys this machine has."""
    before = keys._masters
    yield keys.use
    keys._masters = before


def told(ours, borrower="b1", payload=None, subject="s1"):
    audit(ours, "signal.raised", [(subject, payload or {"kind": "hardship"})],
          about={subject: borrower})  # fmt: skip


class TestKeys:
    def test_what_is_about_a_person_is_not_in_the_table(self, ours, masters):
        masters(lambda: [K1])
        told(ours, payload={"kind": "hardship", "text": "失业了 jobless"})
        row = ours.execute("SELECT payload, salt, ciphertext FROM store_audit").fetchone()
        assert row[:2] == (None, None)
        assert b"jobless" not in bytes(row[2])
        assert "失业了".encode() not in bytes(row[2])
        assert json.loads(Audit.objects.get().payload)["text"] == "失业了 jobless"

    def test_one_key_a_person_made_once(self, ours, masters):
        masters(lambda: [K1])
        for borrower in ("b1", "b2", "b1"):
            told(ours, borrower)
        assert sorted(BorrowerKey.objects.values_list("borrower_id", flat=True)) == ["b1", "b2"]
        secrets = {one.secret for one in keys.keys_of(ours, ["b1", "b2"]).values()}
        assert {len(one) for one in secrets} == {32}
        assert len(secrets) == 2

    def test_a_row_about_nobody_stands_in_plain(self, ours, masters):
        masters(list)
        audit(ours, "stopped", [("all:", {"by": "Li"})])
        assert Audit.objects.get().plain == '{"by":"Li"}'

    def test_without_a_master_key_nothing_personal_is_written(self, ours, masters):
        masters(list)
        with pytest.raises(Refused) as refused:
            told(ours)
        assert refused.value.diagnostics[0].code == "no_master_key"
        assert Audit.objects.count() == BorrowerKey.objects.count() == 0

    def test_another_machines_master_opens_nothing(self, ours, masters):
        masters(lambda: [K1])
        told(ours)
        sealing.seal(ours, key=KEY)
        for other in ([K2], [CheckKey(key_id="k1", secret=b"another")]):
            masters(lambda other=other: other)
            with pytest.raises(keys.UnreadableKey):
                Audit.objects.get().payload  # noqa: B018 It is asked for.
            assert [(one.code, one.subject) for one in sealing.verify(ours).wrong] == [
                ("unopened", "k1")
            ]

    def test_a_row_moved_to_another_subject_or_person_does_not_open(self, ours, masters):
        masters(lambda: [K1])
        told(ours, "b1")
        told(ours, "b2", subject="s2")
        with ours.transaction():
            ours.execute("SET LOCAL session_replication_role = replica")
            ours.execute("UPDATE store_audit AS a SET ciphertext = o.ciphertext FROM store_audit AS"
                         " o WHERE a.subject = 's1' AND o.subject = 's2'")  # fmt: skip
        with pytest.raises(keys.UnreadableKey):
            Audit.objects.get(subject="s1").payload  # noqa: B018 It is asked for.

    def test_the_master_is_changed_and_the_old_one_forgotten(self, ours, masters, monkeypatch):
        monkeypatch.setattr(keys, "_ROWS_AT_ONCE", 3)
        masters(lambda: [K1])
        for number in range(8):
            told(ours, f"b{number}", subject=f"s{number}")
        masters(lambda: [K2, K1])
        told(ours, "b9", subject="s9")
        assert keys.rewrap(ours) == 8
        assert keys.rewrap(ours) == 0
        masters(lambda: [K2])
        assert {one.payload for one in Audit.objects.all()} == {'{"kind":"hardship"}'}

    def test_a_destroyed_key_stays_destroyed(self, ours, masters):
        masters(lambda: [K1])
        told(ours)
        ours.execute("UPDATE store_borrowerkey SET wrapped = NULL, destroyed_at = now()")
        for question in (
            "UPDATE store_borrowerkey SET wrapped = 'x', destroyed_at = NULL",
            "DELETE FROM store_borrowerkey",
        ):
            with pytest.raises(psycopg.errors.CheckViolation, match="never changed"):
                ours.execute(question)

    def test_a_key_destroyed_in_silence_is_found(self, ours, masters):
        masters(lambda: [K1])
        told(ours)
        sealing.seal(ours)
        ours.execute("UPDATE store_borrowerkey SET wrapped = NULL, destroyed_at = now()")
        number = BorrowerKey.objects.get().pk
        found = sealing.verify(ours)
        assert [(one.code, one.subject) for one in found.wrong] == [("key_gone", str(number))]
        assert found.forgotten == 1

    @given(text=st.text(), kind=st.text(max_size=20), subject=st.text(max_size=20))
    def test_what_is_sealed_opens_as_it_was(self, text, kind, subject):
        wrapped = keys.wrap(b"k" * 32, master=keys.masters()[0], borrower_id="b1")
        text = text.encode("utf-8", "ignore").decode()
        about = keys.about_of(kind, subject).decode("utf-8", "ignore").encode()
        hidden = keys.sealed(b"k" * 32, salt=b"s" * 16, text=text, about=about)
        given_ = {"wrapped": wrapped, "master": keys.masters()[0].key_id, "about": about}
        assert keys.opened(hidden, borrower_id="b1", **given_) == (b"s" * 16, text)
        with pytest.raises(keys.UnreadableKey):
            keys.opened(hidden, borrower_id="b2", **given_)
        with pytest.raises(keys.UnreadableKey):
            keys.opened(hidden[:-1] + bytes([hidden[-1] ^ 1]), borrower_id="b1", **given_)


class TestEveryRowSaysWhomItIsAbout:
    """A kind that nobody thought of would stand in plain: each in the source is in one list."""

    def test_each_kind_is_about_somebody_or_nobody(self):
        found = set()
        for path in (Path(duly.__file__).parent / "service").rglob("*.py"):
            text = path.read_text("utf-8")
            for kind in re.findall(r'(?:record|audit)\((?:\s*connection,)?\s*f?"([a-z_]+)', text):
                found.add(kind)
        assert {"message", "run", "event", "person", "evidence"} <= found
        assert found - auditing.PERSONAL - auditing.IMPERSONAL == set()
        assert set() == auditing.PERSONAL & auditing.IMPERSONAL

    def test_a_personal_kind_without_its_person_is_no_row(self, ours):
        with pytest.raises(AssertionError, match="says whom"):
            audit(ours, "event.accepted", [("e1", {})])
        assert Audit.objects.count() == 0


class TestEveryTableIsThoughtOf:
    def test_each_that_can_name_a_person_is_emptied_deleted_or_kept(self, ours):
        rows = ours.execute(
            "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
            " WHERE table_schema = 'public' GROUP BY 1"
        ).fetchall()
        personal = {"borrower_id", "related_borrower_id", "loan_id", "payment_id", "address", "raw",
                    "text", "signal_id"}  # fmt: skip
        found = {table for table, columns in rows if personal & set(columns)}
        known = {*erasing.EMPTIED, *erasing.DELETED, *erasing.KEPT}
        # Texts of rules and policies say nothing of anybody.
        assert found - known - {"store_source", "store_policyproposal"} == set()
        assert set(erasing.EMPTIED) & set(erasing.DELETED) == set()


@pytest.fixture(scope="module")
def world(server, tmp_path_factory):
    with database(server, "privacy") as url:
        a_day(url, tmp_path_factory.mktemp("day"))
        yield url


@pytest.fixture
def day(world, server):
    """Give a copy of the day that the test may change, and a connection to it."""
    setting_up.close()
    with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
        ours.execute('CREATE DATABASE "privacy_copy" TEMPLATE privacy')
    url = server.url("privacy_copy")
    with setting_up.using(url), psycopg.connect(url, autocommit=True) as connection:
        yield connection
    with psycopg.connect(server.url("postgres"), autocommit=True) as ours:
        ours.execute('DROP DATABASE "privacy_copy" WITH (FORCE)')


def settled(ours, *, nth=0):
    """Return a person with a delivered message whose loans are paid: loan, person, message.

    The sandbox says some things twice; how often it did before the day ended, its clock decides:
    the message is one that was claimed, submitted, answered and delivered once.
    """
    loan, borrower, message = ours.execute(
        "SELECT l.loan_id, m.borrower_id, m.message_id FROM store_message AS m"
        " JOIN store_messageloan AS l USING (message_id) WHERE m.state = 'delivered' AND NOT EXISTS"
        " (SELECT 1 FROM store_signal AS s WHERE s.borrower_id = m.borrower_id)"
        " AND (SELECT count(*) FROM store_audit AS a WHERE a.subject = m.message_id) = 4"
        " ORDER BY m.message_id LIMIT 1 OFFSET %s", (nth,)
    ).fetchone()  # fmt: skip
    ours.execute("UPDATE store_decision SET figures = figures || '{\"outstanding_total\": 0}'"
                 " WHERE borrower_id = %s", (borrower,))  # fmt: skip
    return loan, borrower, message


def gone(borrower, at=LATER):
    return delete(borrower, by="Li", because="request 17", lender=LENDER, at=at)


def codes(borrower, at=LATER):
    """Return why a deletion is refused, after seeing that nothing was done."""
    before = Deletion.objects.count(), BorrowerKey.objects.filter(wrapped=None).count()
    with pytest.raises(Refused) as refused:
        gone(borrower, at)
    assert (Deletion.objects.count(), BorrowerKey.objects.filter(wrapped=None).count()) == before
    assert Message.objects.filter(borrower_id=borrower, text="").count() == 0
    return [(one.code, dict(one.values)) for one in refused.value.diagnostics]


class TestForbidden:
    def test_a_rule_keeps_the_record_and_names_itself_and_its_day(self, day):
        _, borrower, _ = settled(day)
        ((code, values),) = codes(borrower, at=LATER - timedelta(days=365))
        made = Message.objects.filter(borrower_id=borrower).latest("state_at").state_at.date()
        assert (code, values["rule"]) == ("kept_by_rule", "CN-REC-1")
        assert values["until"] == values["made_on"].replace(year=values["made_on"].year + 5)
        assert values["made_on"] - made <= timedelta(days=1)
        assert "消费金融公司管理办法" in values["source"]

    def test_the_day_before_and_the_day(self, day):
        _, borrower, _ = settled(day)
        ((_, values),) = codes(borrower, at=LATER - timedelta(days=365))
        until = datetime.combine(values["until"], datetime.min.time(), UTC)
        assert [one[0] for one in codes(borrower, at=until - timedelta(hours=9))] == [
            "kept_by_rule"
        ]
        assert gone(borrower, at=until).under == "CN-PI-7"

    def test_a_loan_that_is_not_paid(self, day):
        loan, borrower, _ = settled(day)
        day.execute("UPDATE store_decision SET figures = figures || '{\"outstanding_total\": 1}'"
                    " WHERE loan_id = %s", (loan,))  # fmt: skip
        assert codes(borrower) == [("unpaid_loan", {"loan": loan})]

    @pytest.mark.parametrize("kind", ["dispute", "complaint", "hardship", "plan"])
    def test_an_open_case(self, day, kind):
        _, borrower, _ = settled(day)
        raise_signal(signal_id="s1", borrower_id=borrower, kind=kind,
                     starts_at=datetime(2026, 3, 9, tzinfo=UTC))  # fmt: skip
        assert codes(borrower) == [("open_case", {"kind": kind, "since": date(2026, 3, 9)})]
        Signal.objects.filter(pk="s1").update(ends_at=datetime(2026, 4, 9, tzinfo=UTC))
        assert standing_against(borrower, lender=LENDER, at=LATER) == ()

    def test_a_wish_for_peace_is_no_case(self, day):
        _, borrower, _ = settled(day)
        raise_signal(signal_id="s1", borrower_id=borrower, kind="opt_out",
                     starts_at=datetime(2026, 3, 9, tzinfo=UTC))  # fmt: skip
        assert standing_against(borrower, lender=LENDER, at=LATER) == ()

    def test_a_legal_hold_until_it_is_lifted(self, day):
        _, borrower, _ = settled(day)
        for _ in range(2):
            holding.hold(borrower, by="Wang", because="court file 12")
        assert LegalHold.objects.count() == 1
        ((code, values),) = codes(borrower)
        assert (code, values["by"], values["because"]) == ("legal_hold", "Wang", "court file 12")
        holding.release(borrower, by="Zhao")
        with pytest.raises(Refused, match="not_held"):
            holding.release(borrower, by="Zhao")
        assert gone(borrower).rows["store_borrowerkey"] == 1
        kinds = Audit.objects.filter(subject=borrower).values_list("kind", flat=True)
        assert list(kinds.order_by("id")) == ["person.held", "person.released", "person.deleted"]

    def test_a_message_on_its_way(self, day):
        _, borrower, message = settled(day)
        day.execute("ALTER TABLE store_message DISABLE TRIGGER USER")
        day.execute(
            "UPDATE store_message SET state = 'submitted' WHERE message_id = %s", (message,)
        )
        assert codes(borrower) == [("on_its_way", {"message": message})]

    def test_all_reasons_are_told(self, day):
        loan, borrower, _ = settled(day)
        holding.hold(borrower, by="Wang", because="court")
        day.execute("UPDATE store_decision SET figures = figures || '{\"outstanding_total\": 1}'"
                    " WHERE loan_id = %s", (loan,))  # fmt: skip
        found = codes(borrower, at=LATER - timedelta(days=600))
        assert [one[0] for one in found] == ["legal_hold", "unpaid_loan", "kept_by_rule"]

    @pytest.mark.parametrize(("borrower", "by", "because"), [
        ("nobody", "Li", "x"), (None, " ", "x"), (None, "Li", " "), (None, "Li", "x" * 501),
        (None, "Li", "a\x07b"),
    ])  # fmt: skip
    def test_nobody_no_name_no_reason(self, day, borrower, by, because):
        _, someone, _ = settled(day)
        with pytest.raises(Refused):
            delete(borrower or someone, by=by, because=because, lender=LENDER, at=LATER)
        assert Deletion.objects.count() == 0


class TestDeleted:
    def test_nothing_personal_is_left_and_the_facts_of_law_are(self, day):
        loan, borrower, message = settled(day)
        before = Message.objects.get(pk=message)
        gone(borrower)
        after = Message.objects.get(pk=message)
        assert (after.text, after.address, after.code, after.params, after.facts) == (
            "", "", "", {}, {},
        )  # fmt: skip
        assert (after.state, after.template, after.state_at, after.channel) == (
            before.state, before.template, before.state_at, before.channel,
        )  # fmt: skip
        assert not Contact.objects.filter(borrower_id=borrower, address__isnull=False).exists()
        sent = Contact.objects.get(pk=f"duly:{message}")
        assert (sent.direction, sent.outcome, sent.channel) == ("out", "sent", "sms")
        assert not Decision.objects.filter(borrower_id=borrower).exclude(
            facts=None, figures=None, by_channel=None).exists()  # fmt: skip
        assert Decision.objects.filter(loan_id=loan).exists()
        assert not Report.objects.filter(message_id=message).exclude(raw="").exists()
        assert [one.payload for one in Audit.objects.filter(subject=message)] == [None] * 4
        text = dump(day)
        for word in (before.text, before.address, before.code):
            assert word not in text

    def test_why_somebody_was_left_in_peace_is_forgotten_too(self, day):
        _, borrower, _ = settled(day)
        raise_signal(signal_id="s1", borrower_id=borrower, kind="hardship",
                     starts_at=datetime(2026, 3, 9, tzinfo=UTC))  # fmt: skip
        Signal.objects.filter(pk="s1").update(ends_at=datetime(2026, 4, 9, tzinfo=UTC))
        Message.objects.filter(borrower_id=borrower).update(reason="hardship")
        Decision.objects.filter(borrower_id=borrower).update(reason="hardship")
        gone(borrower)
        assert not Signal.objects.filter(borrower_id=borrower).exists()
        assert set(
            Message.objects.filter(borrower_id=borrower).values_list("reason", flat=True)
        ) == {None}
        reasons = Decision.objects.filter(borrower_id=borrower).values_list("reason", flat=True)
        assert set(reasons) == {"deleted"}

    def test_an_address_that_a_refusal_quotes_is_forgotten_too(self, day):
        _, borrower, message = settled(day)
        quoted = "550 5.1.1 <li.ming@example.com> no such user"
        Attempt.objects.filter(message_id=message).update(code=quoted)
        others = Attempt.objects.exclude(message_id=message)
        others.update(code="0x00000058 ESME_RTHROTTLED")
        gone(borrower)
        assert set(Attempt.objects.filter(message_id=message).values_list("code", flat=True)) == {
            ""
        }
        assert set(others.values_list("code", flat=True)) == {"0x00000058 ESME_RTHROTTLED"}

    def test_answers_from_the_persons_number_are_forgotten_too(self, day):
        _, borrower, message = settled(day)
        number = Message.objects.get(pk=message).address
        for digest, text in (("0", f"from {number}: 我失业了"), ("1", "from +8613111111111: 好")):
            Report.objects.create(route="box", kind="reply", raw=text, raw_sha256=digest * 64)
        gone(borrower)
        raws = Report.objects.filter(kind="reply").values_list("raw", flat=True)
        assert sorted(raws) == ["", "from +8613111111111: 好"]

    def test_nobody_else_is_touched(self, day):
        _, borrower, _ = settled(day)
        others = rows_but(day, borrower)
        gone(borrower)
        assert rows_but(day, borrower) == others

    def test_books_words_and_events_go_too(self, day):
        (event,) = Event.objects.all()
        borrower = Decision.objects.filter(loan_id=event.data["loan_id"])[0].borrower_id
        day.execute("UPDATE store_decision SET figures = figures || '{\"outstanding_total\": 0}'"
                    " WHERE borrower_id = %s", (borrower,))  # fmt: skip
        day.execute("DELETE FROM store_signal WHERE borrower_id = %s", (borrower,))
        assert Word.objects.count() == 1
        found = gone(borrower)
        assert (found.rows["store_event"], found.rows["store_word"]) == (1, 1)
        assert Event.objects.count() == Word.objects.count() == 0

    def test_the_log_is_whole_and_says_how_much_is_forgotten(self, day):
        _, borrower, _ = settled(day)
        gone(borrower)
        sealing.seal(day, key=KEY)
        found = sealing.verify(day, public=KEY.public)
        assert (found.wrong, found.forgotten) == ((), 5)
        told_ = json.loads(Audit.objects.get(kind="person.deleted").payload)
        assert (told_["by"], told_["because"], told_["under"]) == ("Li", "request 17", "CN-PI-7")
        assert told_["keys"] == [BorrowerKey.objects.get(borrower_id=borrower).pk]

    def test_an_export_of_it_says_so_and_is_whole(self, day, tmp_path):
        loan, borrower, message = settled(day)
        words = Message.objects.get(pk=message).text
        gone(borrower)
        done = written(loan, tmp_path / "x.zip")
        assert done.forgotten == 5
        files = outsider.files_of((tmp_path / "x.zip").read_bytes())
        rows = outsider.check(files, FINGERPRINT)
        assert [row["kind"] for row in rows if row["payload"] is None] == [
            "decision.made", "message.claimed", "message.submitted", "message.answered",
            "message.receipt",
        ]  # fmt: skip
        page = files["evidence.en.html"].decode()
        assert "were deleted on 20" in page
        assert "under CN-PI-7, by Li: request 17" in page
        assert words not in page + files["rows.jsonl"].decode()

    def test_the_hash_that_is_left_cannot_be_guessed_from(self, day):
        """Who knows every word of the payload, and all that the tables still hold, has no salt."""
        import hashlib

        _, borrower, message = settled(day)
        row = Audit.objects.get(subject=message, kind="message.receipt")
        words = row.payload
        gone(borrower)
        left = day.execute("SELECT to_jsonb(a) || to_jsonb(k) FROM store_audit AS a JOIN"
                           " store_borrowerkey AS k ON k.id = a.key_id WHERE a.id = %s",
                           (row.pk,)).fetchone()[0]  # fmt: skip
        assert (left["payload"], left["salt"], left["wrapped"]) == (None, None, None)
        cipher = bytes.fromhex(left["ciphertext"].removeprefix("\\x"))
        for salt in (b"", cipher[:16], cipher[-16:], cipher[12:28]):
            assert hashlib.sha256(salt + words.encode()).hexdigest() != left["payload_sha256"]

    def test_who_comes_back_has_another_key(self, day):
        _, borrower, _ = settled(day)
        gone(borrower)
        told(day, borrower)
        first, second = BorrowerKey.objects.filter(borrower_id=borrower).order_by("id")
        assert (first.wrapped, second.destroyed_at) == (None, None)
        assert Audit.objects.get(subject="s1").payload == '{"kind":"hardship"}'

    def test_what_breaks_on_the_way_is_not_done(self, day, monkeypatch):
        _, borrower, message = settled(day)
        monkeypatch.setitem(erasing.__dict__, "DELETED", {"store_nothing": "true"})
        with pytest.raises(Exception, match="store_nothing"):
            gone(borrower)
        assert Message.objects.get(pk=message).text != ""
        assert BorrowerKey.objects.get(borrower_id=borrower).wrapped is not None
        assert Deletion.objects.count() == 0

    @pytest.mark.parametrize("question", [
        "UPDATE store_contact SET address = NULL", "DELETE FROM store_event",
        "UPDATE store_contact SET channel = 'x'", "DELETE FROM store_contact",
        "UPDATE store_deletion SET because = 'x'", "DELETE FROM store_deletion",
    ])  # fmt: skip
    def test_without_a_deletion_of_its_own_no_row_is_emptied(self, day, question):
        _, borrower, _ = settled(day)
        gone(borrower)
        accept([payment("L1") | {"id": "pay-9"}], at=LATER)
        with pytest.raises(psycopg.errors.CheckViolation, match="only added"):
            day.execute(question)


def rows_but(ours, borrower):
    """Return every table's rows that do not name a person, as a digest."""
    tables = [row[0] for row in ours.execute(
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public'"
        " AND column_name = 'borrower_id' ORDER BY 1")]  # fmt: skip
    return {
        table: ours.execute(
            f"SELECT count(*), md5(string_agg(to_jsonb(t)::text, '' ORDER BY to_jsonb(t)::text))"
            f" FROM {table} AS t WHERE borrower_id <> %s", (borrower,)
        ).fetchone()
        for table in tables
    }  # fmt: skip


def dump(ours):
    """Return all that the tables hold, as text."""
    tables = ours.execute("SELECT table_name FROM information_schema.tables"
                          " WHERE table_schema = 'public'").fetchall()  # fmt: skip
    return "\n".join(
        str(ours.execute(f"SELECT string_agg(to_jsonb(t)::text, ' ') FROM {name} AS t").fetchone())
        for (name,) in tables
    )


class TestRetention:
    def test_the_longest_rule_of_the_packs_counts(self):
        found = {rule.id: day for rule, day in kept_until(date(2026, 3, 10), lender=LENDER)}
        assert found == {"CN-REC-1": date(2031, 3, 10)}

    def test_packs_that_say_nothing_destroy_nothing(self, day):
        from dataclasses import replace

        with pytest.raises(Refused) as refused:
            retaining.retain(lender=replace(LENDER, packs=("decency",)), at=LATER)
        assert refused.value.diagnostics[0].code == "no_record_rule"
        assert Deletion.objects.count() == 0

    def test_who_is_past_his_term_is_forgotten_and_nobody_else(self, day):
        _, borrower, _ = settled(day)
        _, held, _ = settled(day, nth=1)
        holding.hold(held, by="Wang", because="court")
        dry = retaining.retain(lender=LENDER, at=LATER, dry=True)
        assert (dry.people, dry.held["legal_hold"]) == (1, 1)
        assert Deletion.objects.count() == 0
        found = retaining.retain(lender=LENDER, at=LATER)
        assert (found.people, found.before, found.rules) == (1, date(2027, 3, 2), ("CN-REC-1",))
        (one,) = Deletion.objects.all()
        assert (one.borrower_id, one.under, one.by) == (borrower, "CN-REC-1", retaining.BY)
        kept = json.loads(Audit.objects.get(kind="retention.applied").payload)
        assert (kept["people"], kept["before"], kept["held"]["legal_hold"]) == (1, "2027-03-02", 1)
        assert kept["held"]["unpaid_loan"] > 10
        again = retaining.retain(lender=LENDER, at=LATER)
        assert (again.people, again.reports) == (0, 0)
        sealing.seal(day, key=KEY)
        assert sealing.verify(day, public=KEY.public).wrong == ()

    def test_within_the_term_nothing_goes(self, day):
        settled(day)
        found = retaining.retain(lender=LENDER, at=LATER - timedelta(days=600))
        assert (found.people, Deletion.objects.count()) == (0, 0)

    def test_reports_that_found_nobody_go_with_their_time(self, day):
        Report.objects.create(
            route="box", kind="reply", raw="13800000001 别再发了", raw_sha256="0" * 64
        )
        Report.objects.create(route="box", kind="reply", raw="13800000002 好", raw_sha256="1" * 64)
        Report.objects.filter(raw_sha256="0" * 64).update(
            received_at=datetime(2026, 1, 1, tzinfo=UTC)
        )
        found = retaining.retain(lender=LENDER, at=datetime(2031, 6, 1, tzinfo=UTC))
        assert found.reports == 1
        raws = Report.objects.filter(message=None).values_list("raw", flat=True)
        assert sorted(raws) == ["", "13800000002 好"]
        assert not Report.objects.filter(raw_sha256="0" * 64).exists()

    def test_many_people_go_in_parts(self, store, monkeypatch):
        monkeypatch.setattr(retaining, "_AT_ONCE", 3)
        fill(8, state="delivered")
        found = retaining.retain(lender=LENDER, at=LATER)
        assert found.people == Deletion.objects.count() == 8
        assert Message.objects.exclude(address="").count() == 0
