"""What exactly do we say? Templates, rendering, segments, check codes."""

from duly.messages.bulk import render_columns
from duly.messages.catalog import index, template_names, templates_sha256
from duly.messages.code import check_code, fill_code
from duly.messages.codes import check_codes, fill_codes
from duly.messages.elements import violations
from duly.messages.facts import CannotSay, Facts, Order, Rendered, TemplateBroken
from duly.messages.parts import segments
from duly.messages.render import COLUMNS, OUT_COLUMNS, render, render_table
from duly.messages.values import date_text, mask_name, money_text
from duly.messages.voice import lender_problems

__all__ = [
    "COLUMNS",
    "OUT_COLUMNS",
    "CannotSay",
    "Facts",
    "Order",
    "Rendered",
    "TemplateBroken",
    "check_code",
    "check_codes",
    "date_text",
    "fill_code",
    "fill_codes",
    "index",
    "lender_problems",
    "mask_name",
    "money_text",
    "render",
    "render_columns",
    "render_table",
    "segments",
    "template_names",
    "templates_sha256",
    "violations",
]
