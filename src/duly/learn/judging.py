"""One experiment judged: who entered, what came of them, what may be said, and what must stop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from duly.core.errors import Refused
from duly.learn import estimating, harm, offpolicy, power, sequential, uplift
from duly.learn.arrays import Flags, Floats, Ints, refused
from duly.learn.exposing import HOLDOUT, KNOWN
from duly.learn.observing import Observing, days_of
from duly.policy import Arm, Experiment, Holdout

Found: TypeAlias = dict[str, object]
#: How long after his entry a harm of somebody counts.
FOLLOW_DAYS = 30
#: Where an experiment does not say what is worth finding, in basis points.
WORTH_BASIS_POINTS = 100
HOLDOUT_MEASURE = "cured_30d"
ALPHA = 0.05
_EPOCH, _FOREVER = date(1970, 1, 1), 1 << 40


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What was said of a comparison before its start."""

    id: str
    shares: Mapping[str, float]
    control: str
    measure: str
    stop_on: tuple[str, ...]
    detect: float
    salt: str
    #: The first day without an arm that ended, since 1970-01-01.
    ended: Mapping[str, int] = field(default_factory=dict)

    @property
    def compared(self) -> tuple[str, ...]:
        """The arms that are compared with the control."""
        return tuple(name for name, share in self.shares.items() if share and name != self.control)

    @property
    def tuned_at(self) -> int:
        """The people at which the looks are sharpest: what the effect needs at a baseline of half.

        It depends on nothing that is seen, so that nobody can choose it afterwards.
        """
        design = power.Design(
            baseline=0.5, effect=min(self.detect, 0.49), shares=self.shares, control=self.control
        )
        return power.needed(design).people_at_any_look


def rules_of(experiment: Experiment, ended: Mapping[str, date] | None = None) -> Rules:
    """Return the rules of an experiment of a policy, `ended` by `exposing.ended_on`."""
    days = {arm: (day - _EPOCH).days for arm, day in (ended or {}).items()}
    made = _rules(
        experiment.id, experiment.arms, experiment.control, experiment.measure,
        experiment.stop_on, experiment.detect_basis_points, experiment.salt,
    )  # fmt: skip
    return replace(made, ended=days)


def rules_of_holdout(holdout: Holdout) -> Rules:
    """Return the rules of a holdout: what reminders do, against who hears none."""
    arms = (
        Arm(name="held", basis_points=holdout.basis_points),
        Arm(name="open", basis_points=10_000 - holdout.basis_points),
    )
    return _rules(HOLDOUT, arms, "held", HOLDOUT_MEASURE, (), None, holdout.salt)


def _rules(
    name: str,
    arms: tuple[Arm, ...],
    control: str,
    measure: str,
    stop_on: tuple[str, ...],
    detect: int | None,
    salt: str,
) -> Rules:
    return Rules(
        id=name, shares={arm.name: arm.basis_points / 10_000 for arm in arms}, control=control,
        measure=measure, stop_on=stop_on, detect=(detect or WORTH_BASIS_POINTS) / 10_000, salt=salt,
    )  # fmt: skip


def judge(rules: Rules, entries: pa.Table, seen: Observing) -> Found:
    """Return what a book says of one experiment, as plain values that a program may read.

    Refuses (Refused) one that nobody entered by the day of the book.
    """
    mine = entries.filter(pc.equal(entries["experiment"], rules.id))
    if mine.num_rows == 0:
        raise refused("nobody_entered", id=rules.id)
    observed = seen.outcomes(mine, rules.measure)
    inside = observed.entered_on <= seen.as_of
    if not inside.any():
        raise refused("nobody_entered", id=rules.id)
    arm = np.array(mine["arm"].to_pylist())
    people = {name: int((inside & (arm == name)).sum()) for name in rules.shares}
    # Of all arms' people, those who could have been drawn into any of them.
    all_ran = inside & (observed.entered_on < min(rules.ended.values(), default=_FOREVER))
    drawn = {name: int((all_ran & (arm == name)).sum()) for name in rules.shares}
    known = ~np.isnan(observed.outcome)
    case = _Case(
        rules=rules, arm=arm[known], entered=observed.entered_on[known],
        outcome=observed.outcome[known],
        ids=[one for one, kept in zip(mine["borrower_id"].to_pylist(), known, strict=True) if kept],
        before=_before(mine)[known], band=np.array(mine["score_band"].to_pylist())[known],
    )  # fmt: skip
    return {
        "id": rules.id,
        "measure": rules.measure,
        "control": rules.control,
        "detect": rules.detect,
        "tuned_at": rules.tuned_at,
        "people": people,
        "known": {name: int((case.arm == name).sum()) for name in rules.shares},
        "pending": int(
            (inside & (observed.entered_on + days_of(rules.measure) > seen.as_of)).sum()
        ),
        "lost": {name: int((observed.lost[arm == name] > 0).sum()) for name in rules.shares},
        "listed_twice": int((_ints(mine["arms"]) > 1).sum()),
        "mismatched": list(estimating.mismatched(drawn, rules.shares)),
        "arms": [_arm(case, name) for name in rules.compared],
        "harms": _harms(rules, mine, arm, observed.entered_on, seen),
    }


