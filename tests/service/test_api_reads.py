"""Goal: what is read is what was decided and done. Method: a real plan loaded over the API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from plans import KEY, proven, sample_plan
from telling_events import signalled

from duly.audit import leaf_hash, verify_inclusion
from duly.audit.signing import SigningKey, verify_root
from duly.service.operations import loading, looking, proving
from duly.service.sealing import seal
from duly.service.store.event_models import Word
from duly.service.store.models import Contact, Decision, Message, Run, Signal

AT_DAY = "2026-03-10"
#: Numbers that no other test of this server writes to: one of them is stopped.
CALLED, NUMBER = "+8613900000001", "+8613900000002"


@pytest.fixture(scope="module")
def loaded(served, tmp_path_factory):
    """Give the server with one plan loaded by `POST /runs`, and the run's answer."""
    with psycopg.connect(served.url, autocommit=True) as ours:
        ours.execute("TRUNCATE store_message, store_run, store_borrower, store_idempotentanswer"
                     " CASCADE")  # fmt: skip
    plan = sample_plan(tmp_path_factory.mktemp("read"), loans=300)
    (served.folder / "plans" / "today").symlink_to(plan)
    outside = served.post("/api/v1/runs", {"plan": "today"})
    assert outside.code == "not_found", "a link that leads elsewhere is no plan"
    (served.folder / "plans" / "today").unlink()
    plan.rename(served.folder / "plans" / "today")
    return served, served.post("/api/v1/runs", {"plan": "today"})


@pytest.fixture
def read(loaded, facts):
    return facts


