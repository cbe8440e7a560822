"""Runs of answers: one a business date, of the texts that confirm what people wrote."""

from __future__ import annotations

from django.db import migrations, models
from django.db.models import Q

_KINDS = ("plan", "correction", "answer")


class Migration(migrations.Migration):
    """A third kind of run, and the answers of a number found by it."""

    dependencies = [("store", "0014_daily")]
    operations = [
        migrations.RemoveConstraint(model_name="run", name="run_kind"),
        migrations.AddConstraint(
            model_name="run",
            constraint=models.CheckConstraint(condition=Q(kind__in=_KINDS), name="run_kind"),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["borrower"], condition=Q(message_class="answer"), name="message_answers"
            ),
        ),
        migrations.AddIndex(
            model_name="message",
            index=models.Index(
                fields=["address"], condition=Q(message_class="answer"), name="message_answered"
            ),
        ),
    ]
