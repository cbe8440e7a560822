"""The record: what happened, its place in the log, the log's subtrees and roots."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from duly.service.borrower_keys import about_of, opened

_ID = 200


class Audit(models.Model):
    """What happened, in the transaction in which it happened; the payload by its salted hash.

    What is about a borrower stands sealed under his key, salt and payload together.
    """

    at = models.DateTimeField(db_default=Now())
    kind = models.CharField(max_length=40)
    subject = models.CharField(max_length=_ID)
    plain = models.TextField(null=True, db_column="payload")  #: JSON, byte for byte what was hashed
    salt = models.BinaryField(max_length=16, null=True)
    payload_sha256 = models.CharField(max_length=64)
    #: No key is ever deleted, a trigger says so: to look for it at each row would only cost.
    key = models.ForeignKey(
        "store.BorrowerKey", null=True, on_delete=models.PROTECT, db_constraint=False
    )
    ciphertext = models.BinaryField(null=True)  #: salt and payload under the key

    class Meta:
        """Constraints."""

        constraints = [
            models.CheckConstraint(
                condition=Q(
                    plain__isnull=False,
                    salt__isnull=False,
                    key__isnull=True,
                    ciphertext__isnull=True,
                )
                | Q(
                    plain__isnull=True,
                    salt__isnull=True,
                    key__isnull=False,
                    ciphertext__isnull=False,
                ),
                name="audit_plain_or_sealed",
            )
        ]

    @property
    def payload(self) -> str | None:
        """The JSON that was hashed; None where the borrower's key was destroyed."""
        if self.key is None or self.key.wrapped is None:
            return self.plain
        assert self.ciphertext is not None
        return opened(
            bytes(self.ciphertext), wrapped=bytes(self.key.wrapped), master=self.key.master,
            borrower_id=self.key.borrower_id, about=about_of(self.kind, self.subject),
        )[1]  # fmt: skip


class Sealed(models.Model):
    """The place of an audit row in the log; the sealer alone writes it."""

    index = models.BigIntegerField(primary_key=True)
    #: The row was read in the same transaction, and none is ever deleted: a trigger says so.
    audit = models.OneToOneField(Audit, on_delete=models.PROTECT, db_constraint=False)


class Unsealed(models.Model):
    """An audit row that waits for the sealer; a trigger notes it with the row itself."""

    audit_id = models.BigIntegerField(primary_key=True)


class Node(models.Model):
    """The hash of a complete subtree of the log."""

    pk = models.CompositePrimaryKey("level", "number")
    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    hash = models.BinaryField(max_length=32)


class Root(models.Model):
    """The root of the log at a size; the last of a day is signed."""

    size = models.BigIntegerField(primary_key=True)
    root = models.BinaryField(max_length=32)
    at = models.DateTimeField(db_default=Now())
    key_id = models.CharField(max_length=64, null=True)
    signature = models.BinaryField(max_length=64, null=True)

    class Meta:
        """Indexes."""

        indexes = [models.Index(fields=["at"], name="root_at")]
