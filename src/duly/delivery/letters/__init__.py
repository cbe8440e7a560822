"""A way out by post: a letter as a PDF, in the spool of a print house."""

from duly.delivery.letters.gateway import LetterGateway, LetterSettings
from duly.delivery.letters.page import Letterhead, UnprintableError
from duly.delivery.letters.withdrawing import Found, Withdrawal

__all__ = [
    "Found",
    "LetterGateway",
    "LetterSettings",
    "Letterhead",
    "UnprintableError",
    "Withdrawal",
]