@contextmanager
def questions(at_most: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as found:
        yield
    assert len(found) <= at_most, [one["sql"] for one in found]


def older(count: int) -> None:
    """Write so many runs of earlier days, where they are not there yet."""
    for n in range(count):
        given = {"business_date": f"2026-02-{n + 1:02}", "messages_count": 0, "summary": {}}
        Run.objects.get_or_create(plan_sha256=f"{n:064}", defaults=given)


class TestRuns:
    def test_a_plan_is_loaded_once(self, loaded):
        served, first = loaded
        assert (first.status, first.json["state"], first.json["again"]) == (201, "released", False)
        assert first.json["messages"] > 0
        again = served.post("/api/v1/runs", {"plan": "today"})
        assert (again.status, again.json["again"], again.json["id"]) == (
            200, True, first.json["id"],
        )  # fmt: skip

    def test_a_run_tells_its_messages_and_decisions(self, read, loaded):
        found = read.get(f"/api/v1/runs/{loaded[1].json['id']}").json
        assert sum(found["states"].values()) == found["messages"] == Message.objects.count()
        assert (
            sum(found["decisions"].values()) == Decision.objects.filter(run_id=found["id"]).count()
        )

    @pytest.mark.parametrize("name", ["nope", "..", ".", "a/b", "../home", "", "a\\b", "%2e%2e"])
    def test_a_name_that_leads_elsewhere_is_no_plan(self, read, loaded, name):
        before = Run.objects.count()
        assert read.post("/api/v1/runs", {"plan": name}).code in ("not_found", "invalid")
        assert Run.objects.count() == before

    def test_a_directory_that_is_no_plan_is_refused_without_its_path(self, read, loaded):
        (read.folder / "plans" / "empty").mkdir(exist_ok=True)
        found = read.post("/api/v1/runs", {"plan": "empty"})
        assert (found.status, found.code) == (422, "refused")
        assert str(read.folder).encode() not in found.body

    def test_pages_follow_each_other_and_hold_each_run_once(self, read, loaded):
        older(5)
        seen, cursor = [], ""
        for _ in range(10):
            page = read.get(f"/api/v1/runs?limit=2{cursor}").json
            seen += [one["id"] for one in page["items"]]
            if page["next_cursor"] is None:
                break
            cursor = f"&cursor={page['next_cursor']}"
        days = list(Run.objects.order_by("-business_date").values_list("plan_sha256", flat=True))
        assert seen == days

    def test_a_cursor_of_one_list_is_none_of_another(self, read, loaded):
        older(5)
        cursor = read.get("/api/v1/runs?limit=1").json["next_cursor"]
        loan = Decision.objects.values_list("loan_id", flat=True)[0]
        assert cursor is not None
        assert read.get(f"/api/v1/loans/{loan}/decisions?cursor={cursor}").code == "bad_cursor"
        changed = ("A" if cursor[0] != "A" else "B") + cursor[1:]
        assert read.get(f"/api/v1/runs?cursor={changed}").code == "bad_cursor"

    def test_a_list_is_one_question_however_long(self, read, loaded):
        with questions(1):
            looking.runs(after=(), limit=200)


class TestLoans:
    def test_tells_what_was_decided(self, read, loaded):
        one = Decision.objects.filter(decision="contact", message_id__isnull=False).first()
        found = read.get(f"/api/v1/loans/{one.loan_id}").json
        assert found["latest"]["decision"] == "contact"
        assert found["latest"]["reason"] == one.reason
        assert found["figures"]["days_past_due"] > 0
        assert found["figures"]["overdue_total"] > 0
        assert one.message_id in [message["id"] for message in found["messages"]]
        text = json.dumps(found)
        address = Message.objects.get(message_id=one.message_id).address
        assert address not in text and address[-4:] in text

    def test_a_quarantined_loan_has_no_figures(self, read, loaded):
        one = Decision.objects.filter(decision="quarantined").first()
        found = read.get(f"/api/v1/loans/{one.loan_id}").json
        assert (found["figures"], found["messages"]) == (None, [])

    def test_decisions_come_by_pages(self, read, loaded):
        one = Decision.objects.filter(decision="contact").first()
        for n in range(3):
            run, _ = Run.objects.get_or_create(
                plan_sha256=f"{n + 50:064}",
                defaults={
                    "business_date": f"2026-01-{n + 1:02}",
                    "messages_count": 0,
                    "summary": {},
                },
            )
            Decision.objects.get_or_create(
                loan_id=one.loan_id, run_id=run.plan_sha256, defaults={
                    "borrower_id": one.borrower_id, "business_date": run.business_date,
                    "decision": "wait", "reason": "cooldown"},
            )  # fmt: skip
        days, cursor = [], ""
        for _ in range(4):
            page = read.get(f"/api/v1/loans/{one.loan_id}/decisions?limit=1{cursor}").json
            days += [item["business_date"] for item in page["items"]]
            cursor = f"&cursor={page['next_cursor']}"
        assert days == [AT_DAY, "2026-01-03", "2026-01-02", "2026-01-01"]
        assert page["next_cursor"] is None

    def test_an_unknown_loan_is_not_found(self, read, loaded):
        assert read.get("/api/v1/loans/nobody").code == "not_found"
        assert read.get("/api/v1/loans/nobody/decisions").code == "not_found"

    def test_few_questions_whatever_there_is(self, read, loaded):
        one = Decision.objects.filter(decision="contact").first()
        with questions(3):
            looking.decisions(one.loan_id, after=(), limit=200)
            looking.signals_of(one.loan_id, one.borrower_id, limit=50)
            looking.messages_of(one.loan_id, one.borrower_id, limit=50)


class TestMessages:
    def test_tells_words_and_state(self, read, loaded):
        one = Message.objects.filter(state="released").first()
        found = read.get(f"/api/v1/messages/{one.message_id}").json
        assert (found["text"], found["state"], found["class"]) == (one.text, "released", "dunning")
        assert (found["attempts"], found["receipts"]) == ([], [])
        assert one.address not in json.dumps(found)

    def test_is_cancelled_once_and_stays_so(self, read, loaded):
        one = Message.objects.filter(state="released").last()
        for _ in range(2):
            found = read.post(f"/api/v1/messages/{one.message_id}/cancel")
            assert (found.status, found.json["state"]) == (200, "cancelled")
        one.refresh_from_db()
        assert (one.state, one.reason) == ("cancelled", "by_request")

    @pytest.mark.parametrize("state", ["submitted", "accepted", "delivered", "unknown"])
    def test_what_left_cannot_be_taken_back(self, read, loaded, state):
        one = Message.objects.exclude(state="cancelled").last()
        with psycopg.connect(read.url, autocommit=True) as ours:
            ours.execute("ALTER TABLE store_message DISABLE TRIGGER USER")
            ours.execute("UPDATE store_message SET state = %s WHERE message_id = %s",
                         (state, one.message_id))  # fmt: skip
            ours.execute("ALTER TABLE store_message ENABLE TRIGGER USER")
        found = read.post(f"/api/v1/messages/{one.message_id}/cancel")
        assert (found.status, found.code) == (409, "not_cancellable")
        one.refresh_from_db()
        assert one.state == state

    def test_its_record_leads_to_a_signed_root(self, read, loaded):
        key = SigningKey(seed=b"7" * 32)
        one = Message.objects.filter(state__in=("released", "cancelled")).first()
        read.post(f"/api/v1/messages/{one.message_id}/cancel")
        with psycopg.connect(read.url, autocommit=True) as ours:
            seal(ours, key=key)
            # A log that grew since: the proof leads to the newest root all the same.
            ours.execute(
                "INSERT INTO store_audit (kind, subject, payload, salt, payload_sha256)"
                " SELECT 'x', 'y', '{}', 'z', repeat('0', 64) FROM generate_series(1, 20)"
            )
            seal(ours, key=key)
        found = read.get(f"/api/v1/messages/{one.message_id}/evidence").json
        root = found["root"]
        assert found["rows"]
        assert verify_root(key.public, root["size"], bytes.fromhex(root["root"]),
                           bytes.fromhex(root["signature"]))  # fmt: skip
        for row in found["rows"]:
            leaf = "\n".join((str(row["number"]), row["at"], row["kind"], one.message_id,
                              row["payload_sha256"])).encode()  # fmt: skip
            assert verify_inclusion(
                leaf_hash(leaf), row["leaf_index"], root["size"],
                [bytes.fromhex(part) for part in row["proof"]], bytes.fromhex(root["root"]),
            )  # fmt: skip

    def test_evidence_is_three_questions_however_many_rows(self, read, loaded):
        one = Message.objects.filter(state="cancelled").first() or Message.objects.first()
        with questions(3):
            proving.evidence(one.message_id)


class TestReserving:
    def ask(self, read, loan, contact, **given):
        body = {"contact_id": contact, "loan_id": loan, "channel": "voice",
                "agency": "示例信用服务", "address": CALLED, **given}  # fmt: skip
        return read.post("/api/v1/contacts/reserve", body)

    def callable_(self):
        """Return a loan whose plan asks a person to call: lawful to call today."""
        taken = Contact.objects.filter(contact_id__startswith="test-").values("borrower_id")
        return (
            Decision.objects.filter(decision="task", channel="voice", business_date=AT_DAY)
            .exclude(borrower_id__in=taken)
            .exclude(borrower_id__in=Signal.objects.filter(source="event").values("borrower_id"))
            .exclude(borrower_id__in=Word.objects.exclude(borrower_id=None).values("borrower_id"))
            .first()
        )

    def test_what_is_lawful_is_allowed_and_counted_at_once(self, read, loaded):
        one = self.callable_()
        found = self.ask(read, one.loan_id, "test-1").json
        assert (found["allowed"], found["effect"]) == (True, "allow"), found
        kept = Contact.objects.get(contact_id="test-1")
        assert (kept.borrower_id, kept.direction, kept.channel) == (one.borrower_id, "out", "voice")
        # The same wish again is the same contact; another one meets the cap.
        assert self.ask(read, one.loan_id, "test-1").json["allowed"] is True
        allowed = [self.ask(read, one.loan_id, f"test-1-{n}").json for n in range(6)]
        assert [answer["allowed"] for answer in allowed][-1] is False
        assert allowed[-1]["rules"]
        assert Contact.objects.filter(borrower_id=one.borrower_id,
                                      contact_id__startswith="test-1-").count() < 6  # fmt: skip

    def test_an_id_names_one_contact(self, read, loaded):
        one = self.callable_()
        first = self.ask(read, one.loan_id, "test-2").json
        assert first["allowed"] is True, first
        other = Decision.objects.filter(decision="task").exclude(borrower_id=one.borrower_id)[0]
        found = self.ask(read, other.loan_id, "test-2")
        assert (found.status, found.code) == (409, "contact_id_taken")

    def test_a_stop_of_the_person_is_kept(self, read, loaded):
        from duly.service.operations.telling import raise_signal

        one = self.callable_()
        raise_signal(
            signal_id="test-3",
            borrower_id=one.borrower_id,
            kind="cease_contact",
            starts_at=Run.objects.get(business_date=AT_DAY).loaded_at.replace(year=2025),
        )
        found = self.ask(read, one.loan_id, "test-3").json
        assert (found["allowed"], found["effect"]) == (False, "block")
        assert not Contact.objects.filter(contact_id="test-3").exists()

    @pytest.mark.parametrize("kind", ["opt_out", "hardship"])
    def test_what_an_event_told_is_kept(self, read, loaded, kind):
        one = self.callable_()
        told = signalled(kind, one.borrower_id, starts_at="2026-03-10T01:00:00Z",
                         detail={"address": NUMBER} if kind == "opt_out" else {})  # fmt: skip
        assert read.post("/api/v1/events", told).status == 200
        asked = NUMBER if kind == "opt_out" else CALLED
        found = self.ask(read, one.loan_id, f"test-8-{kind}", address=asked).json
        assert (found["allowed"], found["effect"]) == (False, "block"), found
        assert not Contact.objects.filter(contact_id=f"test-8-{kind}").exists()

    def test_nothing_due_is_nothing_to_contact_about(self, read, loaded):
        one = Decision.objects.filter(decision="none").first()
        found = self.ask(read, one.loan_id, "test-4").json
        assert (found["allowed"], found["reason"]) == (False, "nothing_to_contact_about")

    def test_old_facts_allow_nothing(self, read, loaded):
        one = self.callable_()
        with psycopg.connect(read.url, autocommit=True) as ours:
            ours.execute("UPDATE store_decision SET business_date = '2026-03-01'"
                         " WHERE loan_id = %s", (one.loan_id,))  # fmt: skip
        found = self.ask(read, one.loan_id, "test-5").json
        assert (found["allowed"], found["reason"]) == (False, "facts_too_old")

    def test_a_channel_of_which_nothing_is_known_is_blocked(self, read, loaded):
        one = self.callable_()
        found = self.ask(read, one.loan_id, "test-6", channel="letter").json
        assert found["allowed"] is False
        assert found["reason"].startswith("missing:"), found

    def test_an_unknown_loan_is_not_found(self, read, loaded):
        assert self.ask(read, "nobody", "test-7").code == "not_found"


class TestLoading:
    def test_a_loaded_plan_keeps_each_decision_once(self, store, tmp_path):
        plan = proven(tmp_path, loans=300)
        assert KEY.key_id == "k1"
        from plans import AT

        loading.load(plan, at=AT)
        assert Decision.objects.count() == plan.decisions.num_rows == 300
        loading.load(plan, at=AT)
        assert Decision.objects.count() == 300
