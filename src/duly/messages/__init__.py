"""What exactly do we say? Templates, rendering, segments, check codes."""

from duly.messages.bulk import Alike, recount, render_alike, render_columns
from duly.messages.catalog import (
    Body,
    Catalogue,
    Template,
    gateway_code,
    guarded_facts,
    index,
    template_names,
    templates_sha256,
)
from duly.messages.catalog import builtin as builtin_templates
from duly.messages.catalog import load as load_templates
from duly.messages.code import check_code, fill_code
from duly.messages.codes import check_codes, fill_codes
from duly.messages.elements import violations
from duly.messages.extremes import Extreme, extremes
from duly.messages.facts import CannotSay, Facts, Order, Rendered, TemplateBroken
from duly.messages.lawful import Broken, TextRules, amounts_in, longest_allowed, text_rules
from duly.messages.locales import message_locale
from duly.messages.parts import segments
from duly.messages.render import COLUMNS, OUT_COLUMNS, render, render_table
from duly.messages.stages import stage_facts
from duly.messages.values import date_text, mask_name, money_text
from duly.messages.variables import OF_A_PLAN
from duly.messages.voice import lender_problems

__all__ = [
    "COLUMNS",
    "OF_A_PLAN",
    "OUT_COLUMNS",
    "Alike",
    "Body",
    "Broken",
    "CannotSay",
    "Catalogue",
    "Extreme",
    "Facts",
    "Order",
    "Rendered",
    "Template",
    "TemplateBroken",
    "TextRules",
    "amounts_in",
    "builtin_templates",
    "check_code",
    "check_codes",
    "date_text",
    "extremes",
    "fill_code",
    "fill_codes",
    "gateway_code",
    "guarded_facts",
    "index",
    "lender_problems",
    "load_templates",
    "longest_allowed",
    "mask_name",
    "message_locale",
    "money_text",
    "recount",
    "render",
    "render_alike",
    "render_columns",
    "render_table",
    "segments",
    "stage_facts",
    "template_names",
    "templates_sha256",
    "text_rules",
    "violations",
]
