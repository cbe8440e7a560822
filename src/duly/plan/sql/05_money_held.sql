-- Money we already hold is never chased: unapplied money or unallocated credit of the borrower;
-- debits without a result; and what the last failed debit says about the cause.
create table money_held as
select borrower, cast(sum(amount) as bigint) as held
from (
    select borrower, amount
    from payments
    where loan is null and borrower is not null and kind = 0 and paid_on <= $business_date
      and (reversed_on is null or reversed_on > $business_date)
    union all
    select l.borrower, p.unallocated_credit
    from positions as p
    join loans as l on l.loan = p.loan
    where p.unallocated_credit > 0
) as found
group by borrower;

create table last_debits as
with made as (
    select
        r.loan, r.debit_id, r.at, r.status, r.cause, $debit_on as debit_on, c.last_paid_on,
        -- What the debit was for: the oldest installment that is unpaid and due, today included.
        coalesce(c.overdue_since, case when c.days_to_due = 0 then c.next_due_on end) as due_on
    from debits as r
    join candidates as c on c.loan = r.loan
    where r.at <= $instant and r.status <> 'scheduled'
),
results as (
    select
        m.*,
        row_number() over (partition by m.loan order by m.at desc, m.debit_id desc) as place
    from made as m
    where m.status <> 'submitted'
)
select
    m.loan,
    max(case when m.status = 'submitted' then m.debit_on end) as submitted_on,
    max(case when r.status = 'failed' then r.debit_on end) as failed_on,
    -- From three days before the due date on. A payment since then is an answer of its own; what
    -- failed on our side from the due date on stays ours to repair.
    max(case when r.status = 'failed' and r.debit_on >= r.due_on - 3
        and ((r.debit_on >= r.due_on and r.cause in ('bank', 'ours'))
            or coalesce(r.last_paid_on <= r.debit_on, true)) then r.cause end) as failed_cause
from made as m
left join results as r on r.loan = m.loan and r.place = 1
group by m.loan;

-- A payment that came back is told of where it was the latest one, and was not booked again: what
-- is only corrected in the books is nothing that the bank returned.
create table returned_payments as
with back as (
    select p.loan, p.payment_id, p.paid_on, p.amount, p.reversed_on
    from payments as p
    join candidates as c on c.loan = p.loan
    where p.reversed_on <= $business_date and p.kind = 0
),
others as (
    select b.loan, b.payment_id
    from back as b
    join payments as o on o.loan = b.loan
    where o.payment_id <> b.payment_id and o.kind = 0 and o.paid_on <= $business_date
      and ((o.paid_on > b.paid_on and o.paid_on <= b.reversed_on
            and (o.reversed_on is null or o.reversed_on > b.reversed_on))
        or (o.amount = b.amount and (o.reversed_on is null or o.reversed_on > $business_date)
            and (o.paid_on = b.paid_on or abs(o.paid_on - b.reversed_on) <= 3)))
),
ranked as (
    select
        b.*,
        row_number() over (
            partition by b.loan order by b.reversed_on desc, b.paid_on desc, b.payment_id
        ) as place
    from back as b
    anti join others as o on o.loan = b.loan and o.payment_id = b.payment_id
)
select loan, reversed_on as returned_on, paid_on, amount
from ranked
where place = 1;

-- About the account's security we write only to a contact point that was verified before the
-- signal and has not changed since.
create table security_points as
select
    f.borrower,
    max(case when c.channel = 'sms' then c.address end) as sms_address,
    max(case when c.channel = 'email' then c.address end) as email_address
from (
    select x.borrower, min(s.security_since) as since
    from signal_flags as s
    join candidates as x on x.loan = s.loan
    where s.security_since is not null
    group by x.borrower
) as f
join contact_points as c on c.borrower = f.borrower
where c.status = 'active' and c.use = 'personal' and c.verified_on < f.since
  and (c.changed_on is null or c.changed_on < f.since)
  and not exists (
      select * from contact_points as w
      where w.borrower = c.borrower and w.status = 'wrong_person'
        and $address_key_known = $address_key
  )
group by f.borrower;

-- The next date of an agreed plan that still matters: after it a person looks.
create table plan_dates as
select r.loan, min(a.due_on) + 3 as next_on
from signal_rows as r
join agreed as a on a.signal_id = r.signal_id
where r.kind = 'plan' and r.open and a.due_on + 3 >= $business_date
group by r.loan;
