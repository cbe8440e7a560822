"""The portfolio between two runs: buckets, flow rates, cures, promises, complaints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from django.http import HttpRequest, HttpResponse

from duly.core.money import major
from duly.core.words import say
from duly.service.console import periods, portfolio_sql
from duly.service.console.files import spreadsheet
from duly.service.console.pages import page, problem
from duly.service.console.periods import Dated, Period
from duly.service.console.portfolio_sql import BUCKETS, PLACES, RANKS
from duly.service.console.signing_in import allowed, who_of
from duly.service.console.today import asked
from duly.service.faces.looks import look_of
from duly.service.operations.recording import record
from duly.service.rows import Row

OUTCOMES = ("kept", "partly_kept", "broken", "open")
_NOWHERE = 404
_HUNDRED, _TEN_THOUSAND = 100, 10_000
#: Per cent of money from which on a month of the map is darker.
_SHADES = (2, 5, 10, 25)
_COLUMNS = ("figure", "currency", "was", "became", "loans", "money", "rate")


@dataclass(frozen=True, kw_only=True)
class Bar:
    """One place with its loans and their money now; `share` is per cent of the currency's money."""

    place: str
    loans: int
    outstanding: int
    overdue: int
    share: str


@dataclass(frozen=True, kw_only=True)
class Flow:
    """Of the money of one bucket then, how much is in a worse one now."""

    place: str
    money: int
    worse: int
    worse_loans: int
    rate: str  #: per cent


@dataclass(frozen=True, kw_only=True)
class Way:
    """From one place to another: so many loans, and which share of those that were there."""

    was: str
    became: str
    loans: int
    rate: str


@dataclass(frozen=True, kw_only=True)
class Month:
    """Per cent of the money of each bucket that got worse in a month, with how dark it is shown."""

    period: Period
    rates: tuple[tuple[str, int], ...]


@dataclass(frozen=True, kw_only=True)
class Part:
    """The portfolio in one currency."""

    currency: str
    bars: tuple[Bar, ...]
    flows: tuple[Flow, ...]
    ways: tuple[tuple[str, tuple[Way, ...]], ...]  #: by the place then
    months: tuple[Month, ...]


@dataclass(frozen=True, kw_only=True)
class Cures:
    """What became of the loans that were past due at the first run, and of our reaching out."""

    late: int
    cured: int
    self_cured: int
    contacts: int
    complaints: int
    opt_outs: int
    promises: Mapping[str, int]

    @property
    def judged(self) -> int:
        """Return how many promises were due and can be judged."""
        return sum(count for code, count in self.promises.items() if code != "open")

    @property
    def kept(self) -> int:
        """Return how many of them were kept."""
        return self.promises.get("kept", 0)

    @property
    def rates(self) -> dict[str, str]:
        """Return each figure that is one number over another; '' where the other is nought."""
        return {
            "cured": percent(self.cured, self.late),
            "self_cured": percent(self.self_cured, self.cured),
            "kept": percent(self.kept, self.judged),
            "contacts_a_cure": ratio(self.contacts, self.cured),
            "complaints": ratio(self.complaints * _TEN_THOUSAND, self.contacts),
            "opt_outs": ratio(self.opt_outs * _TEN_THOUSAND, self.contacts),
        }


@allowed("portfolio.see", "GET")
def portfolio(request: HttpRequest) -> HttpResponse:
    """Show the portfolio at one run and what changed since an earlier one."""
    found = periods.runs()
    period = periods.chosen(request, found)
    if period is None:
        return page(request, "portfolio", open="portfolio", period=None)
    parts, cures = _measured(period, found)
    return page(
        request, "portfolio", open="portfolio", period=period, parts=parts, cures=cures,
        places=PLACES, buckets=BUCKETS, outcomes=[(one, cures.promises.get(one, 0))
                                                  for one in OUTCOMES],
        days=[one.day for one in found], whole=periods.months(found)[-1:],
        latest=Period(then=found[1], now=found[0]) if len(found) > 1 else None,
        lists=who_of(request).may("lists.see"),
    )  # fmt: skip


