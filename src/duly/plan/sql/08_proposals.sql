-- What would happen to each candidate by signals and policy alone, before the law is asked.
-- Order: security (no demand), nothing due, what binds the person, floor, holds, then the policy.
create view scored as
select y.*, $arm_columns
from (
    select x.*, $score_band as score_band
    from (
        select f.*, $relief_columns, $score as score
        from features as f
        left join model_scores as z on z.scored_loan = f.loan
    ) as x
) as y;

create view proposals as
with held as (
    select
        s.*,
        $hold_reason as hold_reason,
        $hold_since as hold_since,
        $hold_review as hold_review_on,
        $days_to_contact as days_to_contact
    from scored as s
),
matched as (
    select h.*, case when $applies then $treatment end as step
    from held as h
),
rested as (
    select m.*, $resting_until as resting_until
    from matched as m
)
select
    *,
    -- Who may be compared: nothing holds the loan back, and enough is owed to speak of.
    case
        when $applies and hold_reason is null and abnormal_other_since is null
            and not coalesce(security_signal, false)
            and case when days_past_due > 0 then overdue_total >= $floor_minor
                     else coalesce(next_due_amount >= $floor_minor, false) end
        then $arms
    end as arms,
    case
        when security_signal and abnormal_other_since is null and step is not null then
            case when resting_until > $business_date then 'resting' else 'step' end
        when days_past_due = 0 and abnormal_other_since is null
            and (days_to_due is null or days_to_due > $look_ahead_days) then 'nothing_due'
        when hold_reason in ($blocking_reasons) and $business_date > hold_review_on
            then 'hold_review'
        when hold_reason in ($blocking_reasons) then 'blocked'
        when abnormal_other_since is not null then 'restricted'
        when days_past_due > 0 and overdue_total < $floor_minor then 'below_floor'
        when days_past_due = 0 and next_due_amount < $floor_minor then 'below_floor'
        when hold_reason is not null and $business_date > hold_review_on then 'hold_review'
        when hold_reason is not null then 'hold'
        when $withheld then 'holdout'
        when step is not null and resting_until > $business_date then 'resting'
        when step is not null then 'step'
        when days_past_due = 0 then 'nothing_due'
        when grace_ends_on >= $business_date then 'grace'
        when days_to_contact > 0 then 'patience'
        when not $applies then 'no_policy'
        else 'step_done'
    end as lane,
    case
        when days_delinquent < 1 and grace_ends_on >= $business_date then grace_ends_on + 1
        when days_to_contact > 0 then $business_date + cast(days_to_contact as integer)
        else $business_date + 1
    end as next_step_on
from rested;
