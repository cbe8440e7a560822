"""Load a proven plan: once, in one transaction, superseding an earlier plan of the same day."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import pyarrow as pa
import pyarrow.csv as pc
from django.db import connection, transaction

from duly.book import Lender
from duly.book.engine import connect
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.plan.proven import Proven
from duly.plan.texts import known_until
from duly.service.operations import braking, events, responding
from duly.service.operations.braking import Brake, Measured
from duly.service.operations.committing import keep_sources, record_decisions
from duly.service.operations.counting import count_payments
from duly.service.operations.own_texts import SIGN_IN_SQL
from duly.service.operations.recording import record
from duly.service.operations.superseding import give_way, supersede
from duly.service.outbox.wording import MARK

_ROWS_A_COPY = 50_000
#: Two plans are never loaded at once: which one counts must not be a matter of luck.
_LOCK = 0x44554C60
APPROVALS = {"automatic": 0, "one": 1, "two": 2}
NAMES_OVER_A_BRAKE = 2  #: whatever the lender file asks for

#: What is copied: the staging columns, and the SQL over the plan's tables that gives them.
_MESSAGES = """
select
    m.message_id, m.borrower_id, cast(to_json(m.loan_ids) as varchar) as loan_ids, m.channel,
    m.address, m.locale, m.class as message_class, m.template, m.tone, m.text, m.params,
    cast(m.segments as varchar) as segments, m.code, m.key_id,
    strftime(m.not_before, '%Y-%m-%dT%H:%M:%SZ') as not_before,
    strftime(m.not_after, '%Y-%m-%dT%H:%M:%SZ') as not_after,
    -- The plan asked these very words: their mark lets them pass where nothing changes.
    substr(f.facts, 1, length(f.facts) - 1) || ',"{mark}":"'
        || sha256(concat_ws(chr(31), '{asked}', m.class, m.channel, m.text)) || '"}}' as facts
from messages as m join facts as f using (message_id)
order by m.message_id
"""
_DECISIONS = """
select loan_id, borrower_id, business_date, decision, reason, rule, legal, channel, template, tone,
    strftime(not_before, '%Y-%m-%dT%H:%M:%SZ') as not_before,
    strftime(not_after, '%Y-%m-%dT%H:%M:%SZ') as not_after, next_review_on, message_id, task_kind,
    facts, by_channel, figures
from decisions order by loan_id
"""
_PEOPLE = """
select borrower_id, time_zone, region, locale, cast(quiet_from as varchar) as quiet_from,
    cast(quiet_until as varchar) as quiet_until
from people order by borrower_id
"""
_CONTACTS = """
select c.contact_id, c.borrower_id, c.loan_id, c.channel, c.address,
    strftime(c.at, '%Y-%m-%dT%H:%M:%SZ') as at, c.direction, c.outcome,
    coalesce(c.class, 'dunning') as contact_class
from contacts as c order by c.contact_id
"""
_SIGNALS = """
select signal_id, borrower_id, loan_id, kind,
    strftime(starts_at, '%Y-%m-%dT%H:%M:%SZ') as starts_at,
    strftime(ends_at, '%Y-%m-%dT%H:%M:%SZ') as ends_at, coalesce(detail, '{}') as detail
from signals order by signal_id
"""

_KEEP_PEOPLE = """
INSERT INTO store_borrower (borrower_id, time_zone, region, locale, quiet_from, quiet_until)
SELECT borrower_id, time_zone, region, locale, quiet_from::smallint, quiet_until::smallint
FROM staged ORDER BY borrower_id
ON CONFLICT (borrower_id) DO UPDATE SET time_zone = EXCLUDED.time_zone, region = EXCLUDED.region,
    locale = EXCLUDED.locale, quiet_from = EXCLUDED.quiet_from, quiet_until = EXCLUDED.quiet_until
"""
#: Of a day that is over: what a later plan said of a person is newer.
_KNOW_PEOPLE = """
INSERT INTO store_borrower (borrower_id, time_zone, region, locale, quiet_from, quiet_until)
SELECT borrower_id, time_zone, region, locale, quiet_from::smallint, quiet_until::smallint
FROM staged ORDER BY borrower_id ON CONFLICT (borrower_id) DO NOTHING
"""
_KEEP_CONTACTS = """
INSERT INTO store_contact (contact_id, borrower_id, loan_id, channel, address, at, direction,
    outcome, contact_class)