@allowed("portfolio.see", "GET")
def export(request: HttpRequest) -> HttpResponse:
    """Give the figures as a file; who took it is recorded. No loan and no person is in it."""
    found = periods.runs()
    period = periods.chosen(request, found)
    if period is None:
        return problem(request, "nowhere", status=_NOWHERE)
    parts, cures = _measured(period, found)
    locale = look_of(request).locale
    rows = [list(row) for row in _rows(parts, cures, locale)]
    told = {"list": "portfolio", "rows": len(rows), "until": period.now.day.isoformat()}
    record("staff.exported", [(who_of(request).name, told)])
    head = [say("console", f"portfolio_column.{one}", locale) for one in _COLUMNS]
    return spreadsheet("portfolio", head, rows)


def _measured(period: Period, found: Sequence[Dated]) -> tuple[list[Part], Cures]:
    """Ask the store four times, however large the book and long the past."""
    given = {**period.given, "ranks": list(RANKS)}
    rolled = asked(portfolio_sql.ROLLED, given)
    promised = {row["outcome"]: row["count"] for row in asked(portfolio_sql.PROMISED, given)}
    heard = {row["kind"]: row["count"] for row in asked(portfolio_sql.HEARD, given)}
    whole = periods.months(found)
    monthly = asked(
        portfolio_sql.MONTHLY,
        {"ranks": list(RANKS), "thens": [one.then.run for one in whole if one.then],
         "nows": [one.now.run for one in whole]},
    )  # fmt: skip
    cures = Cures(
        late=_sum(rolled, "late"), cured=_sum(rolled, "cured"),
        self_cured=_sum(rolled, "self_cured"), contacts=heard.get("contacts", 0),
        complaints=heard.get("complaint", 0), opt_outs=heard.get("opt_out", 0), promises=promised,
    )  # fmt: skip
    currencies = sorted({row["currency"] for row in rolled})
    return [_part(one, rolled, monthly, whole) for one in currencies], cures


def _sum(rows: Sequence[Row], name: str) -> int:
    return sum(int(row[name]) for row in rows)


def _part(
    currency: str, rolled: Sequence[Row], monthly: Sequence[Row], whole: Sequence[Period]
) -> Part:
    rows = [row for row in rolled if row["currency"] == currency]
    mine = [row for row in monthly if row["currency"] == currency]
    return Part(
        currency=currency, bars=tuple(_bars(rows)), flows=tuple(_flows(rows)),
        ways=tuple(_ways(rows)), months=tuple(_months(mine, whole)),
    )  # fmt: skip


def _bars(rows: Sequence[Row]) -> Iterator[Bar]:
    whole = _sum(rows, "outstanding")
    for place in PLACES:
        here = [row for row in rows if row["became"] == place]
        if here and place != "absent":
            outstanding = _sum(here, "outstanding")
            yield Bar(place=place, loans=_sum(here, "loans"), outstanding=outstanding,
                      overdue=_sum(here, "overdue"), share=percent(outstanding, whole))  # fmt: skip


def _flows(rows: Sequence[Row]) -> Iterator[Flow]:
    for place in BUCKETS:
        here = [row for row in rows if row["was"] == place]
        money = _sum(here, "outstanding_then")
        if money:
            worse = [row for row in here if is_worse(row["was"], row["became"])]
            lost = _sum(worse, "outstanding_then")
            yield Flow(place=place, money=money, worse=lost, worse_loans=_sum(worse, "loans"),
                       rate=percent(lost, money))  # fmt: skip


def is_worse(was: str, became: str) -> bool:
    """Return whether a loan went from one bucket to a worse one, or was written off."""
    return {was, became} <= set(RANKS) and RANKS.index(became) > RANKS.index(was)


