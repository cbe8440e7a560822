"""Do the policy's own limits keep the law's caps, and can each step act as often as it says?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from duly.conditions.solver import Term, conjunction, disjunction, negation
from duly.policy import Treatment
from duly.proofs import caps
from duly.proofs.draft import Moment
from duly.proofs.person import Built
from duly.proofs.question import Detail, Prepare, Question, Theory, nothing_more
from duly.proofs.rerun import Outcome


def questions(theory: Theory, *, seconds: float) -> Iterator[Question]:
    """Give the findings about limits: each is a question that somebody answers by waiting."""
    policy = theory.policy
    if policy.limits.texts_per_7_days == 0:
        numbers = _texts(theory)
        if numbers:
            yield _waits(theory, Detail(code="limit_silences", path=("limits", "texts_per_7_days")),
                         numbers, days=(), reason="cap")  # fmt: skip
        return
    yield from _loose(theory, seconds)
    yield from _rhythms(theory)


def _texts(theory: Theory) -> list[int]:
    """Return the treatments whose texts count in every cap."""
    return [
        number
        for number, one in enumerate(theory.policy.treatments)
        if one.send is not None and theory.classes[one.send.template] == "dunning"
    ]


def _policy_limits(theory: Theory, *, cooldown: bool = True, week: bool = True) -> list[caps.Limit]:
    """Return the limits that the policy itself states."""
    found = list(caps.own(theory.policy, 1, theory.policy.limits.texts_per_7_days))
    kept = [found[0]] if week else []
    return kept + (found[2:] if cooldown else [])


def _loose(theory: Theory, seconds: float) -> Iterator[Question]:
    limits, policy = _policy_limits(theory), theory.policy
    seen: set[str] = set()
    for rule_id, cap in caps.text_caps(theory.rules):
        days = caps.broken_by(limits, cap, seconds=seconds)
        if days is None:
            continue
        by_day = cap.seconds is None
        code, key = (
            ("cooldown_below_cap", "cooldown_days")
            if by_day
            else ("limit_above_cap", "texts_per_7_days")
        )
        if code in seen or not _texts(theory):
            continue
        seen.add(code)
        values = {"rule": rule_id, "cap": cap.name, "value": getattr(policy.limits, key)}
        yield _waits(
            theory, Detail(code=code, path=("limits", key), values=values), _texts(theory),
            days=days, reason="cap", legal=rule_id,
        )  # fmt: skip


def _rhythms(theory: Theory) -> Iterator[Question]:
    cooldown = theory.policy.limits.cooldown_days
    can: dict[int, bool] = {}
    for number in _texts(theory):
        one = theory.policy.treatments[number]
        every = one.every_days
        if every is None:
            continue
        values = {"id": one.id, "every": every, "cooldown": cooldown,
                  "texts": theory.policy.limits.texts_per_7_days}  # fmt: skip
        path = ("treatments", number, "every")
        if every < cooldown:
            yield _waits(theory, Detail(code="every_below_cooldown", path=path, values=values),
                         [number], days=(every,), reason="cooldown", step=one)  # fmt: skip
            continue
        if every not in can:
            can[every] = caps.can_repeat(_policy_limits(theory), every)
        if not can[every]:
            days = tuple(
                every * place for place in range(theory.policy.limits.texts_per_7_days, 0, -1)
            )
            yield _waits(theory, Detail(code="every_above_limit", path=path, values=values),
                         [number], days=days, reason="cap", step=one)  # fmt: skip


def _waits(
    theory: Theory,
    detail: Detail,
    numbers: Sequence[int],
    *,
    days: tuple[int, ...],
    reason: str,
    legal: str = "",
    step: Treatment | None = None,
) -> Question:
    """Return the question for somebody to whom a step would write, and whom a limit makes wait.

    `days` are those before today on which texts went out, the oldest first.
    """
    state, one = theory.state, theory.one
    wanted: list[Term] = [one.decided, state.value("days_past_due") > 0]
    if days:
        wanted += [
            state.within("days_since_text", days[-1], days[-1]),
            state.within("days_since_contact", days[-1], days[-1]),
            state.value("texts_since_arrears") == len(days),
            state.value("days_since_arrears") >= days[0],
        ]
    else:
        wanted += [state.null("days_since_text"), state.value("texts_since_arrears") == 0]
    if step is not None:
        last = state.steps[step.id]
        wanted += [negation(last.null), last.value == days[-1]]
    chosen = one.chosen_of(numbers)
    # Where another treatment comes first on such a day, it is the one that lets the borrower wait.
    first = theory.alone.holds(*wanted, chosen)
    ready = [conjunction([one.conditions[number], one.days[number]]) for number in numbers]
    wanted.append(chosen if first else disjunction(ready))

    def shows(outcomes: Sequence[Outcome]) -> bool:
        decided = outcomes[0].decision
        spoke = decided.get("legal")
        named = not legal or (isinstance(spoke, list) and legal in spoke)
        because = not first or (decided.get("reason") == reason and named)
        return decided.get("decision") == "wait" and because

    return Question(
        claim=detail.code,
        asker=theory.alone,
        wanted=tuple(wanted),
        shows=lambda _answer: shows,
        detail=lambda _answer: detail,
        prepare=lambda _answer: _spread(days) if len(days) > 1 else nothing_more,
    )


def _spread(days: tuple[int, ...]) -> Prepare:
    """Put the texts of the arrears on their days."""

    def prepare(people: Sequence[Built], moment: Moment) -> None:
        for one in people:
            texts = [row for row in one.tables.get("contacts", []) if row["channel"] == "sms"]
            for place, (row, ago) in enumerate(zip(texts, days, strict=False)):
                row["at"] = moment.at(ago, 8, place)

    return prepare
