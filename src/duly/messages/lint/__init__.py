"""Does a text break the rules of wording? Labels, each with the words that caused it."""

from duly.messages.lint.corpus import corpora, labelled
from duly.messages.lint.house import broken, digest_of, fingerprint, unsaid
from duly.messages.lint.linting import lint
from duly.messages.lint.model import LABELS, NONE, STAGES, Finding, Labelled, Message, labels_of
from duly.messages.lint.reading import Asked, read_messages
from duly.messages.lint.scores import Scores, score
from duly.messages.lint.sender import is_authority, names_nobody

__all__ = [
    "LABELS",
    "NONE",
    "STAGES",
    "Asked",
    "Finding",
    "Labelled",
    "Message",
    "Scores",
    "broken",
    "corpora",
    "digest_of",
    "fingerprint",
    "is_authority",
    "labelled",
    "labels_of",
    "lint",
    "names_nobody",
    "read_messages",
    "score",
    "unsaid",
]
