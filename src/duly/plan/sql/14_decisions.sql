-- One row for every loan of the book, with its reason; plan/ordered.py puts them in order.
select
    l.loan, l.loan_id, l.borrower_id, $business_date as business_date,
    case
        when l.quarantined then 'quarantined'
        when d.loan is not null then d.decision
        else 'none'
    end as decision,
    case
        when l.quarantined then 'quarantined'
        when d.loan is not null then d.final_reason
        when l.status <> 'active' and (l.status_on is null or l.status_on <= $business_date)
            then l.status
        else 'nothing_due'
    end as reason,
    case when d.lane in ('step', 'resting', 'holdout') then d.step end as rule,
    coalesce(d.legal, []) as legal,
    d.said_channel as channel, d.said_template as template, d.said_tone as tone,
    d.not_before, d.not_after, d.next_review_on,
    case when d.decision = 'contact' then m.message_id end as message_id,
    d.final_task_kind as task_kind,
    case
        when d.final_task_kind is null then null
        when d.final_task_kind in ('care', 'review', 'restricted') then coalesce(d.priority, 1)
        else coalesce(d.priority, 5)
    end as priority,
    case when d.final_task_kind is not null
        then $business_date + coalesce(d.expires_days, 2) end as expires_on,
    d.score, d.score_band$arms_out
from loans as l
left join decided as d on d.loan = l.loan
left join message_ids as m on m.loan = d.lead_loan;