@dataclass(frozen=True, kw_only=True)
class _Case:
    """People whose outcome is known."""

    rules: Rules
    arm: npt.NDArray[np.str_]
    entered: Ints
    outcome: Floats
    ids: list[str]
    before: Floats
    band: npt.NDArray[np.str_]

    def of(self, name: str, *, beside: str) -> Flags:
        """Return who is in an arm, of those who could have been drawn into `beside`."""
        made: Flags = (self.arm == name) & (self.entered < self.rules.ended.get(beside, _FOREVER))
        return made


def _arm(case: _Case, name: str) -> Found:
    """Return one arm against the control: at one look, at any look, and whom it changes."""
    left, right = case.of(case.rules.control, beside=name), case.of(name, beside=name)
    alpha = ALPHA / len(case.rules.compared)
    y, x = case.outcome, case.before

    def look() -> estimating.Estimate:
        adjusted = estimating.cuped(y[left], y[right], x[left], x[right], level=1 - alpha)
        return sequential.looked(adjusted, tuned_at=case.rules.tuned_at, alpha=alpha)

    at_any_look = _or_why(look)
    return {
        "arm": name,
        "one_look": _or_why(
            lambda: estimating.difference_in_shares(y[left], y[right], level=1 - alpha)
        ),
        "at_any_look": at_any_look,
        "verdict": _verdict(at_any_look, case.rules.detect),
        "whom": _whom(case, name),
    }


def _or_why(ask: Callable[[], estimating.Estimate]) -> Found:
    """Return an estimate as plain values, or why there is none."""
    try:
        return asdict(ask())
    except Refused as reason:
        return {"refused": why(reason)}


def why(reason: Refused) -> Found:
    """Return the first diagnostic of a refusal as plain values."""
    one = reason.diagnostics[0]
    return {"code": one.code, "values": {name: str(value) for name, value in one.values.items()}}


def _verdict(found: Found, detect: float) -> str:
    """Return what may be said at this look, and at every other."""
    low, high = found.get("low"), found.get("high")
    if not isinstance(low, float) or not isinstance(high, float):
        return "too_early"
    if low > 0:
        return "better"
    if high < 0:
        return "worse"
    return "no_difference" if -detect < low and high < detect else "open"


def _whom(case: _Case, name: str) -> Found:
    """Return whom the arm changes: by score band, and by an order learnt on the other half."""
    rules = case.rules
    both = case.of(rules.control, beside=name) | case.of(name, beside=name)
    share = rules.shares[name] / (rules.shares[name] + rules.shares[rules.control])
    ids = [one for one, kept in zip(case.ids, both, strict=True) if kept]
    first, before = uplift.halves(ids, rules.salt), case.before[both]
    try:
        scores = uplift.robust_scores(
            case.outcome[both], case.arm[both] == name, before, first, share=share
        )
        order = uplift.expected(scores, before, first)
        bands = uplift.named_groups(scores, case.band[both], worth=rules.detect)
        return {
            "qini": asdict(uplift.qini(scores, order)),
            "fifths": [asdict(one) for one in uplift.groups(scores, order, worth=rules.detect)],
            "score_bands": {band: asdict(one) for band, one in bands.items()},
        }
    except Refused as reason:
        return {"refused": why(reason)}


