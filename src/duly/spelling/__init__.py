"""Which words were meant? One spelling for every way in which a text may be written."""

from duly.spelling.folding import folded, traditional
from duly.spelling.traced import Traced, rewritten, traced

__all__ = ["Traced", "folded", "rewritten", "traced", "traditional"]
