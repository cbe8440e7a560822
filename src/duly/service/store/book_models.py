"""What the books said, row by row: the columns of the contract, each with the cut that said it.

Money is minor units beside its decimals, rates are hundred-millionths, clocks minutes of a day. A
row is the newest book's that has its key; no row names another by a foreign key, for a book may
come in parts and in any order.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from duly.book import TABLES

_ID = 200


def _id(**more: Any) -> models.CharField[Any, Any]:
    return models.CharField(max_length=_ID, **more)


def _choice(table: str, column: str) -> models.CheckConstraint:
    """Hold a column to the values of the book's schema."""
    values = TABLES[table].column(column).values
    allowed = Q(**{f"{column}__in": values}) | Q(**{f"{column}__isnull": True})
    return models.CheckConstraint(condition=allowed, name=f"book_{table}_{column}")


def _positive(table: str, column: str) -> models.CheckConstraint:
    return models.CheckConstraint(
        condition=Q(**{f"{column}__gt": 0}), name=f"book_{table}_{column}"
    )


class Book(models.Model):
    """One book that was loaded; the same files twice are one row."""

    book_sha256 = models.CharField(primary_key=True, max_length=64)
    cut_at = models.DateTimeField(db_index=True)
    loaded_at = models.DateTimeField(db_default=Now())
    rows = models.JSONField()


class Aside(models.Model):
    """A row that a book had and that broke a rule; the borrower's facts of that cut are unsure."""

    borrower_id = _id(null=True)
    cut_at = models.DateTimeField()
    table = models.CharField(max_length=20)
    row = models.BigIntegerField()
    column = models.CharField(max_length=40)
    code = models.CharField(max_length=40)

    class Meta:
        """Table and index."""

        indexes = [models.Index(fields=["borrower_id", "cut_at"], name="aside_borrower")]
        constraints = [
            models.UniqueConstraint(
                fields=["cut_at", "table", "row", "column", "code", "borrower_id"],
                name="aside_once",
                nulls_distinct=False,
            )
        ]


class BookLoan(models.Model):
    """A loan."""

    loan_id = _id(primary_key=True)
    borrower_id = _id(db_index=True)
    product = models.TextField()
    creditor = models.TextField()
    currency = models.CharField(max_length=3)
    principal = models.BigIntegerField()
    disbursed_on = models.DateField()
    annual_rate = models.BigIntegerField(null=True)
    late_rate_daily = models.BigIntegerField()
    late_base = models.CharField(max_length=20)
    grace_days = models.IntegerField()
    allocation = models.CharField(max_length=30)
    tolerance = models.BigIntegerField()
    status = models.CharField(max_length=20)
    status_on = models.DateField(null=True)
    jurisdiction = _id()
    decimals = models.SmallIntegerField()
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_loans"
        constraints = [
            *(_choice("loans", one) for one in ("late_base", "allocation", "status")),
            models.CheckConstraint(
                condition=Q(principal__gte=0, tolerance__gte=0, late_rate_daily__gte=0),
                name="book_loans_amounts",
            ),
        ]


class BookInstallment(models.Model):
    """One due date of a schedule; the newest book that has the loan gives all of them."""

    pk = models.CompositePrimaryKey("loan_id", "number")
    loan_id = _id()
    number = models.IntegerField()
    due_on = models.DateField()
    grace_until = models.DateField(null=True)
    principal = models.BigIntegerField()
    interest = models.BigIntegerField()
    fee = models.BigIntegerField()
    decimals = models.SmallIntegerField()
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_installments"
        constraints = [
            models.CheckConstraint(
                condition=Q(number__gte=1, principal__gte=0, interest__gte=0, fee__gte=0),
                name="book_installments_amounts",
            ),
            models.CheckConstraint(
                condition=Q(grace_until__isnull=True) | Q(grace_until__gte=F("due_on")),
                name="book_installments_grace",
            ),
        ]


class BookPayment(models.Model):
    """Money that came in or was forgiven."""

    payment_id = _id(primary_key=True)
    loan_id = _id(null=True, db_index=True)
    borrower_id = _id(null=True)
    paid_on = models.DateField()
    amount = models.BigIntegerField()
    kind = models.CharField(max_length=10)
    component = models.CharField(max_length=20, null=True)
    reversed_on = models.DateField(null=True)
    decimals = models.SmallIntegerField()
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_payments"
        constraints = [
            _positive("payments", "amount"),
            *(_choice("payments", one) for one in ("kind", "component")),
            models.CheckConstraint(
                condition=Q(reversed_on__isnull=True) | Q(reversed_on__gte=F("paid_on")),
                name="book_payments_reversal",
            ),
            models.CheckConstraint(
                condition=Q(loan_id__isnull=False) | Q(borrower_id__isnull=False),
                name="book_payments_owner",
            ),
        ]


