-- Which loans need a closer look today: late, due within the policy's look-ahead, or under a signal
-- about the account's security. Every other loan is decided without it (see decisions).
create table candidates as
with watched as (
    select distinct borrower
    from signals
    where kind = 'abnormal_transaction'
      and starts_at <= $day_end and (ends_at is null or ends_at > $instant)
),
near as (
    select loan
    from positions
    where days_past_due > 0
       or (next_due_amount > 0 and next_due_on <= $business_date + $look_ahead_days)
    union
    select l.loan
    from loans as l
    join watched as w on w.borrower = l.borrower
)
select
    l.loan, l.loan_id, l.borrower, l.borrower_id, l.product, l.creditor, l.currency, l.decimals,
    l.jurisdiction, l.annual_rate_e8, l.late_rate_e8, l.status,
    p.days_past_due, p.days_delinquent, p.bucket, p.overdue_since, p.arrears_since,
    p.installments_overdue, p.overdue_principal, p.overdue_interest, p.overdue_fee, p.late_charge,
    p.overdue_total, p.outstanding_total, p.next_due_on, p.next_due_amount, p.unallocated_credit,
    p.paid_total, p.last_paid_on, p.late_count_12m, p.late_count_12m_after_grace,
    p.days_past_due_max_12m, p.grace_ends_on,
    p.late_count_before_arrears, p.accruing > 0 as accrues,
    case when p.next_due_amount > 0 then p.next_due_on - $business_date end as days_to_due
from (select * from positions where loan in (select loan from near)) as p
join loans as l on l.loan = p.loan
where not l.quarantined
  and (l.status = 'active' or l.status_on > $business_date);
