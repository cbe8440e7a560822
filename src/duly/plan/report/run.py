"""What run.json says about the plan: who, which day, from which inputs, with which alerts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from duly.book import load_lender
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.core.words import catalogue

#: Inputs of a plan in the order in which the report lists their fingerprints.
INPUTS = (
    "book", "lender", "policy", "packs", "templates", "model", "stages", "calendar", "tzdata",
    "engine", "duly",
)  # fmt: skip
_SHA256 = re.compile(r"[0-9a-f]{64}")


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
    hint: str


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


def read_run(plan_dir: Path, locale: str) -> Run:
    """Return what run.json says, its alerts in `locale`; refuse a directory that holds no plan."""
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
    zone = _text(raw.get("time_zone") or known.get("time_zone")) or _kept_zone(plan_dir)
    return Run(
        lender=_text(known.get("name") or known.get("signature")),
        business_date=day,
        at=_instant(raw.get("at") or raw.get("instant"), day),
        time_zone=zone,
        plan_sha256=_text(raw.get("plan_sha256")),
        fingerprints=tuple(item for part in INPUTS for item in _fingerprints(raw, part)),
        alerts=tuple(_alert(item, locale) for item in raw.get("alerts") or ()),
    )


def _not_a_plan(plan_dir: Path) -> Refused:
    return Refused(Diagnostic(area="report", code="not_a_plan", file=str(plan_dir)))


def _kept_zone(plan_dir: Path) -> str:
    """Return the time zone of the lender file kept with the plan; UTC where none is kept."""
    kept = plan_dir / "inputs" / "lender.yaml"
    return load_lender(kept).time_zone if kept.is_file() else "UTC"


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
    value = versions.get(part) if isinstance(versions, dict) else None
    told = raw.get(part) if part != "lender" else None
    if isinstance(told, dict) and isinstance(value, str):
        value = {"sha256": value, **told}
    elif value is None:
        value = told
    if value is None:
        return []
    if not isinstance(value, dict):
        text = _text(value)
        if _SHA256.fullmatch(text):
            return [Fingerprint(part=part, version="", sha256=text)]
        return [Fingerprint(part=part, version=text, sha256="")]
    if "sha256" in value or "version" in value:
        return [_fingerprint(part, value, "")]
    named = [(str(name), item) for name, item in value.items() if isinstance(item, dict)]
    return [_fingerprint(part, item, name) for name, item in named]


def _fingerprint(part: str, value: Mapping[str, object], name: str) -> Fingerprint:
    version = f"{_text(value.get('name')) or name} {_text(value.get('version'))}".strip()
    return Fingerprint(part=part, version=version, sha256=_text(value.get("sha256")))


#: The catalogues that alerts of a run come from.
_ALERTING = ("book", "plan")


def _alert(item: object, locale: str) -> Alert:
    if not isinstance(item, dict):
        return Alert(code="", sentence=_text(item), hint="")
    area, code, values = _text(item.get("area")), _text(item.get("code")), item.get("values")
    if area in _ALERTING and isinstance(values, dict) and code in catalogue(area, "en"):
        told = Diagnostic(area=area, code=code, values=values)
        return Alert(code=code, sentence=told.sentence(locale), hint=told.hint(locale))
    sentence = item.get("sentence") or item.get("message")
    return Alert(
        code=_text(item.get("code")), sentence=_text(sentence), hint=_text(item.get("hint"))
    )
