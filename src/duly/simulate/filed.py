"""One loan of the sample book with all that is told of it."""

from __future__ import annotations

from dataclasses import dataclass

from duly.simulate.ledger import Paid
from duly.simulate.people import Person
from duly.simulate.stories import Case
from duly.simulate.terms import Loan


@dataclass(frozen=True, kw_only=True)
class File:
    """One loan with all that is told of it."""

    case: Case
    loan: Loan
    person: Person
    paid: tuple[Paid, ...]
    alone: bool  #: the borrower has no other loan

    @property
    def plain(self) -> bool:
        """Tell whether nothing is late or special: a row of it may be spoiled for the demo."""
        return (
            self.alone and self.case.simple and self.case.paying == "exact" and self.case.days < 0
        )
