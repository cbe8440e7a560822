-- What happens to each candidate, once conversations and people's capacity are settled.
create view settled as
    select
        o.loan, o.loan_id, o.borrower, o.borrower_id, o.lane, o.step, o.legal, o.speaks, o.looks,
        o.class, o.template, o.tone, o.channel, o.task_kind, o.priority, o.expires_days,
        o.text_at, o.text_until, o.voice_at, o.voice_until, o.next_open_on, o.cap_until,
        o.resting_until, o.next_step_on, o.hold_reason, o.hold_review_on, o.score, o.score_band,
        o.name, o.locale, o.currency, o.sms_address, o.email_address, o.days_past_due,
        o.overdue_total, o.overdue_principal, o.overdue_interest, o.overdue_fee, o.late_charge,
        o.overdue_since, o.next_due_on, o.next_due_amount, o.report_on, o.accrues,
        o.returned_paid_on,
        o.returned_amount, o.installments_overdue, o.arms, o.met_before,
        c.part, c.lead_loan,
        case
            when c.part = 'apart' then 'wait'
            when coalesce(d.within_capacity, true) then o.outcome
            else 'wait'
        end as decision,
        case
            when c.part = 'apart' then 'one_conversation'
            when coalesce(d.within_capacity, true) then o.reason
            else 'capacity'
        end as final_reason
    from outcomes as o
    left join conversations as c on c.loan = o.loan
    left join calls_today as d on d.loan = o.loan;

create table decided as
select
    s.*,
    case when s.decision = 'contact' then m.template end as said_template,
    case when s.decision = 'contact' then m.tone end as said_tone,
    case when s.decision = 'contact' then m.channel
         when s.decision = 'task' and s.speaks and not s.looks then 'voice' end as said_channel,
    case when s.decision = 'contact' then m.text_at
         when s.decision = 'task' and s.speaks and not s.looks then s.voice_at end as not_before,
    case when s.decision = 'contact' then m.text_until
         when s.decision = 'task' and s.speaks and not s.looks then s.voice_until end as not_after,
    case
        when s.decision = 'wait' and s.final_reason in ('one_conversation', 'capacity')
            then $business_date + 1
        when s.decision = 'wait' and s.final_reason = 'cap'
            then greatest(s.cap_until, $business_date + 1)
        when s.decision = 'wait' and s.final_reason = 'window'
            then greatest(s.next_open_on, $business_date + 1)
        when s.decision = 'wait' and s.final_reason = 'cooldown' then s.resting_until
        when s.decision = 'wait' then greatest(s.next_step_on, $business_date + 1)
        when s.decision in ('hold', 'blocked') and s.hold_reason is not null then s.hold_review_on
    end as next_review_on,
    case
        when s.decision = 'task' and s.lane = 'restricted' then 'restricted'
        when s.decision = 'task' and s.lane = 'hold_review' then 'review'
        when s.decision = 'task' and s.template = 'verify_security' then 'security_restricted'
        when s.decision = 'task' and s.speaks then coalesce(s.task_kind, 'call')
        when s.decision in ('task', 'contact') then s.task_kind
        when s.decision = 'hold' and s.hold_reason = 'credit_unapplied' then 'apply_money'
        when s.decision = 'hold' and s.hold_reason = 'our_failure' then 'review'
        when s.decision = 'hold' and s.hold_reason in ('hardship', 'disaster') then 'care'
        when s.decision = 'blocked' and s.hold_reason in ('deceased', 'incapacity') then 'care'
        when s.decision = 'blocked' and s.final_reason in ('no_contact_point', 'wrong_person')
            then 'verify_contact'
    end as final_task_kind
from settled as s
left join settled as m on m.loan = s.lead_loan and m.decision = 'contact';
