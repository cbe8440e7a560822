"""Which model a lender uses: two people make one the champion, nobody edits what was published."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from duly.core import files
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.risk import card as cards
from duly.risk import model as models
from duly.risk.model import Model
from duly.risk.outcomes import NEXT

INDEX = "registry.json"
APPROVALS = 2
CHALLENGER, CHAMPION, FORMER = "challenger", "champion", "former"
_NAME_OF_FOLDER = 16  #: characters of the fingerprint


@dataclass(frozen=True, kw_only=True)
class Champion:
    """The model in use and the last day on which it may be."""

    model: Model
    folder: Path
    expires: date

    def in_force(self, day: date) -> bool:
        """Return whether it may be used on a day."""
        return day <= self.expires


def approve(registry: Path, folder: Path, *, by: str, on: date) -> Mapping[str, Any]:
    """Write down that somebody approves a model; the second person makes it the champion.

    Refuses (Refused) an altered model, one that cannot serve a plan, one that expired, and the
    same person twice.
    """
    used, card = models.load(folder), cards.read(folder)
    name = " ".join(by.split())
    if not name:
        raise Refused(_wrong(registry, "nobody"))
    if card["fingerprint"] != used.fingerprint:
        raise Refused(_wrong(folder / cards.FILE, "model_altered"))
    if used.kind != "book" or NEXT not in used.answers or "relations" in used.families:
        raise Refused(_wrong(folder, "not_for_plans"))
    if on > date.fromisoformat(card["expires"]):
        raise Refused(_wrong(folder, "model_expired", expires=card["expires"]))
    entries = _entries(registry)
    entry = entries.setdefault(
        used.fingerprint, {"role": CHALLENGER, "expires": card["expires"], "approved": []}
    )
    if name.casefold() in {one["by"].casefold() for one in entry["approved"]}:
        raise Refused(_wrong(registry, "same_person", by=name))
    _keep(registry, folder, used.fingerprint)
    entry["approved"].append({"by": name, "on": on.isoformat()})
    if len(entry["approved"]) >= APPROVALS:
        for other in entries.values():
            other["role"] = FORMER if other["role"] == CHAMPION else other["role"]
        entry["role"] = CHAMPION
    text = json.dumps({"models": entries}, ensure_ascii=False, indent=1) + "\n"
    files.put(registry / INDEX, text.encode())
    return {"fingerprint": used.fingerprint, **entry}


def champion(registry: Path | None) -> Champion | None:
    """Return the model in use, None where there is none.

    Refuses (Refused) a registry that cannot be read, or whose champion is not as it was approved.
    """
    if registry is None:
        return None
    if not registry.is_dir():
        raise Refused(_wrong(registry, "no_registry"))
    for fingerprint, entry in _entries(registry).items():
        if entry["role"] == CHAMPION:
            return opened(registry / _folder(fingerprint), fingerprint, entry["expires"])
    return None


def opened(folder: Path, fingerprint: str, expires: str) -> Champion:
    """Return the champion of a folder; refuse (Refused) another model than the one named."""
    used = models.load(folder)
    if used.fingerprint != fingerprint:
        raise Refused(_wrong(folder / models.FILE, "model_altered"))
    return Champion(model=used, folder=folder, expires=date.fromisoformat(expires))


def _entries(registry: Path) -> dict[str, Any]:
    path = registry / INDEX
    if not path.exists():
        return {}
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))["models"]
        for entry in found.values():
            date.fromisoformat(entry["expires"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(_wrong(path, "not_a_registry", why=str(error))) from None
    for entry in found.values():
        if entry["role"] == CHAMPION and len(entry["approved"]) < APPROVALS:
            raise Refused(_wrong(path, "not_a_registry", why="approved"))
    return found


def _folder(fingerprint: str) -> str:
    return fingerprint[:_NAME_OF_FOLDER]


def _keep(registry: Path, folder: Path, fingerprint: str) -> None:
    """Copy a model and its card into the registry, once."""
    target = registry / _folder(fingerprint)
    if target.exists():
        return
    half = registry / f".{target.name}.half-{os.getpid()}"
    half.mkdir(parents=True)
    try:
        for name in (models.FILE, cards.FILE, cards.PAGE, cards.PLOT):
            shutil.copyfile(folder / name, half / name)
        half.rename(target)
    finally:
        shutil.rmtree(half, ignore_errors=True)


def _wrong(path: Path, code: str, **values: object) -> Diagnostic:
    return Diagnostic(area="risk", code=code, file=str(path), values=values)
