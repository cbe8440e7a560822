"""The inputs kept with a plan, so that it can be worked out again when the book is gone."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from importlib import resources
from pathlib import Path

from duly.book import Snapshot, load_lender, open_snapshot
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused
from duly.messages import load_templates
from duly.plan import instants
from duly.plan.inputs import PlanInputs, rules_of
from duly.policy import BUILT_INS, read_stops, with_stops
from duly.policy import load as load_policy
from duly.risk import model as models
from duly.risk import registry
from duly.rules.zones import zone

MODEL = "model"  #: where the champion lies among the kept inputs
STOPS = "stops.json"  #: where the arms that ended lie among the kept inputs
TEXTS = "templates"  #: where the lender's own texts lie among the kept inputs
#: Versions that must be equal for a plan to be worked out again.
_SAME = ("packs", "templates", "model", "tzdata", "stages")
#: Files that must be as they were kept; arms that ended are named where there are any.
_KEPT = ("book", "lender", "policy", "stops")


def link_snapshot(source: Path, target: Path) -> None:
    """Put a snapshot's files under `target`: linked where the file system can, else copied."""
    target.mkdir(parents=True)
    for file in sorted(source.iterdir()):
        try:
            os.link(file, target / file.name)
        except OSError:
            shutil.copyfile(file, target / file.name)


def keep(inputs: PlanInputs, folder: Path, *, lender_bytes: bytes, policy_bytes: bytes) -> None:
    """Write what is not in the snapshot: lender file, policy file, own texts, fingerprints."""
    (folder / "lender.yaml").write_bytes(lender_bytes)
    (folder / "policy.yaml").write_bytes(policy_bytes)
    if inputs.lender.stops is not None:
        shutil.copyfile(inputs.lender.stops, folder / STOPS)
    if inputs.catalogue.own is not None:
        own = inputs.catalogue.own
        (folder / TEXTS).mkdir()
        _keep_texts(own.folder, own.kept_files, folder / TEXTS)
    record: dict[str, object] = {
        "instant": inputs.instant.isoformat(),
        "versions": dict(inputs.versions()),
        "snapshot": inputs.snapshot.sha256,
    }
    if inputs.champion is not None:
        (folder / MODEL).mkdir()
        shutil.copyfile(inputs.champion.folder / models.FILE, folder / MODEL / models.FILE)
        record["champion"] = {
            "fingerprint": inputs.champion.model.fingerprint,
            "expires": inputs.champion.expires.isoformat(),
        }
    (folder / "inputs.json").write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")


def _keep_texts(source: Path, files: Iterable[str], target: Path) -> None:
    """Copy the lender's published texts with their index; drafts are nobody's words yet."""
    for name in files:
        beside = target / name
        beside.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / name, beside)


def lender_bytes(path: Path | None) -> bytes:
    """Return the lender file as it is; None is the built-in example."""
    if path is None:
        return resources.files("duly.book").joinpath("lender.example.yaml").read_bytes()
    return path.read_bytes()


def policy_bytes(name_or_path: str) -> bytes:
    """Return the policy file as it is, built-in or given."""
    if name_or_path in BUILT_INS:
        source = resources.files("duly.policy").joinpath("builtin", f"{name_or_path}.yaml")
        return source.read_bytes()
    return Path(name_or_path).read_bytes()


def read_run(plan_dir: Path) -> Mapping[str, object]:
    """Return run.json of a plan; refuse a directory that holds none."""
    try:
        found: Mapping[str, object] = json.loads((plan_dir / "run.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise Refused(
            Diagnostic(area="plan", code="not_a_plan", values={"path": plan_dir})
        ) from None
    return found


def reopen(plan_dir: Path) -> PlanInputs:
    """Return the inputs kept with a plan.

    Refuses inputs that were changed since, and other versions of packs, templates or stages.
    """
    read_run(plan_dir)
    folder = plan_dir / "inputs"
    try:
        record = json.loads((folder / "inputs.json").read_text("utf-8"))
    except (OSError, ValueError):
        raise Refused(
            Diagnostic(area="plan", code="not_a_plan", values={"path": plan_dir})
        ) from None
    instant = datetime.fromisoformat(record["instant"])
    snapshot: Snapshot = open_snapshot(folder / "snapshot")
    lender = load_lender(folder / "lender.yaml")
    if lender.templates is not None:  # Where it was is no matter: the texts are kept here.
        lender = replace(lender, templates=folder / TEXTS)
    policy = load_policy(str(folder / "policy.yaml"))
    if lender.stops is not None:
        policy = with_stops(policy, read_stops(folder / STOPS))
    rules = rules_of(lender, instants.business_date(instant, zone(lender.time_zone)))
    inputs = PlanInputs(
        snapshot=snapshot,
        instant=instant,
        lender=lender,
        policy=policy,
        rules=rules,
        catalogue=load_templates(lender.templates),
        champion=_champion(folder / MODEL, record.get("champion")),
    )
    _same_versions(inputs, record["versions"], record["snapshot"], folder)
    return inputs


def _champion(folder: Path, told: Mapping[str, str] | None) -> registry.Champion | None:
    if told is None:
        return None
    return registry.opened(folder, told["fingerprint"], told["expires"])


def _same_versions(
    inputs: PlanInputs, then: Mapping[str, str], snapshot_sha256: str, folder: Path
) -> None:
    now = inputs.versions()
    changed = [
        Diagnostic(area="plan", code="inputs_changed", values={"name": name, "path": folder})
        for name in _KEPT
        if now.get(name) != then.get(name)
    ]
    if inputs.snapshot.sha256 != snapshot_sha256:
        changed.append(
            Diagnostic(
                area="plan", code="inputs_changed", values={"name": "snapshot", "path": folder}
            )
        )
    changed += [
        Diagnostic(
            area="plan",
            code="other_version",
            values={"name": name, "then": then.get(name), "now": now[name]},
        )
        for name in _SAME
        if now[name] != then.get(name)
    ]
    if changed:
        raise Refused(*changed)
