"""What a message costs the database: keys that cannot be missing, and room beside what is changed.

A row of the record names its borrower's key, a place of the log its row. Neither a key nor a row is
ever deleted, a trigger of its table refuses it; yet each of eight such names a message was looked
for and locked once more, which writes to the row that is named.

A submission and a part are written once more when they are answered: beside room on its page the
new version enters no index.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

_ROOM = ("store_attempt", "store_part")


class Migration(migrations.Migration):
    """Two constraints less, room on two tables' pages."""

    dependencies = [("store", "0028_preference")]
    operations = [
        migrations.AlterField(
            "audit",
            "key",
            models.ForeignKey(
                db_constraint=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                to="store.borrowerkey",
            ),
        ),
        migrations.AlterField(
            "sealed",
            "audit",
            models.OneToOneField(
                db_constraint=False,
                on_delete=django.db.models.deletion.PROTECT,
                to="store.audit",
            ),
        ),
        migrations.RunSQL(
            "".join(f"ALTER TABLE {name} SET (fillfactor = 60);" for name in _ROOM),
            "".join(f"ALTER TABLE {name} RESET (fillfactor);" for name in _ROOM),
        ),
    ]
