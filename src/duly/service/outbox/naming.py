"""A message whose answer nobody heard has one name that its gateway knows: the one we gave it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import psycopg

#: Only of what is unknown and has no other name: what was answered is known by its answer. The
#: message is locked before its name stands, as by whoever writes a late answer down.
_NAME = """
INSERT INTO store_part (route, provider_id, message_id, state, code)
SELECT m.route, m.message_id, m.message_id, 'accepted', '' FROM store_message AS m
WHERE {these} AND m.state = 'unknown'
    AND NOT EXISTS (SELECT 1 FROM store_part AS p WHERE p.message_id = m.message_id)
ORDER BY m.message_id FOR KEY SHARE OF m ON CONFLICT (route, provider_id) DO NOTHING
"""
_TOLD = "m.route = %s AND m.message_id = ANY(%s)"
_WAITING = """(m.route, m.message_id) IN (
    SELECT r.route, r.provider_id FROM store_report AS r
    WHERE r.message_id IS NULL AND r.kind = 'receipt' AND r.provider_id <> ''
        AND r.received_at > now() - interval '3 days')"""


def name_told(connection: psycopg.Connection[Any], route: str, provider_ids: Sequence[str]) -> None:
    """Let receipts find the messages of a route that they name by our own ids."""
    connection.execute(_NAME.format(these=_TOLD), (route, list(provider_ids)))


def name_waiting(connection: psycopg.Connection[Any]) -> None:
    """Do the same for receipts that came before anybody knew that no answer would."""
    connection.execute(_NAME.format(these=_WAITING))