def _ways(rows: Sequence[Row]) -> Iterator[tuple[str, tuple[Way, ...]]]:
    """Give each place then with what became of its loans, in the order of the places."""
    for was in PLACES:
        here = {row["became"]: row["loans"] for row in rows if row["was"] == was}
        if here:
            count = sum(here.values())
            yield was, tuple(
                Way(was=was, became=became, loans=here.get(became, 0),
                    rate=percent(here.get(became, 0), count))
                for became in PLACES
            )  # fmt: skip


def _months(rows: Sequence[Row], whole: Sequence[Period]) -> Iterator[Month]:
    for number, period in enumerate(whole, start=1):
        here = {row["bucket"]: row for row in rows if row["month"] == number}
        rates = []
        for place in BUCKETS:
            row = here.get(place)
            rate = percent(int(row["worse"] or 0), int(row["money"])) if row else ""
            rates.append((rate, _shade(rate)))
        yield Month(period=period, rates=tuple(rates))


def _shade(rate: str) -> int:
    """Return how dark a rate is shown, from 0 to 4.

    >>> [_shade(one) for one in ("", "0.0", "2.0", "7.3", "100.0")]
    [0, 0, 1, 2, 4]
    """
    return sum(Decimal(rate) >= one for one in _SHADES) if rate else 0


def percent(part: int, whole: int) -> str:
    """Return a share in per cent with one decimal; '' of nothing.

    >>> percent(1, 3), percent(2, 3), percent(0, 7), percent(1, 0)
    ('33.3', '66.7', '0.0', '')
    """
    return ratio(part * _HUNDRED, whole)


def ratio(part: int, whole: int) -> str:
    """Return one number over another with one decimal; '' over nought.

    >>> ratio(7, 2), ratio(1, 8), ratio(5, 0)
    ('3.5', '0.1', '')
    """
    if not whole:
        return ""
    return str((Decimal(part) / whole).quantize(Decimal("0.1"), ROUND_HALF_UP))


def _rows(parts: Sequence[Part], cures: Cures, locale: str) -> Iterator[tuple[str, ...]]:
    """Give each figure of the page as a row of the file."""

    def named(group: str, code: str) -> str:
        return say("console", f"{group}.{code}", locale) if code else ""

    def row(
        figure: str, *, currency: str = "", was: str = "", became: str = "",
        loans: int | str = "", money: int | None = None, rate: str = "",
    ) -> tuple[str, ...]:  # fmt: skip
        return (
            named("portfolio_figure", figure), currency, named("place", was),
            named("place", became), str(loans),
            "" if money is None else major(money, currency), rate,
        )  # fmt: skip

    for part in parts:
        one = part.currency
        for bar in part.bars:
            yield row("bucket", currency=one, became=bar.place, loans=bar.loans,
                      money=bar.outstanding if one else None, rate=bar.share)  # fmt: skip
        for flow in part.flows:
            yield row("flow", currency=one, was=flow.place, loans=flow.worse_loans,
                      money=flow.worse, rate=flow.rate)  # fmt: skip
        for _, ways in part.ways:
            for way in ways:
                if way.loans:
                    yield row("roll", currency=one, was=way.was, became=way.became,
                              loans=way.loans, rate=way.rate)  # fmt: skip
    rates = cures.rates
    yield row("late", loans=cures.late)
    yield row("cured", loans=cures.cured, rate=rates["cured"])
    yield row("self_cured", loans=cures.self_cured, rate=rates["self_cured"])
    yield row("promises", loans=cures.judged)
    yield row("kept", loans=cures.kept, rate=rates["kept"])
    yield row("contacts", loans=cures.contacts)
    yield row("contacts_a_cure", rate=rates["contacts_a_cure"])
    yield row("complaints", loans=cures.complaints, rate=rates["complaints"])
    yield row("opt_outs", loans=cures.opt_outs, rate=rates["opt_outs"])