def _harms(
    rules: Rules, mine: pa.Table, arm: npt.NDArray[np.str_], entered: Ints, seen: Observing
) -> list[Found]:
    """Return what each harm says of each arm; alpha is shared among them."""
    alpha = ALPHA / max(1, len(rules.stop_on) * len(rules.compared))
    told: list[Found] = []
    for name in rules.stop_on:
        harmed = seen.harmed_on(mine, name)

        for other in rules.compared:
            ran = entered < rules.ended.get(other, _FOREVER)

            def of(one: str, harmed: Ints = harmed, ran: Flags = ran) -> harm.People:
                mine = ran & (arm == one)
                return harm.People(entered_on=entered[mine], harmed_on=harmed[mine])

            row: Found = {"harm": name, "arm": other}
            try:
                watched = harm.watch(
                    of(rules.control), of(other), until=seen.as_of, follow_days=FOLLOW_DAYS,
                    alpha=alpha,
                )  # fmt: skip
                row |= {**asdict(watched), "stops": watched.stops, "p_value": watched.p_value}
            except Refused as reason:
                row["refused"] = why(reason)
            told.append(row)
    return told


def value(rules: Rules, entries: pa.Table, seen: Observing, give: Mapping[str, str]) -> Found:
    """Return what a policy would be worth that gives each score band an arm, never run so.

    Of people who entered while every arm ran; compared with the control for everybody. Refuses
    (Refused) a band or an arm that `give` leaves out or does not know, and what
    `offpolicy.estimate` refuses.
    """
    mine = entries.filter(pc.equal(entries["experiment"], rules.id))
    observed = seen.outcomes(mine, rules.measure)
    ran = observed.entered_on < min(rules.ended.values(), default=_FOREVER)
    known = ran & ~np.isnan(observed.outcome)
    arms = [name for name, share in rules.shares.items() if share]
    band = np.array(mine["score_band"].to_pylist())[known]
    _check_given(give, arms, sorted(set(band.tolist())))
    arm = np.array(mine["arm"].to_pylist())[known]
    action = np.array([arms.index(one) for one in arm.tolist()], np.int64)
    logged = offpolicy.Logged(
        action=action, reward=observed.outcome[known],
        chances=np.tile([rules.shares[one] for one in arms], (action.size, 1)),
    )  # fmt: skip
    policy, control = np.zeros_like(logged.chances), np.zeros_like(logged.chances)
    policy[np.arange(band.size), [arms.index(give[one]) for one in band.tolist()]] = 1
    control[:, arms.index(rules.control)] = 1
    ids = [one for one, kept in zip(mine["borrower_id"].to_pylist(), known, strict=True) if kept]
    model = uplift.expected_rewards(
        logged.reward, action, len(arms), _before(mine)[known], uplift.halves(ids, rules.salt)
    )
    return {
        "id": rules.id,
        "measure": rules.measure,
        "control": rules.control,
        "give": dict(give),
        **asdict(offpolicy.estimate(logged, policy, model)),
        "gain": asdict(offpolicy.compare(logged, policy, control, model)),
    }


def _check_given(give: Mapping[str, str], arms: list[str], bands: list[str]) -> None:
    for one in give.values():
        if one not in arms:
            raise refused("give_unknown", arm=one, known=", ".join(arms))
    missing = [one for one in bands if one not in give]
    if missing:
        raise refused("give_missing", bands=", ".join(missing))


def stops(found: Mapping[str, object]) -> list[tuple[str, str, str, int]]:
    """Return experiment, arm, harm and day of every arm of a judged experiment that must end."""
    harms = found["harms"]
    assert isinstance(harms, list)
    return [
        (str(found["id"]), row["arm"], row["harm"], row["crossed_on"])
        for row in harms
        if row.get("stops")
    ]


def _before(entries: pa.Table) -> Floats:
    columns = [np.array(entries[name].to_numpy(), np.float64) for name in KNOWN]
    return np.column_stack(columns)


def _ints(column: pa.ChunkedArray) -> Ints:
    return np.array(column.cast(pa.int64()).to_numpy(), np.int64)
