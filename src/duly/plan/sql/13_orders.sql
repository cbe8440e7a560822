-- One message a borrower: the figures of exactly the loans that it lists.
create table message_ids as
select
    d.loan,
    'm' || substr(sha256($inputs || chr(31) || d.borrower_id), 1, 26) as message_id
from decided as d
where d.decision = 'contact' and d.loan = d.lead_loan;

create table orders as
with sums as (
    select
        lead_loan,
        list(loan_id order by loan_id) as loan_ids,
        cast(sum(overdue_total) as bigint) as overdue_total,
        cast(sum(overdue_principal) as bigint) as overdue_principal,
        cast(sum(overdue_interest) as bigint) as overdue_interest,
        cast(sum(overdue_fee) as bigint) as overdue_fee,
        cast(sum(late_charge) as bigint) as late_charge,
        min(overdue_since) as overdue_since,
        min(next_due_on) as next_due_on,
        max(days_past_due) as days_past_due,
        sum(installments_overdue) > 1 as several_due,
        bool_or(accrues) as accrues
    from decided
    where decision = 'contact'
    group by lead_loan
),
debits_to_come as (
    -- What is scheduled for the due day itself. Of several on one day the first is told, and only
    -- where it takes exactly what is due: half of it, or more, would need words of its own.
    select
        r.loan, r.amount, r.at, $debit_on as debit_on, $debit_clock as debit_time,
        row_number() over (
            partition by r.loan, $debit_on order by r.at, r.debit_id
        ) as place
    from debits as r
    where $debits_announced and r.status = 'scheduled' and r.at > $instant
),
dues as (
    -- Only what falls due on the day the text names: another loan's later date is not in it.
    -- An hour is named where it is that of every loan that falls due, and only before it strikes.
    select
        d.lead_loan, cast(sum(d.next_due_amount) as bigint) as next_due_amount,
        case when count(r.debit_time) = count(*) and min(r.debit_time) = max(r.debit_time)
            then min(r.debit_time) end as debit_time,
        min(r.at) as debit_at
    from decided as d
    join sums as s on s.lead_loan = d.lead_loan and s.next_due_on = d.next_due_on
    left join debits_to_come as r
        on r.loan = d.loan and r.debit_on = d.next_due_on and r.place = 1
        and r.amount = d.next_due_amount
    where d.decision = 'contact'
    group by d.lead_loan
)
select
    m.message_id, d.borrower_id, s.loan_ids, d.said_channel as channel,
    case
        when d.said_template = 'verify_security' and d.said_channel = 'sms' then v.sms_address
        when d.said_template = 'verify_security' then v.email_address
        when d.said_channel = 'sms' then d.sms_address
        else d.email_address
    end as address,
    coalesce(d.locale, $locale) as locale, d.class, d.said_template as template,
    d.said_tone as tone, d.not_before,
    case when u.debit_time is not null and u.debit_at > d.not_before
        then least(d.not_after, u.debit_at) else d.not_after end as not_after,
    d.name, d.currency,
    s.overdue_total, s.overdue_principal, s.overdue_interest, s.overdue_fee, s.late_charge,
    s.days_past_due, s.overdue_since, s.next_due_on,
    coalesce(u.next_due_amount, 0) as next_due_amount,
    case when u.debit_at > d.not_before then u.debit_time end as debit_time,
    s.accrues, s.several_due, d.report_on, d.met_before,
    -- Which payment came back; no other text of a plan names one. A short message says only that
    -- it was the latest: with day and amount it would not fit its two parts.
    case when d.said_template = 'returned_payment' and d.said_channel = 'email'
        then d.returned_paid_on end as paid_on,
    case when d.said_template = 'returned_payment' and d.said_channel = 'email'
        then d.returned_amount else 0 end as paid_amount
from decided as d
join message_ids as m on m.loan = d.loan
join sums as s on s.lead_loan = d.loan
left join dues as u on u.lead_loan = d.loan
left join security_points as v on v.borrower = d.borrower
order by m.message_id;
