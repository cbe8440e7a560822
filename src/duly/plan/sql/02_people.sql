-- The borrowers of the candidates, each with one address a channel: active, personal, and not
-- known to belong to somebody else; the most recently verified one first.
create table people as
with who as (select distinct borrower from candidates),
doubtful as (
    select distinct borrower from contact_points where status = 'wrong_person'
),
mine as (
    -- A number is the same however it is written; so is an e-mail address. Spelling is only looked
    -- at where somebody has said that an address is not the borrower's.
    select c.*, case when d.borrower is not null then $address_key end as key
    from contact_points as c
    join who as w on w.borrower = c.borrower
    left join doubtful as d on d.borrower = c.borrower
),
strangers as (
    select distinct borrower, key from mine where status = 'wrong_person'
),
points as (
    select
        m.borrower, m.channel, m.address,
        -- What was verified when it changed, or since, is no reason for doubt.
        case when coalesce(m.verified_on < m.changed_on, true) then m.changed_on end as doubted_on,
        row_number() over (
            partition by m.borrower, m.channel
            order by m.verified_on desc nulls last, m.changed_on desc nulls last, m.address
        ) as place
    from mine as m
    left join strangers as s on s.borrower = m.borrower and s.key = m.key
    where m.status = 'active' and m.use = 'personal' and s.key is null
),
chosen as (
    select
        borrower,
        max(case when channel = 'sms' and place = 1 then address end) as sms_address,
        max(case when channel = 'email' and place = 1 then address end) as email_address,
        max(case when channel = 'voice' and place = 1 then address end) as voice_address,
        max(case when channel = 'email' then doubted_on end) as email_changed_on,
        max(case when channel <> 'email' then doubted_on end) as number_changed_on
    from points
    group by borrower
)
select
    b.borrower, b.borrower_id, b.name, b.locale, b.time_zone, b.region, b.preferred_channel,
    b.monthly_income, b.quiet_from, b.quiet_until,
    c.sms_address, c.email_address, coalesce(c.voice_address, c.sms_address) as voice_address,
    c.email_changed_on, c.number_changed_on
from borrowers as b
join who as w on w.borrower = b.borrower
left join chosen as c on c.borrower = b.borrower;
