"""`duly messages lint`: which texts break a rule, by which words?"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

from duly.cli import arguments, output, settings
from duly.core.diagnostic import Diagnostic
from duly.core.errors import Refused

_STDIN = "-"


def lint(file: Annotated[str, arguments.worded("option.messages_file", hyphen=True)], /) -> int:
    """Label the messages of a file of JSON lines, or of stdin."""
    from duly.messages.lint import labels_of, lint, read_messages

    if file.startswith("-") and file != _STDIN:
        values = {"name": file, "near": "", "command": "duly messages lint"}
        raise Refused(Diagnostic(area="cli", code="unknown_option", values=values))
    content = sys.stdin.buffer.read() if file == _STDIN else Path(file).read_bytes()
    asked, warnings = read_messages(content, "stdin" if file == _STDIN else file)
    output.diagnostics(warnings, settings.locale())
    wrong = False
    with output.progress("lint"):
        for one in asked:
            findings = lint(one.message)
            wrong = wrong or bool(findings)
            told = {
                "id": one.id,
                "labels": list(labels_of(findings)),
                "findings": [
                    {
                        "label": found.label,
                        "words": found.words,
                        "start": found.start,
                        "end": found.end,
                        "rule": found.rule,
                    }
                    for found in findings
                ],
            }
            output.line(json.dumps(told, ensure_ascii=not output.speaks_unicode()))
    return output.FOUND_WRONG if wrong else output.DONE
