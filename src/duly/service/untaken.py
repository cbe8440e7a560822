"""Submissions that came back: no route took them, so they are no contacts and count in no cap.

A message is at most one contact: its last submission, once it is made. What ends `undelivered`
stays one, as in every book.
"""

from __future__ import annotations

#: The message of a contact (alias `x`) and which submission of it: `duly:MESSAGE` is the first,
#: `duly:MESSAGE:2` the second. Null where the contact is none of ours.
MESSAGE = "CASE WHEN starts_with(x.contact_id, 'duly:') THEN split_part(x.contact_id, ':', 2) END"
NUMBER = "coalesce(nullif(split_part(x.contact_id, ':', 3), ''), '1')"
#: Of a message (alias `m`) whether its submission of that number came back.
CAME_BACK = f"""(greatest(m.attempts, 1)::text <> {NUMBER}
    OR m.state IN ('planned', 'released', 'claimed', 'cancelled', 'expired', 'blocked'))"""
#: Whether a contact (alias `x`) is a submission that came back.
UNTAKEN = f"""EXISTS (SELECT FROM store_message AS m
    WHERE m.message_id = {MESSAGE} AND {CAME_BACK})"""
