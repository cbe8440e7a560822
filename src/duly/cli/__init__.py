"""The same, from a terminal."""
