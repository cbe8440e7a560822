"""What a message costs the database: no index twice, no try to pack what is sealed.

A message is written five times on its way and enters every index of its table again each time. Left
out are those that another one begins with, and those that Django makes for LIKE on the text of a
key: nobody asks so. The constraints stand; dropping an index takes a moment and locks nobody out.

A sealed payload looks like chance, so trying to pack it only costs; in one piece it is one row
where it would be four.
"""

from __future__ import annotations

import django.db.models.deletion
from django.db import migrations, models

#: Each with what finds the same rows.
_COVERED = (
    "store_message_run_id_4ed495b9",  # message_run
    "store_message_run_id_4ed495b9_like",
    "store_attempt_message_id_134764f5",  # attempt_number
    "store_attempt_message_id_134764f5_like",
    "store_contact_borrower_id_8ea82f6f",  # contact_borrower
    "store_contact_borrower_id_8ea82f6f_like",
    "store_reservation_borrower_id_8b40de9b",  # reservation_slot
    "store_reservation_borrower_id_8b40de9b_like",
    "store_signal_borrower_id_defbe12d",  # signal_borrower
    "store_signal_borrower_id_defbe12d_like",
    "store_messageloan_message_id_7e7ae498",  # its primary key
    "store_messageloan_message_id_7e7ae498_like",
    "store_counted_run_id_82c6fa16",  # its primary key
    "store_counted_run_id_82c6fa16_like",
)
_FOR_LIKE = (
    "store_message_borrower_id_cce64bc4_like",
    "store_message_message_id_12a9a2da_like",
    "store_part_message_id_265ee3f0_like",
    "store_report_message_id_9c7cecc5_like",
    "store_contact_contact_id_f40b32de_like",
    "store_reservation_message_id_003c38c7_like",
    "store_messageloan_loan_id_10279ec2_like",
    "store_borrower_borrower_id_978d4587_like",
    "store_signal_signal_id_ccdc255a_like",
)
_FORWARD = "".join(f"DROP INDEX IF EXISTS {name};\n" for name in (*_COVERED, *_FOR_LIKE))
_TABLE_AND_COLUMN = {
    name: name.removeprefix("store_").partition("_")[::2] for name in (*_COVERED, *_FOR_LIKE)
}


def _again(name: str) -> str:
    table, rest = _TABLE_AND_COLUMN[name]
    like = rest.endswith("_like")
    column = rest.removesuffix("_like").rpartition("_")[0]
    ops = " varchar_pattern_ops" if like else ""
    return f"CREATE INDEX {name} ON store_{table} ({column}{ops});\n"


_BACKWARD = "".join(_again(name) for name in (*_COVERED, *_FOR_LIKE))


def _key(to: str) -> models.ForeignKey[models.Model]:
    return models.ForeignKey(
        db_index=False, on_delete=django.db.models.deletion.PROTECT, to=f"store.{to}"
    )


class Migration(migrations.Migration):
    """Indexes, and how the record's rows lie."""

    dependencies = [("store", "0021_responses")]
    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(_FORWARD, _BACKWARD)],
            state_operations=[
                migrations.AlterField("message", "run", _key("run")),
                migrations.AlterField("attempt", "message", _key("message")),
                migrations.AlterField("contact", "borrower", _key("borrower")),
                migrations.AlterField("reservation", "borrower", _key("borrower")),
                migrations.AlterField("signal", "borrower", _key("borrower")),
                migrations.AlterField("messageloan", "message", _key("message")),
                migrations.AlterField("counted", "run", _key("run")),
            ],
        ),
        migrations.RunSQL(
            "ALTER TABLE store_audit ALTER COLUMN ciphertext SET STORAGE EXTERNAL,"
            " SET (toast_tuple_target = 8160)",
            "ALTER TABLE store_audit ALTER COLUMN ciphertext SET STORAGE EXTENDED,"
            " RESET (toast_tuple_target)",
        ),
    ]
