"""The lender file: who lends, by which rules and routes, within which limits (contract 5.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Route:
    """One configured way out."""

    name: str
    channel: str
    kind: str
    accepts: tuple[str, ...] = ("dunning", "statutory", "receipt", "answer", "correction")
    settings: Mapping[str, object] = field(default_factory=dict)
    #: What a segment costs by SMS, a message elsewhere: ten-thousandths of the currency's unit.
    price: int = 0


@dataclass(frozen=True, kw_only=True)
class People:
    """How many calls people can make in a day."""

    agents: int = 40
    dials_a_day: int = 150
    reserve_for_care: str = "0.2"


@dataclass(frozen=True, kw_only=True)
class Limits:
    """The lender's own limits; money in minor units of the default currency."""

    texts_per_day: int = 1
    texts_per_7_days: int = 3
    floor_minor: int = 2000
    cost_per_day_minor: int = 500_000
    book_age_hours: int = 26
    figures_age_hours: int = 12
    review_days: Mapping[str, int] = field(default_factory=dict)  #: hold kind → days to review


@dataclass(frozen=True, kw_only=True)
class Answers:
    """Whether replies are confirmed, how often a number is written to, by when a person answers."""

    send: bool = True
    per_7_days: int = 3  #: to one number; one a day in any case
    payment_days: int = 3
    dispute_days: int = 15
    complaint_days: int = 15
    hardship_days: int = 7
    request_days: int = 3


@dataclass(frozen=True, kw_only=True)
class Daily:
    """When the service runs each business date by itself, and from which book.

    `book` is the path of a day's book with `{date}` in it; None: only what is told counts.
    """

    at: time
    book: str | None = None
    calendar: str = "every_day"
    catch_up_days: int = 3  #: missed days that are worked through; those before are skipped

    def book_of(self, day: date) -> Path | None:
        """Return where the book of a business date is looked for.

        >>> Daily(at=time(6), book="/books/{date}").book_of(date(2026, 3, 10))
        PosixPath('/books/2026-03-10')
        """
        return None if self.book is None else Path(self.book.replace("{date}", day.isoformat()))


@dataclass(frozen=True, kw_only=True)
class Portal:
    """Where the borrowers' pages are served, and who may hand people over to them."""

    serve: bool = True
    path: str = "/"  #: of the pages; the API keeps its own addresses
    host: str = ""  #: the one host name that serves them; empty: any
    handover_secret_env: str = ""  #: the variable with the secret of hand-overs; empty: none
    address: str = ""  #: scheme and host as borrowers have it; empty: by `host`

    @property
    def prefix(self) -> str:
        """Return what stands before the address of each page.

        >>> Portal().prefix, Portal(path="/my").prefix
        ('', '/my')
        """
        return self.path.rstrip("/")

    @property
    def begins(self) -> str:
        """Return the beginning of each page's whole address; empty where nobody says it.

        >>> Portal(host="my.example.com", path="/my").begins, Portal().begins
        ('https://my.example.com/my', '')
        """
        site = self.address or (f"https://{self.host}" if self.host else "")
        return f"{site}{self.prefix}" if site else ""


@dataclass(frozen=True, kw_only=True)
class Relief:
    """What the borrowers' pages may agree by themselves; beyond it a person decides.

    Without `kinds` every request goes to a person.
    """

    kinds: tuple[str, ...] = ()
    extension_months: int = 3  #: that the end of a schedule may move
    installments: int = 12  #: payments of a re-plan
    pause_months: int = 3
    late_charge: str = "stops"  #: `stops` | `runs` while an agreement is kept
    waive_late_charge: bool = False  #: whether an agreement takes away what has accrued
    again_days: int = 180  #: after one agreement a person decides on another for so long
    product_months: int = 60  #: the longest term of a product, extensions included
    read_seconds: int = 20  #: that a cost sheet is shown before anybody can agree
    decides: str = ""  #: who decides beyond the limits, as a page names them
    decides_en: str = ""


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account of the lender's own that borrowers pay into; never a person's."""

    holder: str
    bank: str
    number: str
    holder_en: str = ""
    bank_en: str = ""
    currency: str = ""  #: empty: the lender's


@dataclass(frozen=True, kw_only=True)
class PaymentProvider:
    """One way to pay at a page of somebody else's; `settings` are those of its kind."""

    name: str
    kind: str  #: `hosted` | `sandbox`, which nobody pays at
    title: str
    title_en: str = ""
    currencies: tuple[str, ...] = ()  #: empty: the lender's
    settings: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Payments:
    """What may be paid through the borrowers' pages, and at whose."""

    providers: tuple[PaymentProvider, ...] = ()
    #: The least part by currency, minor units; one minor unit where none is said.
    least: Mapping[str, int] = field(default_factory=dict)
    lasts_minutes: int = 30  #: how long a payment that was begun is waited for
    confirm: bool = True  #: whether a text confirms what was paid there


@dataclass(frozen=True, kw_only=True)
class Console:
    """Where the staff's pages are served."""

    serve: bool | None = None  #: None: as soon as somebody may sign in
    path: str = "/staff"
    host: str = ""  #: the one host name that serves them; empty: any

    @property
    def prefix(self) -> str:
        """Return what stands before the address of each page."""
        return self.path


@dataclass(frozen=True, kw_only=True)
class Agency:
    """One servicer of the list that the lender publishes."""

    name: str
    name_en: str = ""


@dataclass(frozen=True, kw_only=True)
class Lender:
    """One lender, as its file says; `sha256` is the file's fingerprint."""

    name: str
    signature: str
    hotline: str
    app: str
    kind: str = "consumer_finance"
    licence: str = "cn"
    website: str = ""
    name_en: str = ""  #: how English texts name the lender; empty: as in Chinese
    signature_en: str = ""
    app_en: str = ""
    time_zone: str = "Asia/Shanghai"
    locale: str = "zh-CN"
    currency: str = "CNY"
    packs: tuple[str, ...] = ("decency", "cn")
    switched_off: tuple[str, ...] = ()  #: rules of our own policy that the lender does without
    policy: str = "cn-installment"
    approval: str = "automatic"
    bureau_reports: bool = True
    bureau_paying_prevents: bool = False
    routes: tuple[Route, ...] = ()
    people: People = People()
    figures_principal_minor: int = 1
    figures_late_charge_minor: int = 100
    limits: Limits = Limits()
    answers: Answers = Answers()
    templates: Path | None = None  #: directory of the lender's own texts
    models: Path | None = None  #: directory of the lender's risk models
    stops: Path | None = None  #: file of the experiments' arms that ended by harm
    late_charge_clause: str = ""  #: number of the contract's clause, such as 7 or 7.2
    #: Least to pay a month in hardship, by currency; one that is not there is not stated.
    relief_least: Mapping[str, int] = field(default_factory=dict)
    relief: Relief = Relief()
    debits_announced: bool = False  #: `at` of a scheduled debit is its real hour; texts may name it
    agencies: tuple[Agency, ...] = ()
    accounts: tuple[Account, ...] = ()
    payments: Payments = Payments()
    daily: Daily | None = None  #: None: nothing is run by itself
    portal: Portal = Portal()
    console: Console = Console()
    sha256: str = ""
    #: Where the file names a pack or a rule, each with its line and column from 1.
    named_at: tuple[tuple[str, int, int], ...] = field(default=(), compare=False, repr=False)
    file: str = field(default="", compare=False, repr=False)

    def day_of(self, at: datetime) -> date:
        """Return the day of an instant where the lender is."""
        return at.astimezone(ZoneInfo(self.time_zone)).date()