SELECT contact_id, borrower_id, loan_id, channel, address, at::timestamptz, direction, outcome,
    contact_class
FROM staged ON CONFLICT (contact_id) DO NOTHING
"""
_KEEP_SIGNALS = """
INSERT INTO store_signal (signal_id, borrower_id, loan_id, kind, starts_at, ends_at, detail)
SELECT signal_id, borrower_id, loan_id, kind, starts_at::timestamptz, ends_at::timestamptz,
    detail::jsonb
FROM staged
ON CONFLICT (signal_id) DO UPDATE SET ends_at = EXCLUDED.ends_at, detail = EXCLUDED.detail
"""
_KEEP_MESSAGES = f"""
INSERT INTO store_message (message_id, run_id, borrower_id, business_date, loan_ids, channel,
    address, locale, message_class, template, tone, text, params, segments, code, key_id,
    not_before, not_after, facts, state, reason, attempts)
SELECT s.message_id, %(run)s, s.borrower_id, %(day)s, s.loan_ids::jsonb, s.channel, s.address,
    s.locale, s.message_class, s.template, s.tone, s.text, s.params::jsonb, s.segments::smallint,
    s.code, s.key_id, s.not_before::timestamptz, s.not_after::timestamptz, s.facts::jsonb,
    CASE WHEN before.borrower_id IS NULL THEN %(state)s ELSE 'cancelled' END,
    CASE WHEN before.borrower_id IS NOT NULL THEN 'sent_before' END, 0
FROM staged AS s
LEFT JOIN (
    SELECT DISTINCT borrower_id, message_class FROM store_message
    WHERE business_date = %(day)s AND state NOT IN ('cancelled', 'expired', 'blocked')
        AND template <> {SIGN_IN_SQL}
) AS before USING (borrower_id, message_class)
ORDER BY s.message_id
"""
_KEEP_DECISIONS = """
INSERT INTO store_decision (loan_id, run_id, borrower_id, business_date, decision, reason, rule,
    legal, channel, template, tone, not_before, not_after, next_review_on, message_id, task_kind,
    facts, by_channel, figures)
SELECT loan_id, %(run)s, borrower_id, business_date::date, decision, reason, rule, legal::jsonb,
    channel, template, tone, not_before::timestamptz, not_after::timestamptz,
    next_review_on::date, message_id, task_kind, facts::jsonb, by_channel::jsonb,
    figures::jsonb
