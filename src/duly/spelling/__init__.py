"""Which words were meant? One spelling for every way in which a text may be written."""

from duly.spelling.folding import folded, traditional
from duly.spelling.traced import Traced, is_turned, rewritten, traced, turned

__all__ = ["Traced", "folded", "is_turned", "rewritten", "traced", "traditional", "turned"]
