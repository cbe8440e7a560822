"""What run.json says about the plan: who, which day, from which inputs, with which alerts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

#: Inputs of a plan in the order in which the report lists their fingerprints.
INPUTS = ("book", "policy", "packs", "templates", "model", "calendar", "tzdata", "engine", "duly")


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """One input of the plan: which version, and its SHA-256 where it has one."""

    part: str
    version: str
    sha256: str


@dataclass(frozen=True, kw_only=True)
class Alert:
    """One alert of the run."""

    code: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Run:
    """The run that made the plan."""

    lender: str
    business_date: date
    at: datetime  #: UTC
    time_zone: str  #: of the lender
    plan_sha256: str
    fingerprints: tuple[Fingerprint, ...]
    alerts: tuple[Alert, ...]


def read_run(plan_dir: Path) -> Run:
    """Return what run.json says; refuse a directory that holds no plan."""
    path = plan_dir / "run.json"
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _not_a_plan(plan_dir) from error
    if not isinstance(raw, dict) or "business_date" not in raw:
        raise _not_a_plan(plan_dir)
    lender = raw.get("lender", "")
    known: Mapping[str, object] = lender if isinstance(lender, dict) else {"name": lender}
    day = date.fromisoformat(str(raw["business_date"]))
    return Run(
        lender=_text(known.get("name") or known.get("signature")),
        business_date=day,
        at=_instant(raw.get("at") or raw.get("instant"), day),
        time_zone=_text(raw.get("time_zone") or known.get("time_zone")) or "UTC",
        plan_sha256=_text(raw.get("plan_sha256")),
        fingerprints=tuple(item for part in INPUTS for item in _fingerprints(raw, part)),
        alerts=tuple(_alert(item) for item in raw.get("alerts") or ()),
    )


def _not_a_plan(plan_dir: Path) -> Refused:
    return Refused(Diagnostic(area="report", code="not_a_plan", file=str(plan_dir)))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _instant(value: object, day: date) -> datetime:
    """Return the instant in UTC; the start of the business date where the run names none."""
    if value is None:
        return datetime(day.year, day.month, day.day, tzinfo=UTC)
    instant = datetime.fromisoformat(str(value))
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _fingerprints(raw: Mapping[str, object], part: str) -> list[Fingerprint]:
    """Return the fingerprints of one input: a text, an object, or an object for each name."""
    versions = raw.get("versions")
    nested = versions.get(part) if isinstance(versions, dict) else None
    value = raw.get(part, nested)
    sha256 = _text(raw.get(f"{part}_sha256"))
    if value is None and not sha256:
        return []
    if not isinstance(value, dict):
        listed = ", ".join(map(str, value)) if isinstance(value, list) else _text(value)
        return [Fingerprint(part=part, version=listed, sha256=sha256)]
    inner = [(name, item) for name, item in value.items() if isinstance(item, dict)]
    if inner and "sha256" not in value:
        return [
            Fingerprint(
                part=part, version=_version(item, str(name)), sha256=_text(item.get("sha256"))
            )
            for name, item in inner
        ]
    return [
        Fingerprint(
            part=part, version=_version(value, ""), sha256=_text(value.get("sha256")) or sha256
        )
    ]


def _version(value: Mapping[str, object], name: str) -> str:
    named = _text(value.get("name") or value.get("policy") or value.get("id") or name)
    version = _text(value.get("version"))
    return f"{named} {version}".strip()


def _alert(item: object) -> Alert:
    if not isinstance(item, dict):
        return Alert(code="", sentence=_text(item))
    sentence = item.get("sentence") or item.get("message") or item.get("text") or ""
    hint = item.get("hint")
    return Alert(
        code=_text(item.get("code")), sentence=f"{sentence} {hint}" if hint else _text(sentence)
    )
