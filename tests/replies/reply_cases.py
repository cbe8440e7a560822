"""Cases of replies in YAML: what came in, and what the guide says about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from duly.replies import Label, Reply, label_of

FOLDER = Path(__file__).parent


@dataclass(frozen=True, kw_only=True)
class Case:
    """One reply with the row that describes it."""

    reply: Reply
    row: dict[str, Any]

    @property
    def label(self) -> Label:
        """The label of a row of a batch."""
        row = self.row
        keys = {"promise_date": row.get("date"), "date_confidence": row.get("confidence")}
        return label_of({**row, **keys})


def cases(path: str) -> list[Case]:
    """Return the cases of a file below this folder, in its order."""
    held = yaml.safe_load((FOLDER / path).read_text(encoding="utf-8"))
    found = []
    for number, row in enumerate(held["cases"]):
        lang = row.get("lang", "zh")
        at = row.get("at") or held["received_at"][lang]
        reply = Reply(
            id=f"{Path(path).stem}-{number}",
            text=row["text"],
            lang=lang,
            received_at=datetime.fromisoformat(at),
            menu=row.get("menu"),
        )
        found.append(Case(reply=reply, row=row))
    return found
