-- Promises to pay: kept at 95 % of the amount by the day after, partly at 50 %, else broken.
-- A promise holds through the day after its day, at most 30 days; after two in a row that were not
-- kept in one arrears no other holds. One that names no loan is kept by payments on any of them.
create table promises as
with named as (
    select
        r.loan, r.borrower, r.of_all_loans, r.signal_id, r.starts_on, r.ends_at,
        try_cast(json_extract_string(r.detail, '$$.on') as date) as promised_on,
        case when regexp_full_match(json_extract_string(r.detail, '$$.amount'),
                                    '[0-9]{1,11}(\.[0-9]{1,4})?')
            then cast(cast(json_extract_string(r.detail, '$$.amount') as decimal(18, 4))
                      * (10 ** c.decimals)::decimal(6, 0) as bigint)
        end as promised,
        c.arrears_since
    from signal_rows as r
    join candidates as c on c.loan = r.loan
    where r.kind = 'promise' and (r.starts_at <= $instant or r.open)
),
payable as (
    select loan, signal_id, starts_on, promised_on, loan as paid_loan from named
    union
    select n.loan, n.signal_id, n.starts_on, n.promised_on, l.loan
    from named as n
    join loans as l on l.borrower = n.borrower
    where n.of_all_loans
),
paid as (
    select n.loan, n.signal_id, cast(sum(p.amount) as bigint) as paid
    from payable as n
    join payments as p on p.loan = n.paid_loan
    where p.kind = 0 and p.paid_on between n.starts_on and n.promised_on + 1
      and p.paid_on <= $business_date
      and (p.reversed_on is null or p.reversed_on > $business_date)
    group by n.loan, n.signal_id
),
judged as (
    select
        n.*,
        coalesce(p.paid, 0) as paid,
        case
            when n.promised_on + 1 >= $business_date then 'open'
            when coalesce(p.paid, 0) * 100 >= n.promised * 95 then 'kept'
            when coalesce(p.paid, 0) * 100 >= n.promised * 50 then 'partly_kept'
            else 'broken'
        end as outcome
    from named as n
    left join paid as p on p.loan = n.loan and p.signal_id = n.signal_id
),
rows_of_promises as (
    -- A promise that was kept begins a new row.
    select
        j.*,
        sum(case when outcome = 'kept' then 1 else 0 end)
            over (partition by loan order by starts_on, signal_id
                  rows between unbounded preceding and current row) as kept_so_far
    from judged as j
),
counted as (
    select
        r.*,
        coalesce(sum(case when outcome <> 'kept' and starts_on >= arrears_since then 1 else 0 end)
            over (partition by loan, kept_so_far order by starts_on, signal_id
                  rows between unbounded preceding and 1 preceding), 0) as unkept_before
    from rows_of_promises as r
)
select
    loan,
    max(case when outcome = 'open' and $instant < ends_at and unkept_before < 2
        and $business_date <= starts_on + 30
        then least(promised_on + 1, starts_on + 30) end) as promise_holds_through,
    min(case when outcome = 'open' and $instant < ends_at and unkept_before < 2
        and $business_date <= starts_on + 30 then starts_on end) as promise_since,
    count(*) filter (where outcome = 'broken' and starts_on >= arrears_since)
        as promises_broken_since_arrears,
    max(case when outcome = 'broken' and starts_on >= arrears_since then promised_on + 1 end)
        as promise_broken_on
from counted
group by loan;
