"""Figures of texts that were rendered anew at the door."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("store", "0009_privacy"),
    ]

    operations = [
        migrations.AddField(
            model_name="message",
            name="figures_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="message",
            name="figures_on",
            field=models.DateField(null=True),
        ),
    ]