FROM staged
"""
#: One event a loan, where an endpoint wants to hear of decisions.
_TELL_DECISIONS = """
WITH told AS (
    INSERT INTO store_outgoingevent (id, type, data)
    SELECT 'evt_' || replace(gen_random_uuid()::text, '-', ''), 'decision.made',
        jsonb_build_object('run_id', run_id, 'loan_id', loan_id, 'borrower_id', borrower_id,
            'business_date', business_date, 'decision', decision, 'reason', reason,
            'channel', channel, 'message_id', message_id, 'next_review_on', next_review_on)
    FROM store_decision WHERE run_id = %s AND EXISTS (SELECT 1 FROM store_endpoint
        WHERE disabled_at IS NULL AND types @> '["decision.made"]')
    RETURNING id
)
INSERT INTO store_eventpost (event_id, endpoint_id)
SELECT t.id, e.name FROM told AS t CROSS JOIN store_endpoint AS e
WHERE e.disabled_at IS NULL AND e.types @> '["decision.made"]'
"""


@dataclass(frozen=True, kw_only=True)
class Loaded:
    """What a load did; `again` means that this plan was there already and nothing was added."""

    plan_sha256: str
    state: str
    messages: int = 0
    superseded: int = 0
    sent_before: int = 0
    again: bool = False
    brakes: tuple[Brake, ...] = ()


def load(plan: Proven, *, at: datetime) -> Loaded:
    """Load a plan and release it where its lender asks for no approval and every brake passes.

    Refused where the business date is over at the legal instant `at`, and where the plan duns from
    a book that is older by then than the lender allows: nothing of it may go out.

    The same plan twice adds nothing. Another plan of the same business date supersedes the earlier:
    what is not submitted is cancelled, and who was submitted to gets nothing more that day.
    """
    sha = str(plan.run["plan_sha256"])
    day = date.fromisoformat(str(plan.run["business_date"]))
    today = plan.lender.day_of(at)
    if day < today:
        raise Refused(
            Diagnostic(area="service", code="day_is_over", values={"day": day, "today": today})
        )
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        cursor.execute("SELECT state FROM store_run WHERE plan_sha256 = %s", [sha])
        known = cursor.fetchone()
        if known is not None:
            return Loaded(plan_sha256=sha, state=known[0], again=True, brakes=braking.kept(sha))
        _refuse_old_book(plan, at)
        superseded = supersede(day)
        _keep_run(plan, sha, day, state="planned")
        _copy(plan, _PEOPLE, _KEEP_PEOPLE)
        _copy(plan, _CONTACTS, _KEEP_CONTACTS)
        _copy(plan, _SIGNALS, _KEEP_SIGNALS)
        count_payments(sha, plan.inputs.snapshot, at=at)
        _copy(plan, _DECISIONS, _KEEP_DECISIONS, run=sha)
        brakes, state = _release(plan, sha, day)
        give_way(_answered(plan), day)
        added = _copy(plan, _messages(plan), _KEEP_MESSAGES, run=sha, day=day, state=state)
        cursor.execute(_TELL_DECISIONS, [sha])
        record_decisions(sha)
        keep_sources(plan, sha)
        events.accept(responding.to_broken(plan, at=at), at=at)
        cursor.execute(
            "SELECT count(*) FROM store_message WHERE run_id = %s AND reason = 'sent_before'", [sha]
        )
        before = cursor.fetchone()[0]
        record(
            "run.loaded",
            [(sha, {"state": state, "messages": added, "superseded": superseded,
                    "sent_before": before, "brakes": braking.told(brakes)})],
        )  # fmt: skip
    return Loaded(
        plan_sha256=sha, state=state, messages=added, superseded=superseded, sent_before=before,
        brakes=brakes,
    )  # fmt: skip


def load_missed(plan: Proven, *, at: datetime) -> Loaded:
    """Keep what a plan of a day that is over decided, for the record: nothing of it may leave.

    Its messages are `expired` from the start, no brake is asked, nobody is told of its decisions,
    and of its book only persons that are not known yet are kept: what is newer stands. Where
    another plan of the day counts, nothing is added.
    """
    sha = str(plan.run["plan_sha256"])
    day = date.fromisoformat(str(plan.run["business_date"]))
    assert day < plan.lender.day_of(at), "the day is not over"
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        known = counting(day)
        if known is not None:
            return Loaded(plan_sha256=known[0], state=known[1], again=True)
        _keep_run(plan, sha, day, state="missed")
        _copy(plan, _PEOPLE, _KNOW_PEOPLE)
        _copy(plan, _DECISIONS, _KEEP_DECISIONS, run=sha)
        added = _copy(plan, _messages(plan), _KEEP_MESSAGES, run=sha, day=day, state="expired")
        cursor.execute(
            "UPDATE store_message SET reason = 'day_missed' WHERE run_id = %s"
            " AND state = 'expired' RETURNING message_id",
            [sha],
        )
        expired = sorted(row[0] for row in cursor.fetchall())
        record_decisions(sha)
        keep_sources(plan, sha)
        record("run.missed", [(sha, {"business_date": day.isoformat(), "messages": added})])
        record("message.expired", [(name, {"reason": "day_missed"}) for name in expired])
    return Loaded(plan_sha256=sha, state="missed", messages=added)


def _messages(plan: Proven) -> str:
    return _MESSAGES.format(mark=MARK, asked=plan.inputs.asked.sha256)


def counting(day: date) -> tuple[str, str] | None:
    """Return the plan that counts for a business date, and its state; None where none is loaded."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT plan_sha256, state FROM store_run WHERE business_date = %s AND kind = 'plan'"
            " AND state <> 'superseded'",
            [day],
        )
        row = cursor.fetchone()
    return None if row is None else (str(row[0]), str(row[1]))


def _keep_run(plan: Proven, sha: str, day: date, *, state: str) -> None:
    rows = plan.inputs.snapshot.rows
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO store_run (plan_sha256, business_date, state, approvals_needed, kind,"
            " messages_count, loans_count, payments_count, summary)"
            " VALUES (%s, %s, %s, 0, 'plan', %s, %s, %s, %s::jsonb)",
            [sha, day, state, plan.messages.num_rows, rows["loans"], rows["payments"],
             _json(plan.run)],
        )  # fmt: skip


