"""Which texts of ours were linted: every template under every answer, the lender's words out.

`python tests/messages/lint_approvals.py` lints them all and writes approved.txt anew.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

from duly.messages.catalog import FACT_FLAGS, LENDER_FLAGS, builtin
from duly.messages.facts import TemplateBroken
from duly.messages.lint import Message, digest_of, fingerprint, lint
from duly.messages.lint.model import MISSING
from duly.messages.shape import neutral_shape
from duly.messages.stages import STAGES

APPROVED = Path(__file__).parents[2] / "src/duly/messages/lint/approved.txt"


def texts() -> Iterator[tuple[str, str, str]]:
    """Give key, stage and text of every body under every answer that the body asks for."""
    for template in builtin().templates.values():
        for body in template.bodies.values():
            asked = [flag for flag in (*FACT_FLAGS, *LENDER_FLAGS) if flag in body.flags]
            for answers in itertools.product((False, True), repeat=len(asked)):
                flags = dict.fromkeys((*FACT_FLAGS, *LENDER_FLAGS), False)
                flags |= dict(zip(asked, answers, strict=True))
                yield body.key, template.stage, neutral_shape(template, body, flags)


def approved() -> str:
    """Lint every text and return the file; raise TemplateBroken for one that earns a label."""
    digests, read = set(), set()
    for key, stage, text in texts():
        like = STAGES[stage].like
        # A flag that changes nothing in the body, or two tones with one text: linted once.
        if (text, like, stage == "legal") in read:
            continue
        read.add((text, like, stage == "legal"))
        found = lint(Message(text=text, stage=like, facts={"filed": stage == "legal"}))
        wrong = [one for one in found if one.label not in MISSING]
        if wrong:
            raise TemplateBroken(key, *(f"{one.label}: {one.words} ({one.why})" for one in wrong))
        digests.add(digest_of(text, like))
    return "\n".join([fingerprint(), *sorted(digests)]) + "\n"


if __name__ == "__main__":
    APPROVED.write_text(approved(), encoding="utf-8")
