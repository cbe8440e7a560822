"""Which words were meant? One spelling for every way in which a text may be written."""

from duly.spelling.folding import folded, traditional

__all__ = ["folded", "traditional"]
