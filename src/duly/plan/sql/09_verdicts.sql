-- The law, asked of each candidate: one column a rule, on the facts of loan, channel and class.
-- `asked` stands apart: the door asks the same rules of the same facts, one message at a time.
create view asked as
with steps as (
    select s.*, t.template, t.class, t.sends, t.calls, t.relieves, t.leaves, t.wait_reason,
        t.task_kind, t.script, t.step_reason, t.priority, t.expires_days,
        case when s.tone_ceiling_rank < t.tone_rank then s.tone_ceiling else t.tone end as tone
    from (select *, $tone_ceiling as tone_ceiling, $tone_ceiling_rank as tone_ceiling_rank
          from proposals) as s
    left join treatments as t on t.step = s.step
),
chosen as (
    select
        s.*, v.borrower is not null as verified_before_signal, x.rules as closed_by,
        case when x.sms then 'sms' when x.email then 'email' end as closed_channel,
        $channel as text_channel
    from steps as s
    left join security_points as v on v.borrower = s.borrower
    -- A channel on which the finished text breaks a rule about texts is closed to it.
    left join closed_texts as x on x.loan_id = s.loan_id
),
routed as (
    select
        c.*,
        coalesce(case when c.sends then c.text_channel end,
                 case when c.sends and not c.calls then c.closed_channel end,
                 case when c.calls or c.sends then 'voice' end, 'sms') as channel,
        coalesce(c.sends and c.text_channel is not null, false) as can_send,
        coalesce((c.calls or c.sends) and c.can_voice, false) as can_call,
        coalesce(c.sends and c.text_channel is null and c.closed_by is not null, false)
            as text_unlawful
    from chosen as c
)
-- Every fact of the rules' vocabulary, side by side in one struct.
select r.*, {$fact_columns} as fact
from routed as r;

create view verdicts as
with spoken as (
    select a.* exclude (fact), k.text_at, k.text_until, k.voice_at, k.voice_until, k.next_open_on,
        n.n_lender_week, n.at_lender_week, n.n_lender_day,
        $rule_columns
    from asked as a
    join people_slots as k on k.borrower = a.borrower
    left join cap_counts as n on n.borrower = a.borrower
)
select
    s.*,
    $block_reason as block_reason,
    $cap_until as cap_until,
    case when closed_by is not null
             then list_filter([$legal_with_texts], lambda x: x is not null)
         when $any_spoke then list_filter([$legal_list], lambda x: x is not null)
         else [] end as legal
from spoken as s;
