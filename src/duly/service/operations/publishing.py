"""A policy proposed, agreed to and published by two people; which one the service plans by.

The newest publication counts from its legal instant on, before the policy of the lender file.
Nobody publishes alone, and nothing that was published is edited: an earlier version comes back by
being published again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import connection, transaction

from duly.book import Lender
from duly.core import digest
from duly.plan.kept import policy_bytes
from duly.policy import Policy
from duly.service.operations.recording import record
from duly.service.operations.releasing import person, same
from duly.service.rows import Row, as_dicts

#: Two people who press at once: one of them comes second.
_LOCK = 0x44554C62
_IN_FORCE = """
SELECT p.id AS proposal, p.sha256, p.name, p.version, p.text, u.first_by, u.second_by, u.at
FROM store_policypublication AS u JOIN store_policyproposal AS p ON p.id = u.proposal_id
WHERE u.at <= %s ORDER BY u.at DESC, u.id DESC LIMIT 1
"""
_TAKEN = """
SELECT 1 FROM store_policypublication AS u JOIN store_policyproposal AS p ON p.id = u.proposal_id
WHERE p.name = %s AND p.version = %s AND p.sha256 <> %s LIMIT 1
"""
_OTHERS = """
SELECT a.id, a."by" FROM store_policyagreement AS a
JOIN store_policycomparison AS c ON c.id = a.comparison_id
WHERE a.proposal_id = %(proposal)s AND a.publication_id IS NULL
    AND c.base_sha256 = %(base)s AND c.basis = %(basis)s ORDER BY a.id
"""
_PUBLISH = """
INSERT INTO store_policypublication (proposal_id, comparison_id, first_by, second_by, at)
VALUES (%(proposal)s, %(comparison)s, %(first)s, %(by)s, %(at)s) RETURNING id
"""
#: Who agrees anew agrees to what he sees now.
_AGREE = """
INSERT INTO store_policyagreement (proposal_id, comparison_id, "by", at)
VALUES (%(proposal)s, %(comparison)s, %(by)s, %(at)s)
ON CONFLICT (proposal_id, "by") WHERE publication_id IS NULL
DO UPDATE SET comparison_id = EXCLUDED.comparison_id, at = EXCLUDED.at
"""


class PublishingRefused(Exception):
    """A step towards publishing was not taken; `code` says why, nothing was changed."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, kw_only=True)
class Published:
    """A policy that two people published."""

    proposal: int
    sha256: str
    name: str
    version: int
    text: str
    first_by: str
    second_by: str
    at: datetime

    @property
    def file(self) -> str:
        """Return the name of a file of it."""
        return f"{self.name}-{self.version}.yaml"


