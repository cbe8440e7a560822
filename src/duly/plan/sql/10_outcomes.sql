-- Signals, policy and law together, one loan at a time, before one conversation per person.
create table outcomes as
select
    loan, loan_id, borrower, borrower_id, lane, step, legal, class, template, tone, channel,
    case when unsayable then 'review' else task_kind end as task_kind,
    case when unsayable then coalesce(priority, 5) else priority end as priority,
    expires_days, text_at, text_until, voice_at, voice_until, next_open_on,
    cap_until, resting_until, next_step_on, hold_reason, hold_review_on, score, score_band,
    name, locale, creditor, currency, sms_address, email_address, days_past_due, days_delinquent,
    overdue_total, overdue_principal, overdue_interest, overdue_fee, late_charge, overdue_since,
    next_due_on, next_due_amount, report_on, accrues, returned_paid_on, returned_amount,
    installments_overdue, arms, days_since_text is not null as met_before,
    case
        when lane in ('nothing_due', 'below_floor', 'holdout') then 'none'
        when lane = 'blocked' then 'blocked'
        when lane in ('restricted', 'hold_review') then 'task'
        when lane = 'hold' then 'hold'
        when lane in ('resting', 'grace', 'patience', 'step_done', 'no_policy') then 'wait'
        when template = 'verify_security' and not can_send then 'task'
        when looks then 'task'
        when block_reason is not null or no_point then 'blocked'
        when unsayable then 'task'
        when can_send and cap_until is not null then 'wait'
        when can_send and text_at is null then 'wait'
        when can_send then 'contact'
        when (calls or sends) and can_call and cap_until is not null then 'wait'
        when (calls or sends) and can_call and voice_at is null then 'wait'
        when (calls or sends) and can_call then 'task'
        when sends then 'blocked'
        when task_kind is not null then 'task'
        when leaves then 'none'
        else 'wait'
    end as outcome,
    case
        when lane in ('nothing_due', 'below_floor', 'holdout', 'grace', 'patience', 'step_done',
                      'no_policy')
            then lane
        when lane = 'resting' then coalesce(wait_reason, 'cooldown')
        when lane in ('blocked', 'hold') then hold_reason
        when lane = 'restricted' then 'review'
        when lane = 'hold_review' then 'hold_review'
        when template = 'verify_security' and not can_send then 'verify_contact'
        when looks then step_reason
        when block_reason is not null then block_reason
        when no_point then 'no_contact_point'
        when unsayable then 'text_unlawful'
        when (can_send or ((calls or sends) and can_call)) and cap_until is not null then 'cap'
        when can_send and text_at is null then 'window'
        when can_send then template
        when (calls or sends) and can_call and voice_at is null then 'window'
        when calls and can_call then step_reason
        when sends and can_call then 'no_text_channel'
        when sends and (opted_out_sms or opted_out_email or opted_out_voice)
            then 'opt_out'
        when sends then 'no_channel'
        else step_reason
    end as reason,
    coalesce(lane = 'step' and (calls or sends)
        and not (coalesce(template, '') = 'verify_security' and not can_send)
        and not unsayable, false) as speaks,
    looks
from (
    -- No channel may carry the words, and nothing else forbids a contact: a person looks at them.
    select *, coalesce(text_unlawful and not calls and block_reason is null and not no_point
        and not looks, false) as unsayable
    from (
        select *, (sends or calls) and not has_sms and not has_email and not has_voice as no_point,
            coalesce(lane = 'step' and relieves and not can_voice
                and (has_sms or has_email or has_voice), false) as looks
        from verdicts
    ) as v
) as w;
