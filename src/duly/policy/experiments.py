"""Who is in which arm: a draw from the borrower's id and a salt, the same on every day and machine.

A draw is the architecture's: the first 8 hexadecimal digits of md5(id, unit separator, salt), mod
10000. The arms take it in bands, in the order of the file, so an arm that is added at the end and
takes its share from the last one moves nobody between the others.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

from duly.conditions import Condition
from duly.conditions.tree import And, IsNull, Name
from duly.policy.features import arm_field

WHOLE_BASIS_POINTS = 10_000
#: Who was in hardship once is not experimented with again, and hears what everybody hears.
SPARED = "days_since_hardship_ended"
#: All that a holdout withholds; notices, offers of relief, receipts, answers and help go out.
WITHHELD_TEMPLATES = ("due_soon", "due_today", "first_late", "overdue")
WITHHELD_TASKS = ("call",)


def draw(borrower_id: str, salt: str) -> int:
    """Return a borrower's draw in 0…9999.

    >>> draw("B1", "spring"), draw("B1", "autumn")
    (7303, 5906)
    """
    text = f"{borrower_id}\x1f{salt}".encode()
    return int(hashlib.md5(text, usedforsecurity=False).hexdigest()[:8], 16) % WHOLE_BASIS_POINTS


def draw_sql(salt: str) -> str:
    """Return `draw` as SQL over borrower_id."""
    quoted = salt.replace("'", "''")
    digits = f"substr(md5(borrower_id || chr(31) || '{quoted}'), 1, 8)"
    return f"(cast('0x' || {digits} as bigint) % {WHOLE_BASIS_POINTS})"


@dataclass(frozen=True, kw_only=True)
class Arm:
    """One arm of an experiment, its share in basis points."""

    name: str
    basis_points: int


@dataclass(frozen=True, kw_only=True)
class Experiment:
    """A comparison: for whom, which arms, what is measured, which harm stops it.

    `control` is the arm that the others are compared with. `detect_basis_points` is the smallest
    effect that is worth finding, said before the start.
    """

    id: str
    where: Condition
    arms: tuple[Arm, ...]
    measure: str
    stop_on: tuple[str, ...]
    salt: str
    control: str
    detect_basis_points: int | None = None
    ended: tuple[str, ...] = ()  #: arms that harmed; who is drawn into one gets the control

    @property
    def field(self) -> str:
        """Return the column that holds a loan's arm."""
        return arm_field(self.id)

    @property
    def enters(self) -> Condition:
        """Return who has an arm: for whom it is meant, save who was in hardship once."""
        spared = IsNull(item=Name(name=SPARED, kind="integer"))
        return Condition(
            text=f"({self.where.text}) and {SPARED} is null",
            tree=And(items=(self.where.tree, spared)),
            fields=self.where.fields | {SPARED},
        )

    def arm_at(self, draw: int) -> str:
        """Return the arm of a draw in 0…9999 (md5 of id and salt, mod 10000)."""
        assert 0 <= draw < WHOLE_BASIS_POINTS
        upto = 0
        for arm in self.arms:
            upto += arm.basis_points
            if draw < upto:
                return self._given(arm)
        raise AssertionError(draw)

    def arm_sql(self, draw: str) -> str:
        """Return `arm_at` as SQL over the expression of a draw."""
        upto, branches = 0, []
        for arm in self.arms:
            upto += arm.basis_points
            branches.append(f"WHEN {draw} < {upto} THEN '{self._given(arm)}'")
        return f"(CASE {' '.join(branches)} END)"

    def _given(self, arm: Arm) -> str:
        return self.control if arm.name in self.ended else arm.name

    def runs_sql(self, draw: str) -> str:
        """Return as SQL whether a draw's own arm still runs: only then is anybody compared."""
        drawn = replace(self, ended=()).arm_sql(draw)
        names = ", ".join(f"'{name}'" for name in self.ended)
        return f"({drawn} not in ({names}))" if names else "true"


def moved_basis_points(before: Experiment, after: Experiment) -> int:
    """Return the share of borrowers that changes from one arm to another that was there before.

    Who moves into a new arm, or out of one that is gone, is not counted: only mixed histories
    are. With another salt everybody is drawn anew, and that is the share of all who change.
    """
    kept = {arm.name for arm in before.arms if arm.basis_points}
    still = kept & {arm.name for arm in after.arms}
    if before.salt != after.salt:
        shares = {arm.name: arm.basis_points for arm in after.arms}
        return (
            sum(
                arm.basis_points * sum(shares[name] for name in still - {arm.name})
                for arm in before.arms
                if arm.name in still
            )
            // WHOLE_BASIS_POINTS
        )
    return sum(
        was != now and was in still and now in still
        for was, now in zip(_bands(before), _bands(after), strict=True)
    )


def _bands(experiment: Experiment) -> list[str]:
    return [arm.name for arm in experiment.arms for _ in range(arm.basis_points)]


@dataclass(frozen=True, kw_only=True)
class Holdout:
    """Borrowers who hear no reminder of the policy, for ever; everything lawful still goes out."""

    basis_points: int
    salt: str

    def holds(self, borrower_id: str) -> bool:
        """Return whether a borrower is held out."""
        return draw(borrower_id, self.salt) < self.basis_points

    def holds_sql(self) -> str:
        """Return `holds` as SQL over borrower_id."""
        return f"{draw_sql(self.salt)} < {self.basis_points}"
