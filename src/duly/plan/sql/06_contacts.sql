-- What was already said: counters by person for the caps, and the history of this arrears.
create view contact_rows as
select
    c.borrower, c.contact_id, c.channel, c.address, c.at, c.direction, c.outcome, c.step, c.class,
    $contact_on as contact_on
from contacts as c
join people as p on p.borrower = c.borrower
where c.at <= $instant;

create table cap_counts as
select
    k.borrower,
    $cap_columns
from people_slots as k
join contact_rows as c on c.borrower = k.borrower
where $cap_direction and c.at > $cap_horizon
group by k.borrower;

create table history as
with since as (
    select
        loan, borrower,
        coalesce(arrears_since, $business_date + 1) as since,
        coalesce(arrears_since, $business_date - 20) as step_since
    from candidates
),
counted as (
    select
        s.loan,
        cast(count(*) filter (where c.direction = 'out' and c.class = 'dunning'
            and c.channel in ('sms', 'email', 'push', 'im', 'in_app')
            and c.contact_on >= s.since) as integer)
            as texts_since_arrears,
        cast(count(*) filter (where c.direction = 'out' and c.channel = 'voice'
            and c.contact_on >= s.since) as integer) as calls_since_arrears,
        coalesce(bool_or(c.contact_on >= s.since
            and (c.direction = 'in' or c.outcome = 'replied')), false) as replied_since_arrears,
        coalesce(bool_or(c.contact_on >= s.since and c.channel = 'voice'
            and c.outcome = 'connected'), false) as answered_since_arrears,
        $business_date - max(case when c.direction = 'out' and c.class = 'dunning'
            and c.channel in ('sms', 'email', 'push', 'im', 'in_app')
            then c.contact_on end) as days_since_text,
        -- A receipt or a notice that law demands asks for no answer, so none is waited for.
        $business_date - max(case when c.direction = 'out'
            and c.class not in ('receipt', 'statutory')
            then c.contact_on end) as days_since_contact,
        cast(count(*) filter (where c.direction = 'out' and c.outcome = 'undelivered'
            and c.contact_on >= s.since) as integer) as undelivered_count,
        -- The latest text of all, of one instant the one with the greatest id.
        arg_max({'outcome': c.outcome, 'channel': c.channel}, (c.at, c.contact_id))
            filter (where c.direction = 'out'
                and c.channel in ('sms', 'email', 'push', 'im', 'in_app')) as last_text,
        $step_columns
    from since as s
    join contact_rows as c on c.borrower = s.borrower
    group by s.loan, s.since, s.step_since
)
select
    * exclude (last_text),
    coalesce(last_text.outcome = 'undelivered', false) as undelivered_last,
    coalesce(last_text.outcome = 'undelivered' and last_text.channel = 'email', false)
        as undelivered_email
from counted;
