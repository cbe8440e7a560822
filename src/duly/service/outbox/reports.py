"""What comes back: receipts find their message by the gateway's own name for it; raw is kept."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import psycopg

from duly.delivery import Incoming, Receipt, Reply
from duly.plan.addresses import key_of
from duly.service.outbox.auditing import audit

_REPLY = """
INSERT INTO store_reply
    (report_id, route, address, address_key, sent_to, text, said_at, fingerprint)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s) ON CONFLICT (fingerprint) DO NOTHING
"""


def write_report(connection: psycopg.Connection[Any], route: str, report: Incoming) -> None:
    """Keep a report raw, and let a receipt move its message.

    The same report twice is one, and so is a reply that a gateway dates and tells again in other
    words. A reply is only written down here: what reads it comes after the commit. A receipt that
    comes before the answer waits for it; one that finds no message for good is kept, and moves
    none.
    """
    digest = hashlib.sha256(report.raw.encode()).hexdigest()
    receipt = report if isinstance(report, Receipt) else None
    with connection.transaction():
        new = connection.execute(
            "INSERT INTO store_report (route, kind, raw, raw_sha256, provider_id, state, code)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT (route, raw_sha256) DO NOTHING"
            " RETURNING id",
            (
                route,
                "reply" if receipt is None else "receipt",
                report.raw,
                digest,
                None if receipt is None else receipt.provider_id,
                None if receipt is None else receipt.state,
                "" if receipt is None else receipt.code[:200],
            ),
        ).fetchone()
        if new is not None and isinstance(report, Reply):
            _keep_reply(connection, int(new[0]), route, report, digest)
    if receipt is not None:
        match_receipts(connection, route, [receipt.provider_id])


def _keep_reply(
    connection: psycopg.Connection[Any], report: int, route: str, said: Reply, digest: str
) -> None:
    key = key_of(said.address)[:200]
    text = said.text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
    name = digest
    if said.at is not None:
        told = "\n".join((route, key, said.to, text, said.at.isoformat()))
        name = hashlib.sha256(told.encode()).hexdigest()
    connection.execute(
        _REPLY,
        (report, route, said.address[:320], key, said.to[:200], text, said.at, name),
    )


def match_late_receipts(connection: psycopg.Connection[Any]) -> None:
    """Match what a process that died between its two steps left unmatched, three days back."""
    rows = connection.execute(
        "SELECT DISTINCT r.route, r.provider_id FROM store_report AS r"
        " JOIN store_part AS p ON p.route = r.route AND p.provider_id = r.provider_id"
        " WHERE r.message_id IS NULL AND r.kind = 'receipt'"
        " AND r.received_at > now() - interval '3 days'"
    ).fetchall()
    for route, provider_id in rows:
        match_receipts(connection, route, [provider_id])


def match_receipts(
    connection: psycopg.Connection[Any], route: str, provider_ids: Sequence[str]
) -> None:
    """Bring receipts and the parts that they name together, in the order in which they came.

    Called after the commit of either: whichever comes second sees both. A message of several
    parts is delivered when all of them are, undelivered when one of them is.
    """
    with connection.transaction():
        _match(connection, route, provider_ids)


def _match(connection: psycopg.Connection[Any], route: str, provider_ids: Sequence[str]) -> None:
    rows = connection.execute(
        "SELECT r.id, p.id, p.message_id, r.state, r.code, r.received_at, r.raw"
        " FROM store_report AS r"
        " JOIN store_part AS p ON p.route = r.route AND p.provider_id = r.provider_id"
        " WHERE r.route = %s AND r.provider_id = ANY(%s) AND r.message_id IS NULL"
        " AND r.kind = 'receipt' ORDER BY r.id FOR UPDATE OF p",
        (route, list(provider_ids)),
    ).fetchall()
    for report, part, message, state, code, _, _ in rows:
        connection.execute(
            "UPDATE store_part SET state = %s, code = %s WHERE id = %s AND state <> 'delivered'",
            (state, code, part),
        )
        connection.execute(
            "UPDATE store_report SET message_id = %s WHERE id = %s", (message, report)
        )
        _move(connection, message)
    audit(
        connection,
        "message.receipt",
        [(message, {"state": state, "code": code, "received_at": at, "raw": raw})
         for _, _, message, state, code, at, raw in rows],
    )  # fmt: skip


def _move(connection: psycopg.Connection[Any], name: str) -> None:
    """Bring a message to the state that its parts tell, where that state may follow."""
    states = {
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT state FROM store_part WHERE message_id = %s", (name,)
        )
    }
    if "undelivered" in states:
        state, after = "undelivered", ["submitted", "accepted", "unknown"]
    elif "accepted" in states:
        return
    elif "unknown" in states:
        state, after = "unknown", ["submitted", "accepted"]
    else:
        state, after = "delivered", ["accepted", "unknown", "undelivered"]
    connection.execute(
        "UPDATE store_message SET state = %s, state_at = now()"
        " WHERE message_id = %s AND state = ANY(%s)",
        (state, name, after),
    )
