"""A plan ready to leave the house: worked out again first, with the facts its rules were asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from duly.book import Lender
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.plan import kept, replay
from duly.plan.inputs import PlanInputs
from duly.plan.pipeline import Clock, Plan, make_plan

_FACTS = """
select i.message_id, cast(to_json(a.fact) as varchar) as facts
from message_ids as i join asked as a on a.loan = i.loan
order by i.message_id
"""
#: What was decided about each loan; with what the rules were asked where somebody may yet ask to
#: contact that person, and what of it depends on the channel, for each.
_DECISIONS = """
select d.loan_id, d.borrower_id, cast(d.business_date as varchar) as business_date, d.decision,
    d.reason, d.rule, cast(to_json(d.legal) as varchar) as legal, d.channel, d.template, d.tone,
    d.not_before, d.not_after, cast(d.next_review_on as varchar) as next_review_on, d.message_id,
    d.task_kind,
    case when d.decision in ('contact', 'task', 'wait', 'hold', 'blocked')
        then cast(to_json(a.fact) as varchar) end as facts,
    case when d.decision in ('contact', 'task', 'wait', 'hold', 'blocked')
        then cast(to_json({
            sms: {opted_out: a.opted_out_sms, servicing_withdrawn: a.withdrawn_sms},
            email: {opted_out: a.opted_out_email, servicing_withdrawn: a.withdrawn_email},
            voice: {opted_out: a.opted_out_voice, servicing_withdrawn: a.withdrawn_voice}
        }) as varchar) end as by_channel,
    case when p.loan_id is not null then cast(to_json({
        currency: p.currency, days_past_due: p.days_past_due, bucket: p.bucket,
        overdue_total: p.overdue_total, late_charge: p.late_charge,
        outstanding_total: p.outstanding_total, next_due_on: p.next_due_on,
        next_due_amount: p.next_due_amount, last_paid_on: p.last_paid_on
    }) as varchar) end as figures
from decisions as d
left join figures_of as p on p.loan_id = d.loan_id
left join loans as l on l.loan_id = d.loan_id
left join asked as a on a.loan = l.loan
order by d.loan_id
"""
#: Whom somebody may contact: facts of the person, as the rules ask them.
_PEOPLE = """
select p.borrower_id, coalesce(p.time_zone, $zone) as time_zone, p.region,
    coalesce(p.locale, $locale) as locale, p.quiet_from, p.quiet_until
from people as p
where p.borrower_id in (
    select borrower_id from decisions
    where decision in ('contact', 'task', 'wait', 'hold', 'blocked'))
order by p.borrower_id
"""
_CONTACTS = """
select c.contact_id, p.borrower_id, l.loan_id, c.channel, c.address, c.at, c.direction, c.outcome,
    c.class
from contacts as c join people as p on p.borrower = c.borrower
left join loans as l on l.loan = c.loan
where p.borrower_id in (
    select borrower_id from decisions
    where decision in ('contact', 'task', 'wait', 'hold', 'blocked'))
order by c.contact_id
"""
_SIGNALS = """
select s.signal_id, p.borrower_id, l.loan_id, s.kind, s.starts_at, s.ends_at, s.detail
from signals as s join people as p on p.borrower = s.borrower
left join loans as l on l.loan = s.loan
where p.borrower_id in (
    select borrower_id from decisions
    where decision in ('contact', 'task', 'wait', 'hold', 'blocked'))
order by s.signal_id
"""
#: Of loans that nothing keeps from contact; the day is the first on which it counts as broken.
_BROKEN = """
select d.loan_id, d.borrower_id, f.promise_broken_on, f.plan_broken_on
from decisions as d join loans as l on l.loan_id = d.loan_id
join (
    select c.loan, m.promise_broken_on, s.plan_broken_on
    from candidates as c
    left join promises as m on m.loan = c.loan
    left join signal_flags as s on s.loan = c.loan
) as f on f.loan = l.loan
where d.decision in ('contact', 'task', 'wait')
  and (f.promise_broken_on is not null or f.plan_broken_on is not null)
order by d.loan_id
"""


@dataclass(frozen=True, kw_only=True)
class Proven:
    """A plan whose rows are what its inputs give.

    Of people, contacts and signals only those of borrowers whom somebody may contact are in it.
    """

    run: Mapping[str, object]
    lender: Lender
    inputs: PlanInputs
    messages: pa.Table  #: the contract's columns, codes as they were signed, instants naive UTC
    facts: pa.Table  #: message_id, facts (JSON): what the rules were asked with
    decisions: pa.Table  #: one row a loan; with facts (JSON) where it may be contacted
    people: pa.Table
    contacts: pa.Table
    signals: pa.Table
    broken: pa.Table  #: promises and plans that were not kept, by loan, with their day
    policy_text: str = ""  #: the policy file as it is kept with the plan


def prove(plan_dir: Path, *, clock: Clock, threads: int = 0) -> Proven:
    """Work a plan out again and return what leaves the house; refuse one that differs.

    Refuses what `kept.reopen` refuses too.
    """
    run = kept.read_run(plan_dir)
    inputs = kept.reopen(plan_dir)
    plan = make_plan(inputs, clock=clock, threads=threads, keep_stages=True)
    try:
        said = replay.read_table(plan_dir, "messages")
        signed = set(said.column("message_id").to_pylist())
        same = signed == set(plan.messages.column("message_id").to_pylist())
        if plan.plan_sha256 != run.get("plan_sha256") or not same:
            raise Refused(Diagnostic(area="plan", code="not_proven", values={"path": plan_dir}))
        policy = (plan_dir / "inputs" / "policy.yaml").read_bytes().decode()
        return _proven(run, plan, replay.with_codes(plan.messages, said), policy)
    finally:
        plan.connection.close()


def facts_of(plan: Plan) -> pa.Table:
    """Return message_id and facts (JSON) of a plan whose stages were kept."""
    return plan.connection.sql(_FACTS).to_arrow_table()


def _proven(run: Mapping[str, object], plan: Plan, messages: pa.Table, policy_text: str) -> Proven:
    def ask(question: str, **values: object) -> pa.Table:
        return plan.connection.sql(question, params=values or None).to_arrow_table()

    lender = plan.inputs.lender
    plan.connection.register("figures_of", plan.positions)
    return Proven(
        run=run,
        lender=lender,
        inputs=plan.inputs,
        messages=messages,
        facts=facts_of(plan),
        decisions=ask(_DECISIONS),
        people=ask(_PEOPLE, zone=lender.time_zone, locale=lender.locale),
        contacts=ask(_CONTACTS),
        signals=ask(_SIGNALS),
        broken=ask(_BROKEN),
        policy_text=policy_text,
    )