@dataclass(frozen=True, kw_only=True)
class Base:
    """The policy that the next plan of the service takes; `published` None: the lender file's."""

    file: str
    data: bytes
    published: Published | None

    @property
    def sha256(self) -> str:
        """Return its fingerprint."""
        return digest.of_bytes(self.data)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What somebody has before his eyes who agrees: a comparison with this base on this basis."""

    proposal: int
    sha256: str
    comparison: int
    base_sha256: str
    basis: str


def in_force(at: datetime) -> Published | None:
    """Return the policy that was published last by a legal instant; None: none was."""
    with connection.cursor() as cursor:
        cursor.execute(_IN_FORCE, [at])
        found = as_dicts(cursor)
    return Published(**found[0]) if found else None


def base_of(lender: Lender, at: datetime) -> Base:
    """Return what a plan of the service takes at a legal instant.

    Raises OSError where that is the lender file's and cannot be read.
    """
    found = in_force(at)
    if found is not None:
        return Base(file=found.file, data=found.text.encode(), published=found)
    return Base(file=Path(lender.policy).name, data=policy_bytes(lender.policy), published=None)


def propose(policy: Policy, text: str, *, base: Policy | None, by: str, at: datetime) -> int:
    """Keep a policy as somebody proposes it and return its number; the same text is one proposal.

    Refused: name and version of a published policy, or of the one in use (`base`), that says
    something else.
    """
    by, sha = person(by), policy.fingerprint
    assert sha == digest.of_bytes(text.encode()), "the text is what was read"
    if base is not None and _is_edited(base, policy):
        raise PublishingRefused("version_taken")
    with transaction.atomic(), connection.cursor() as cursor:
        _refuse_taken(cursor, policy.name, policy.version, sha)
        cursor.execute(
            'INSERT INTO store_policyproposal (sha256, name, version, text, "by", at)'
            " VALUES (%s, %s, %s, %s, %s, %s)"
            " ON CONFLICT (sha256) WHERE closed_at IS NULL DO NOTHING RETURNING id",
            [sha, policy.name, policy.version, text, by, at],
        )
        added = cursor.fetchone()
        if added is not None:
            record("policy.proposed",
                   [(sha, {"by": by, "name": policy.name, "version": policy.version})])  # fmt: skip
            return int(added[0])
        cursor.execute(
            "SELECT id FROM store_policyproposal WHERE sha256 = %s AND closed_at IS NULL", [sha]
        )
        return int(cursor.fetchone()[0])


def _is_edited(base: Policy, policy: Policy) -> bool:
    named = (base.name, base.version) == (policy.name, policy.version)
    return named and base.fingerprint != policy.fingerprint


def withdraw(proposal: int, *, by: str, at: datetime) -> None:
    """Close a proposal; refused where it is closed, or is the policy in force."""
    by = person(by)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        row = _open(cursor, proposal)
        found = in_force(at)
        if found is not None and found.proposal == proposal:
            raise PublishingRefused("in_force")
        cursor.execute(
            "UPDATE store_policyproposal SET closed_by = %s, closed_at = %s WHERE id = %s",
            [by, at, proposal],
        )
        record("policy.withdrawn", [(row["sha256"], {"by": by})])


def agree(seen: Seen, *, lender: Lender, by: str, at: datetime) -> bool:
    """Agree to publish what somebody sees; return whether it is published: he is the second.

    An agreement counts as long as the policy in force, the lender file and the texts are those of
    its comparison. Refused: a closed proposal, one that is in force or was changed meanwhile, a
    version that is taken, and the same person twice (however the name is spelt).
    """
    by = person(by)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        row = _open(cursor, seen.proposal)
        base = base_of(lender, at)
        if row["sha256"] != seen.sha256 or base.sha256 != seen.base_sha256:
            raise PublishingRefused("changed")
        if base.sha256 == seen.sha256:
            raise PublishingRefused("in_force")
        _refuse_taken(cursor, row["name"], row["version"], seen.sha256)
        given: dict[str, Any] = {
            "proposal": seen.proposal, "comparison": seen.comparison, "base": seen.base_sha256,
            "basis": seen.basis, "by": by, "at": at,
        }  # fmt: skip
        cursor.execute(_OTHERS, given)
        before = as_dicts(cursor)
        if any(same(by, one["by"]) for one in before):
            raise PublishingRefused("agreed_before")
        told = {"by": by, "base": seen.base_sha256, "comparison": seen.comparison}
        if not before:
            cursor.execute(_AGREE, given)
            record("policy.agreed", [(seen.sha256, told)])
            return False
        _publish(cursor, {**given, "first": before[0]["by"]})
        record("policy.published", [(seen.sha256, {**told, "first": before[0]["by"]})])
    return True


def _publish(cursor: Any, given: Mapping[str, Any]) -> None:
    cursor.execute(_PUBLISH, given)
    number = cursor.fetchone()[0]
    cursor.execute(
        "UPDATE store_policyagreement SET publication_id = %s"
        " WHERE proposal_id = %s AND publication_id IS NULL",
        [number, given["proposal"]],
    )


def agreed(proposal: int, *, base_sha256: str, basis: str) -> Sequence[str]:
    """Return whose agreement counts now."""
    with connection.cursor() as cursor:
        cursor.execute(_OTHERS, {"proposal": proposal, "base": base_sha256, "basis": basis})
        return [row["by"] for row in as_dicts(cursor)]


def _open(cursor: Any, proposal: int) -> Row:
    cursor.execute(
        "SELECT sha256, name, version FROM store_policyproposal"
        " WHERE id = %s AND closed_at IS NULL FOR UPDATE",
        [proposal],
    )
    found = as_dicts(cursor)
    if not found:
        raise PublishingRefused("closed")
    return found[0]


def _refuse_taken(cursor: Any, name: str, version: int, sha256: str) -> None:
    cursor.execute(_TAKEN, [name, version, sha256])
    if cursor.fetchone() is not None:
        raise PublishingRefused("version_taken")
