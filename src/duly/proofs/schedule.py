"""The schedule and payments of one borrower, so that the position comes out as the solver chose."""

from __future__ import annotations

from decimal import Decimal

from duly.proofs import family
from duly.proofs.draft import Draft, Row, major, text


def schedule(draft: Draft) -> None:
    """Add the loans with their installments and payments."""
    rows: list[tuple[int, int, Row]] = []  # (days ago of the due date, order, cells)
    part = _payments_before(draft, rows)
    _overdue(draft, rows, part)
    _future(draft, rows)
    rows.sort(key=lambda row: (-row[0], row[1]))
    for number, (ago, _, cells) in enumerate(rows, start=1):
        draft.add(
            "installments",
            **{"loan_id": draft.loan_id, "number": str(number), "due_on": draft.moment.day(ago),
               "interest": "0", "fee": "0"} | cells,
        )  # fmt: skip
    whole = sum((Decimal(cells["principal"]) for _, _, cells in rows), Decimal(0))
    _loan(draft, draft.loan_id, str(whole))
    for extra in range(1, draft.number_of("loans_of_borrower")):
        name = f"{draft.loan_id}-{extra}"
        _loan(draft, name, "100.00")
        draft.add(
            "installments", loan_id=name, number="1", due_on=draft.moment.day(-300),
            principal="100.00", interest="0", fee="0",
        )  # fmt: skip


def _loan(draft: Draft, loan_id: str, principal: str) -> None:
    draft.add(
        "loans", loan_id=loan_id, borrower_id=draft.borrower_id, principal=principal,
        disbursed_on=draft.moment.day(8_000), late_rate_daily=_rate(draft), grace_days="0",
        product=text(draft, "product", "installment"),
        creditor=text(draft, "creditor", draft.moment.lender_name),
        currency=text(draft, "currency", "CNY"),
        jurisdiction=text(draft, "jurisdiction", draft.moment.jurisdiction), status="active",
    )  # fmt: skip


def _rate(draft: Draft) -> str:
    """Return the daily rate at which the late charge asked for accrues since the due date."""
    charge, past = draft.number_of("late_charge"), draft.number_of("days_past_due")
    if charge == 0:
        return "0"
    rate = Decimal(charge) / (draft.number_of("overdue_principal") * past)
    return str(rate.quantize(Decimal("0.00000001")))


def pay(draft: Draft, ago: int, minor: int, reversed_ago: int | None = None) -> None:
    """Add a payment, which may have come back."""
    place = len(draft.tables.get("payments", [])) + 1
    draft.add(
        "payments", payment_id=f"{draft.loan_id}-p{place}", loan_id=draft.loan_id,
        paid_on=draft.moment.day(ago), amount=major(minor), kind="payment",
        reversed_on="" if reversed_ago is None else draft.moment.day(reversed_ago),
    )  # fmt: skip


def _payments_before(draft: Draft, rows: list[tuple[int, int, Row]]) -> int:
    """Add what was paid before today; return the part that went to the oldest overdue one."""
    past, most = draft.number_of("days_past_due"), draft.number_of("days_past_due_max_12m")
    since, rest = draft.known("days_since_paid"), draft.number_of("paid_total")
    overdue = draft.number_of("installments_overdue") if past <= family.RECENT_DAYS else 0
    before = draft.number_of("late_count_12m") - overdue
    after = draft.number_of("late_count_before_arrears")
    if since is None:
        return 0
    settled = since if since >= past else past + family.APART_DAYS
    for place in range(before):
        longest = most if most > past or past == 0 else 1
        days = longest if place == 0 else 1
        last = place == 0 and since >= past
        worth = rest - family.PAST_MINOR * (before - 1) if last else family.PAST_MINOR
        cells = {"principal": major(worth)}
        if place >= after:
            cells["grace_until"] = draft.moment.day(settled)
        rows.append((settled + days, -1, cells))
        pay(draft, settled, worth)
        settled += days + family.APART_DAYS
    if since < past:
        part = rest - family.PAST_MINOR * before
        pay(draft, since, part)
        return part
    if before == 0:
        rows.append((since, -1, {"principal": major(rest)}))
        pay(draft, since, rest)
    return 0


def _overdue(draft: Draft, rows: list[tuple[int, int, Row]], part: int) -> None:
    past, counted = draft.number_of("days_past_due"), draft.number_of("days_delinquent")
    count = draft.number_of("installments_overdue")
    if past == 0:
        return
    plan = draft.known("days_since_plan_broken")
    paused = family.PLAN_DAYS if plan is not None and plan + family.PLAN_DAYS < past else 0
    principal = draft.number_of("overdue_principal")
    share = max(1, principal // count)
    apart = 30 if past > 30 * (count - 1) else 1
    in_window = past <= family.RECENT_DAYS
    before = draft.number_of("late_count_before_arrears")
    own = 1 if counted >= 1 and in_window else 0
    others = max(0, draft.number_of("late_count_12m_after_grace") - own - before)
    for place in range(count):
        ago = past - place * apart
        first = place == 0
        cells = {"principal": major(principal - share * (count - 1) if first else share)}
        if first:
            cells["interest"] = major(draft.number_of("overdue_interest"))
            cells["fee"] = major(draft.number_of("overdue_fee") + part)  # Fees are paid first.
            grace = counted + paused if counted >= 1 else 0
            cells["grace_until"] = draft.moment.day(grace if counted >= 1 else -1)
        elif place > others:
            cells["grace_until"] = draft.moment.day(-1)
        rows.append((ago, place, cells))


def _future(draft: Draft, rows: list[tuple[int, int, Row]]) -> None:
    due, ahead = draft.number_of("next_due_amount"), draft.known("days_to_due")
    rest = draft.number_of("outstanding_total") - draft.number_of("overdue_total") - due
    if ahead is not None:
        rows.append((-ahead, 90, {"principal": major(due)}))
        if rest > 0:
            rows.append((-ahead - 30, 91, {"principal": major(rest)}))
    if not rows:  # A loan has a schedule, even one that is paid.
        rows.append((900, 0, {"principal": "0.01"}))
        pay(draft, 900, 1)