def _refuse_old_book(plan: Proven, at: datetime) -> None:
    """Refuse a plan that was made in time and is loaded too late for its book."""
    if "dunning" in plan.messages["class"].to_pylist():
        refuse_old(plan.lender, cut_at=known_until(plan.inputs), at=at)


def refuse_old(lender: Lender, *, cut_at: datetime, at: datetime) -> None:
    """Refuse (`book_stale`) what was known too long ago by the lender's limit."""
    limit = lender.limits.book_age_hours
    if at - cut_at <= timedelta(hours=limit):
        return
    hours = -(-(at - cut_at) // timedelta(hours=1))
    values = {"cut": f"{cut_at:%Y-%m-%d %H:%M}", "hours": hours, "limit": limit}
    raise Refused(Diagnostic(area="service", code="book_stale", values=values))


def _release(plan: Proven, sha: str, day: date) -> tuple[tuple[Brake, ...], str]:
    """Ask the brakes and write down how many names the run needs; return them and its state."""
    decisions = plan.decisions.column("decision").to_pylist()
    rows, aside = plan.inputs.snapshot.rows, _aside(plan)
    brakes = braking.ask_brakes(
        Measured(
            run=sha, day=day, messages=plan.messages.num_rows, loans=rows["loans"],
            payments=rows["payments"], decided=len(decisions) + aside,
            quarantined=decisions.count("quarantined") + aside,
        )
    )  # fmt: skip
    braking.keep(sha, brakes)
    needed = APPROVALS[plan.lender.approval]
    if braking.broken(brakes):
        needed = max(needed, NAMES_OVER_A_BRAKE)
    state = "planned" if needed else "released"
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE store_run SET state = %s, approvals_needed = %s WHERE plan_sha256 = %s",
            [state, needed, sha],
        )
    return brakes, state


def _answered(plan: Proven) -> list[str]:
    """Return whom the plan itself writes a text of the class `answer`."""
    return [
        row["borrower_id"]
        for row in plan.messages.select(["borrower_id", "class"]).to_pylist()
        if row["class"] == "answer"
    ]


def _aside(plan: Proven) -> int:
    """Return how many loans broken rows keep out of a plan: quarantined, for the brake.

    A loan whose row nobody can name has no decision. The book that the service wrote has no loan
    of a borrower with a broken row: the books of its cut, from which it was written, know them.
    """
    snapshot = plan.inputs.snapshot
    unnamed: int = max(snapshot.rows["loans"] - plan.decisions.num_rows, 0)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(sum((rows->>'aside_loans')::int), 0),"
            " coalesce(bool_or(book_sha256 = %s), false) FROM store_book WHERE cut_at = %s",
            [snapshot.book_sha256, plan.inputs.cut_at],
        )
        kept_out, is_told = cursor.fetchone()
    return unnamed + (0 if is_told else int(kept_out))


def _copy(plan: Proven, question: str, keep: str, **values: str | date) -> int:
    """Copy rows of the plan into a staging table and from there where they belong; return rows."""
    with connect() as asked:
        for name in ("messages", "facts", "decisions", "people", "contacts", "signals"):
            asked.register(name, getattr(plan, name))
        reader = asked.sql(question).to_arrow_reader(_ROWS_A_COPY)
        names = reader.schema.names
        with connection.cursor() as cursor:
            columns = ", ".join(f"{name} text" for name in names)
            cursor.execute(f"CREATE TEMPORARY TABLE staged ({columns}) ON COMMIT DROP")
            with cursor.copy("COPY staged FROM STDIN (FORMAT csv)") as copy:
                for batch in reader:
                    copy.write(_csv(batch))
            cursor.execute(keep, values or None)
            count = int(cursor.rowcount)
            cursor.execute("DROP TABLE staged")
    return count


def _csv(batch: pa.RecordBatch) -> bytes:
    """Return rows as CSV: an empty text is quoted, an absent value is not."""
    out = io.BytesIO()
    pc.write_csv(pa.Table.from_batches([batch]), out, pc.WriteOptions(include_header=False))
    return out.getvalue()


def _json(run: Mapping[str, object]) -> str:
    return json.dumps(run, ensure_ascii=False)
