-- Which signals are open now or at the moment a message would leave, per candidate loan. Some bind
-- the person whatever loan they name; the rest bind their loan, or all loans where they name none.
create table signal_rows as
with bound as (
    select
        s.signal_id, s.kind, s.detail, s.starts_at, c.loan, c.borrower,
        s.loan is null as of_all_loans,
        coalesce(s.ends_at, $forever) as ends_at, b.broken_on
    from signals as s
    join candidates as c on c.borrower = s.borrower
    left join plan_breaks as b on b.signal_id = s.signal_id
    where s.starts_at <= $day_end
      and (s.loan is null or s.loan = c.loan or s.kind in ($person_kinds))
)
select
    r.*,
    $starts_on as starts_on,
    least($ends_on, r.broken_on) as ends_on,
    (r.broken_on is null or r.broken_on > $business_date)
    and ((r.starts_at <= $instant and $instant < r.ends_at)
    or (r.starts_at <= k.text_at and k.text_at < r.ends_at)
    or (r.starts_at <= k.voice_at and k.voice_at < r.ends_at)) as open
from bound as r
join people_slots as k on k.borrower = r.borrower;

create table signal_flags as
select
    loan,
    $since_columns,
    coalesce(bool_or(open and kind = 'opt_out'
        and coalesce(json_extract_string(detail, '$$.channel'), 'sms') = 'sms'), false)
        as opted_out_sms,
    coalesce(bool_or(open and kind = 'opt_out'
        and coalesce(json_extract_string(detail, '$$.channel'), 'email') = 'email'), false)
        as opted_out_email,
    coalesce(bool_or(open and kind = 'opt_out'
        and coalesce(json_extract_string(detail, '$$.channel'), 'voice') = 'voice'), false)
        as opted_out_voice,
    min(case when open and kind = 'abnormal_transaction'
        and json_extract_string(detail, '$$.kind') = 'account_security' then starts_on end)
        as security_since,
    min(case when open and kind = 'abnormal_transaction'
        and coalesce(json_extract_string(detail, '$$.kind'), 'other') <> 'account_security'
        then starts_on end) as abnormal_other_since,
    max(case when kind = 'contact_changed' and starts_on <= $business_date then starts_on end)
        as contact_changed_on,
    max(case when kind = 'hardship' and ends_on <= $business_date then ends_on end)
        as hardship_ended_on,
    max(case when kind = 'plan' and broken_on <= $business_date then broken_on end)
        as plan_broken_on,
    -- The next report: of those to come, the first that was not yet announced.
    min(case when open and kind = 'bureau_reporting'
        then try_cast(json_extract_string(detail, '$$.report_on') as date) end)
        filter (where json_extract_string(detail, '$$.notified_on') is null
            and try_cast(json_extract_string(detail, '$$.report_on') as date) >= $business_date)
        as report_on,
    max(case when open and kind = 'legal_case'
        then json_extract_string(detail, '$$.case_no') end) as case_no
from signal_rows
group by loan;
