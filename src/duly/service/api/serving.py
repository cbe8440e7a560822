"""What one serving process knows: the lender, the keys, the clock of the law; set once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path

from duly.book import Lender
from duly.service.api.signing import Signer
from duly.service.operations.intake import Intake
from duly.service.operations.providers import Way


@dataclass(frozen=True, kw_only=True)
class Serving:
    """What the views are told from outside.

    `now` is the clock of the law, `clock` the machine's. `plans` is the directory whose plans may
    be loaded by name; `proxies` are the addresses whose word on the asking address is believed.
    """

    lender: Lender
    now: Callable[[], datetime]
    clock: Callable[[], datetime]
    signer: Signer
    plans: Path
    handover: bytes = field(default=b"", repr=False)  #: the secret of hand-overs
    intakes: Mapping[str, Intake] = field(default_factory=dict)
    ways: Mapping[str, Way] = field(default_factory=dict)  #: to pay, by the provider's name
    proxies: frozenset[str] = frozenset()

    @property
    def today(self) -> date:
        """The lender's day, by the clock of the law."""
        return self.lender.day_of(self.now())


_present: list[Serving] = []


def begin(serving: Serving) -> None:
    """Say what this process serves."""
    _present[:] = [serving]


def present() -> Serving:
    """Return what this process serves."""
    assert _present, "begin() comes first"
    return _present[0]