class BookDebit(models.Model):
    """An attempt to draw money."""

    debit_id = _id(primary_key=True)
    loan_id = _id(db_index=True)
    at = models.DateTimeField()
    amount = models.BigIntegerField()
    status = models.CharField(max_length=20)
    cause = models.CharField(max_length=20, null=True)
    decimals = models.SmallIntegerField()
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_debits"
        constraints = [
            _positive("debits", "amount"),
            *(_choice("debits", one) for one in ("status", "cause")),
        ]


class BookBorrower(models.Model):
    """A person who owes."""

    borrower_id = _id(primary_key=True)
    name = models.TextField(null=True)
    locale = _id()
    time_zone = models.CharField(max_length=64)
    region = _id(null=True)
    preferred_channel = models.CharField(max_length=10, null=True)
    monthly_income = models.BigIntegerField(null=True)
    quiet_from = models.SmallIntegerField(null=True)
    quiet_until = models.SmallIntegerField(null=True)
    decimals = models.SmallIntegerField()
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_borrowers"
        constraints = [
            _choice("borrowers", "preferred_channel"),
            models.CheckConstraint(
                condition=(Q(quiet_from__isnull=True) | Q(quiet_from__range=(0, 1439)))
                & (Q(quiet_until__isnull=True) | Q(quiet_until__range=(0, 1439))),
                name="book_borrowers_quiet",
            ),
        ]


class BookContactPoint(models.Model):
    """A way to reach a borrower; the newest book that has the borrower gives all of them."""

    borrower_id = _id(db_index=True)
    channel = models.CharField(max_length=10)
    address = _id()
    address_key = _id(db_index=True)  #: what is equal for equal addresses, however written
    status = models.CharField(max_length=20)
    use = models.CharField(max_length=20)
    verified_on = models.DateField(null=True)
    changed_on = models.DateField(null=True)
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_contact_points"
        constraints = [_choice("contact_points", one) for one in ("channel", "status", "use")]


class BookConsent(models.Model):
    """What a borrower allowed or withdrew; the newest book that has the borrower gives all."""

    borrower_id = _id(db_index=True)
    purpose = models.CharField(max_length=30)
    channel = models.CharField(max_length=10, null=True)
    granted_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)
    detail = models.TextField(null=True)
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_consents"
        constraints = [_choice("consents", one) for one in ("purpose", "channel")]


class BookContact(models.Model):
    """One attempt to reach a borrower, as the lender's books tell it."""

    contact_id = _id(primary_key=True)
    borrower_id = _id(db_index=True)
    loan_id = _id(null=True)
    channel = models.CharField(max_length=20)
    address = models.TextField(null=True)
    at = models.DateTimeField()
    direction = models.CharField(max_length=3)
    outcome = models.CharField(max_length=20)
    step = models.TextField(null=True)
    by = models.TextField()
    actor = models.TextField(null=True)
    contact_class = models.CharField(max_length=20, db_column="class")
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_contacts"
        constraints = [_choice("contacts", one) for one in ("channel", "direction", "outcome")]


class BookSignal(models.Model):
    """A dated fact; `known_at` is when a book first told it to us."""

    signal_id = _id(primary_key=True)
    borrower_id = _id(db_index=True)
    loan_id = _id(null=True)
    kind = models.CharField(max_length=40)
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField(null=True)
    detail = models.TextField(null=True)
    cut_at = models.DateTimeField()
    known_at = models.DateTimeField(db_default=Now())

    class Meta:
        """Table and constraints."""

        db_table = "store_book_signals"
        constraints = [
            _choice("signals", "kind"),
            models.CheckConstraint(
                condition=Q(ends_at__isnull=True) | Q(ends_at__gte=F("starts_at")),
                name="book_signals_ends",
            ),
        ]


class BookAgreed(models.Model):
    """One amount of an agreed plan; the newest book that has the signal gives all of them."""

    pk = models.CompositePrimaryKey("signal_id", "number")
    signal_id = _id()
    number = models.IntegerField()
    due_on = models.DateField()
    amount = models.BigIntegerField()
    decimals = models.SmallIntegerField()
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_agreed"
        constraints = [_positive("agreed", "amount")]


class BookQuote(models.Model):
    """An amount that settles a loan."""

    loan_id = _id(db_index=True)
    as_of = models.DateField()
    valid_until = models.DateField()
    amount = models.BigIntegerField()
    decimals = models.SmallIntegerField()
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_quotes"
        constraints = [_positive("quotes", "amount")]


class BookRelation(models.Model):
    """Who stands near a borrower."""

    borrower_id = _id(db_index=True)
    related_borrower_id = _id()
    kind = models.CharField(max_length=20)
    cut_at = models.DateTimeField()

    class Meta:
        """Table and constraints."""

        db_table = "store_book_relations"
        constraints = [_choice("relations", "kind")]


class BookStated(models.Model):
    """What the lender's own system says that a loan owes."""

    loan_id = _id(db_index=True)
    as_of = models.DateField()
    overdue_total = models.BigIntegerField(null=True)
    outstanding_total = models.BigIntegerField(null=True)
    decimals = models.SmallIntegerField()
    cut_at = models.DateTimeField()

    class Meta:
        """Table."""

        db_table = "store_book_stated"
