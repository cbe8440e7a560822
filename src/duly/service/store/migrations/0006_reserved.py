"""Who reserved a contact: what an agency asked for is ours to tell until a book does."""

from __future__ import annotations

from django.db import migrations, models


class Migration(migrations.Migration):
    """One column; null for what the lender sent and what a book told."""

    dependencies = [("store", "0005_telling")]
    operations = [
        migrations.AddField(
            model_name="contact",
            name="agency",
            field=models.CharField(max_length=200, null=True),
        )
    ]
