-- What a policy condition may ask, one row a candidate loan; beside it what holds and texts need.
create view features as
with reminders as (
    select distinct borrower
    from consents
    where purpose = 'servicing' and granted_at <= $instant
      and (withdrawn_at is null or withdrawn_at > $instant)
      and json_valid(detail) and json_extract_string(detail, '$$.reminders') = 'true'
),
servicing as (
    -- A row without a channel speaks of all; a row without the day of its grant grants nothing.
    select
        p.borrower, h.channel,
        max(s.withdrawn_at) filter (where s.withdrawn_at <= $day_end) as withdrawn_at,
        max(s.granted_at) filter (where s.granted_at <= $instant) as granted_at
    from consents as s
    join people as p on p.borrower = s.borrower
    join (values ('sms'), ('email'), ('voice')) as h(channel)
      on h.channel = coalesce(s.channel, h.channel)
    where s.purpose = 'servicing'
    group by p.borrower, h.channel
),
withdrawn as (
    select
        borrower,
        bool_or(channel = 'sms') as sms,
        bool_or(channel = 'email') as email,
        bool_or(channel = 'voice') as voice
    from servicing
    where withdrawn_at >= coalesce(granted_at, withdrawn_at)
    group by borrower
),
siblings as (
    select l.borrower, count(*) as loans_of_borrower
    from loans as l
    join people as p on p.borrower = l.borrower
    where l.status = 'active'
    group by l.borrower
)
select
    c.*,
    p.locale, p.region, p.preferred_channel, p.monthly_income, p.name, p.time_zone,
    p.quiet_from, p.quiet_until,
    p.sms_address, p.email_address, p.voice_address,
    p.sms_address is not null as has_sms,
    p.email_address is not null as has_email,
    p.voice_address is not null as has_voice,
    p.sms_address is not null and not coalesce(f.opted_out_sms, false)
        and not coalesce(w.sms, false) as can_sms,
    p.email_address is not null and not coalesce(f.opted_out_email, false)
        and not coalesce(w.email, false) as can_email,
    p.voice_address is not null and not coalesce(f.opted_out_voice, false)
        and not coalesce(w.voice, false) as can_voice,
    coalesce(f.opted_out_sms, false) as opted_out_sms,
    coalesce(f.opted_out_email, false) as opted_out_email,
    coalesce(f.opted_out_voice, false) as opted_out_voice,
    coalesce(w.sms, false) as withdrawn_sms,
    coalesce(w.email, false) as withdrawn_email,
    coalesce(w.voice, false) as withdrawn_voice,
    $business_date - c.arrears_since as days_since_arrears,
    $business_date - c.last_paid_on as days_since_paid,
    coalesce(h.texts_since_arrears, 0) as texts_since_arrears,
    coalesce(h.calls_since_arrears, 0) as calls_since_arrears,
    h.days_since_text, h.days_since_contact,
    coalesce(h.undelivered_count, 0) as undelivered_count,
    coalesce(h.undelivered_last, false) as undelivered_last,
    coalesce(h.replied_since_arrears, false) as replied_since_arrears,
    coalesce(h.answered_since_arrears, false) as answered_since_arrears,
    cast(coalesce(m.promises_broken_since_arrears, 0) as integer) as promises_broken_since_arrears,
    $business_date - m.promise_broken_on as days_since_promise_broken,
    m.promise_holds_through, m.promise_since,
    $business_date - f.plan_broken_on as days_since_plan_broken,
    $business_date - greatest(f.contact_changed_on, p.email_changed_on, p.number_changed_on)
        as days_since_contact_changed,
    -- A report that does not say what changed casts doubt on the number, unless the e-mail did.
    coalesce(h.undelivered_last and not h.undelivered_email, false)
        or coalesce(p.number_changed_on >= $business_date - 7, false)
        or (coalesce(f.contact_changed_on >= $business_date - 7, false)
            and coalesce(p.email_changed_on < $business_date - 7, true)
            and p.voice_address is not null) as number_in_doubt,
    coalesce(h.undelivered_email, false)
        or coalesce(p.email_changed_on >= $business_date - 7, false)
        or (coalesce(f.contact_changed_on >= $business_date - 7, false)
            and p.voice_address is null) as email_in_doubt,
    $business_date - r.returned_on as days_since_returned_payment,
    r.paid_on as returned_paid_on, r.amount as returned_amount,
    $business_date - f.hardship_ended_on as days_since_hardship_ended,
    f.report_on,
    f.report_on - $business_date as days_to_bureau_report,
    $bureau_reports and f.report_on is not null
        and f.report_on - $business_date between 5 and 20 as bureau_notice_due,
    b.failed_cause as debit_failed_cause, b.failed_on as debit_failed_on,
    b.submitted_on as debit_submitted_on,
    coalesce(s.loans_of_borrower, 1) as loans_of_borrower,
    q.borrower is not null as asked_for_reminders,
    f.security_since is not null as security_signal,
    f.security_since, f.abnormal_other_since,
    c.late_count_before_arrears = 0 as first_late,
    c.days_past_due >= 31 as long_arrears_plan_possible,
    g.held is not null as unapplied_money,
    t.loan is not null as figures_disagree,
    y.next_on as plan_next_on,
    $since_list,
    $history_steps
from candidates as c
join people as p on p.borrower = c.borrower
left join signal_flags as f on f.loan = c.loan
left join promises as m on m.loan = c.loan
left join history as h on h.loan = c.loan
left join last_debits as b on b.loan = c.loan
left join returned_payments as r on r.loan = c.loan
left join money_held as g on g.borrower = c.borrower
left join siblings as s on s.borrower = c.borrower
left join reminders as q on q.borrower = c.borrower
left join withdrawn as w on w.borrower = c.borrower
left join plan_dates as y on y.loan = c.loan
left join figures_found as t on t.loan = c.loan;
