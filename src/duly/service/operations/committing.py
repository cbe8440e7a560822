"""What a loaded plan decided, and from which texts, as rows of the record."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection

from duly.core import digest
from duly.plan.proven import Proven
from duly.plan.texts import bodies_said
from duly.rules.load import pack_texts
from duly.service.operations.recording import record
from duly.service.rows import Row, as_dicts, unpacked

_ROWS_AT_ONCE = 5_000
#: What was decided about each loan of which something was to decide: that nothing is due is not
#: held by a row of its own, the plan's fingerprint speaks for it. What a message was decided with
#: is in the row of its submission.
_DECISIONS = """
SELECT d.loan_id, d.borrower_id, d.run_id, d.business_date, d.decision, d.reason, d.rule,
    d.legal::text AS legal, d.channel, d.template, d.tone, d.not_before, d.not_after,
    d.next_review_on, d.message_id, d.task_kind, d.figures::text AS figures,
    CASE WHEN d.message_id IS NULL THEN d.facts::text END AS facts
FROM store_decision AS d WHERE d.run_id = %s AND d.decision <> 'none' AND d.loan_id > %s
ORDER BY d.loan_id LIMIT %s
"""
_JSON = ("legal", "figures", "facts")


def record_decisions(run: str) -> None:
    """Write a row for each decision of a run about a loan that is due or late, in its transaction.

    The subject is the loan; the row is sealed under its borrower's key.
    """
    after = ""
    while True:
        with connection.cursor() as cursor:
            cursor.execute(_DECISIONS, [run, after, _ROWS_AT_ONCE])
            rows = as_dicts(cursor)
        if not rows:
            return
        record(
            "decision.made",
            [(row["loan_id"], _told(row)) for row in rows],
            about={row["loan_id"]: row["borrower_id"] for row in rows},
        )
        after = rows[-1]["loan_id"]


def _told(row: Row) -> Row:
    return {**row, **{name: unpacked(row[name]) for name in _JSON}}


def keep_sources(plan: Proven, run: str) -> None:
    """Keep the texts that decided and were said, each once, and record which a run was made from.

    The lender file is named by its fingerprint alone: where its gateways are is nobody's business.
    """
    packs = pack_texts(plan.lender.packs)
    bodies = bodies_said(plan.messages, plan.inputs)
    policy = plan.inputs.policy.name
    kept = [("pack", name, text) for name, text in packs]
    kept += [("policy", policy, plan.policy_text)]
    kept += [("template", f"{one.key} v{one.version}", one.source) for one in bodies]
    named = _keep(kept)
    versions = plan.inputs.versions()
    record("run.sources", [(run, {"versions": dict(versions), "sources": named})])


def _keep(texts: Iterable[tuple[str, str, str]]) -> list[dict[str, str]]:
    rows = [(digest.of_bytes(text.encode()), kind, name, text) for kind, name, text in texts]
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO store_source (sha256, kind, name, text) VALUES (%s, %s, %s, %s)"
            " ON CONFLICT (sha256) DO NOTHING",
            sorted(rows),
        )
    return [{"kind": kind, "name": name, "sha256": sha} for sha, kind, name, _ in rows]
