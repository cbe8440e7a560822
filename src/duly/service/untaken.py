"""Submissions that certainly reached nobody: they are no contacts, and count in no cap."""

from __future__ import annotations

#: The message of a contact (alias `x`) and which submission of it: `duly:MESSAGE` is the first,
#: `duly:MESSAGE:2` the second. Null where the contact is none of ours.
MESSAGE = "CASE WHEN starts_with(x.contact_id, 'duly:') THEN split_part(x.contact_id, ':', 2) END"
NUMBER = "coalesce(nullif(split_part(x.contact_id, ':', 3), ''), '1')"
#: Whether a contact is a submission of ours that no route took, not a part of it.
UNTAKEN = f"""EXISTS (SELECT FROM store_attempt AS t WHERE t.message_id = {MESSAGE}
    AND t.number::text = {NUMBER} AND t.outcome IN ('refused', 'throttled', 'not_sent')
    AND NOT starts_with(t.code, 'DULY:partial'))"""
