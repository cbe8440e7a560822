"""What does the law allow, here and now? Dated packs of rules, asked by batch and by row."""

from duly.rules.asking import Answer, ask, decide, reason_sql
from duly.rules.cases import CaseResult, run_cases, test_cases
from duly.rules.counting import cap_limits
from duly.rules.coverage import Covered, coverage, parse_coverage
from duly.rules.facts import FACTS, INPUTS, NEUTRAL, NULLABLE
from duly.rules.load import (
    active,
    bars,
    join_packs,
    load_packs,
    pack_names,
    packs_sha256,
    parse_pack,
    rules_sha256,
    without,
)
from duly.rules.model import (
    Bar,
    Cap,
    CapLimit,
    Case,
    Check,
    Effect,
    Force,
    Require,
    Rule,
    Source,
    Verdict,
    Window,
    legal_key,
)
from duly.rules.pages import list_rules, show
from duly.rules.windows import Slot, slots

__all__ = [
    "FACTS",
    "INPUTS",
    "NEUTRAL",
    "NULLABLE",
    "Answer",
    "Bar",
    "Cap",
    "CapLimit",
    "Case",
    "CaseResult",
    "Check",
    "Covered",
    "Effect",
    "Force",
    "Require",
    "Rule",
    "Slot",
    "Source",
    "Verdict",
    "Window",
    "active",
    "ask",
    "bars",
    "cap_limits",
    "coverage",
    "decide",
    "join_packs",
    "legal_key",
    "list_rules",
    "load_packs",
    "pack_names",
    "packs_sha256",
    "parse_coverage",
    "parse_pack",
    "reason_sql",
    "rules_sha256",
    "run_cases",
    "show",
    "slots",
    "test_cases",
    "without",
]
