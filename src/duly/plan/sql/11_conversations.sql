-- One borrower, one conversation: the most severe loan leads; loans of one creditor and currency
-- whose own outcome is a contact that says the same go into one message; the others wait.
create table conversations as
with speaking as (
    select
        loan, loan_id, borrower, creditor, currency, outcome, class,
        -- Sums may join what is overdue; what a text says of one loan (a refused card, a report, a
        -- due date) must be true of each.
        case
            when template in ('first_late', 'overdue', 'plan_offer') then 'overdue'
            when template = 'returned_payment' then template || ' ' || loan_id
            when template = 'credit_notice' then template || ' ' || report_on
            when days_past_due = 0 then template || ' ' || next_due_on
            else template
        end as subject,
        row_number() over (
            partition by borrower
            order by days_delinquent desc, overdue_total desc, loan_id
        ) as place
    from outcomes
    where speaks and outcome in ('contact', 'task')
),
leaders as (
    select * from speaking where place = 1
)
select
    s.loan, s.borrower, l.loan as lead_loan,
    case
        when s.place = 1 then 'lead'
        when l.outcome = 'contact' and s.outcome = 'contact' and s.creditor = l.creditor
            and s.currency = l.currency and s.subject = l.subject and s.class = l.class
            then 'together'
        else 'apart'
    end as part
from speaking as s
join leaders as l on l.borrower = s.borrower;

-- Calls that people can make today; care is never cut.
create table calls_today as
with wanted as (
    select
        o.loan,
        coalesce(o.task_kind in ('care', 'review', 'verify_contact'), false) as is_care,
        row_number() over (
            order by
                coalesce(o.priority, 5), o.days_delinquent desc, o.overdue_total desc, o.loan_id
        ) as place
    from outcomes as o
    join conversations as c on c.loan = o.loan
    where o.outcome = 'task' and c.part = 'lead' and not o.looks
),
care as (
    select count(*) as care_calls
    from outcomes
    where outcome = 'task' and (lane = 'hold_review' or task_kind in ('care', 'verify_contact'))
),
ranked as (
    select loan, row_number() over (order by place) as turn
    from wanted
    where not is_care
)
select r.loan, r.turn <= greatest(0, least($dials_open, $dials - c.care_calls)) as within_capacity
from ranked as r
cross join care as c;
