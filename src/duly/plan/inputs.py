"""Everything a plan depends on, as one value with one fingerprint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from importlib import metadata
from zoneinfo import ZoneInfo

from duly.book import Lender, Snapshot
from duly.core import digest
from duly.messages import Catalogue, TextRules, text_rules
from duly.plan import instants
from duly.policy import Policy
from duly.risk import load_scorecard
from duly.risk.registry import Champion
from duly.rules import Rule, Window, active, kept_rules, packs_sha256
from duly.rules.calendars import version as holidays_version
from duly.rules.zones import zone

#: Raised when the meaning of a plan changes for equal inputs: a golden plan fails with it.
STAGES_VERSION = 3
#: The same, where a policy declares experiments or a holdout.
ARMS_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class PlanInputs:
    """What a plan is made from; equal inputs give equal plans."""

    snapshot: Snapshot
    instant: datetime
    lender: Lender
    policy: Policy
    rules: tuple[Rule, ...]
    catalogue: Catalogue  #: the texts that a message may have
    champion: Champion | None = None  #: the model in use; without one the scorecard scores

    @property
    def zone(self) -> ZoneInfo:
        """The lender's time zone."""
        return zone(self.lender.time_zone)

    @property
    def business_date(self) -> date:
        """The date of the instant in the lender's time zone."""
        return instants.business_date(self.instant, self.zone)

    @property
    def cut_at(self) -> datetime | None:
        """The instant up to which the book is complete, None where it does not say."""
        found = self.snapshot.cut_at
        return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found

    @property
    def scores_by_model(self) -> bool:
        """Whether the champion scores; one that expired does not."""
        return self.champion is not None and self.champion.in_force(self.business_date)

    @cached_property
    def asked(self) -> TextRules:
        """The rules that every finished text is asked."""
        return text_rules(self.rules, self.lender, self.business_date)

    def versions(self) -> Mapping[str, str]:
        """Return the version or SHA-256 of each input, as run.json names them."""
        return {
            "book": self.snapshot.book_sha256,
            "lender": self.lender.sha256,
            "policy": self.policy.fingerprint,
            "packs": packs_sha256(self.lender.packs),
            "templates": self.catalogue.sha256,
            "model": self._model(),
            "calendar": _calendar(self.rules),
            "tzdata": metadata.version("tzdata"),
            "stages": self._stages(),
            **self._stops(),
        }

    def _stops(self) -> Mapping[str, str]:
        """Return the arms that ended, where any did: other plans say nothing of them."""
        ended = [[one.id, *one.ended] for one in self.policy.experiments if one.ended]
        return {"stops": digest.of_value(ended)} if ended else {}

    def _stages(self) -> str:
        """Return the version of the stages, and of what a policy with experiments adds to them."""
        arms = f"+arms{ARMS_VERSION}" if self.policy.is_experimental else ""
        return f"{STAGES_VERSION}{arms}"

    def _model(self) -> str:
        """Return what scores; beside a champion the scorecard scores what it does not answer."""
        card = load_scorecard().fingerprint
        if self.champion is None or not self.scores_by_model:
            return card
        return digest.of_value([self.champion.model.fingerprint, card])

    def sha256(self) -> str:
        """Return the fingerprint over all inputs and the instant, not over engine or threads."""
        instant = self.instant.astimezone(UTC).isoformat(timespec="seconds")
        return digest.of_value({**self.versions(), "instant": instant})


def rules_of(lender: Lender, on: date) -> tuple[Rule, ...]:
    """Return the rules of a plan that are in force on a date, without those switched off.

    Refuses unknown packs, unknown rules, and to switch off what is not our own policy.
    """
    return active(kept_rules(lender, door=False), on)


def _calendar(rules: tuple[Rule, ...]) -> str:
    """Return the release of the public holidays, where a window of the rules closes on them."""
    closes = any(
        isinstance(rule.primitive, Window) and rule.primitive.holidays is not None for rule in rules
    )
    return f"holidays {holidays_version()}" if closes else "none"
