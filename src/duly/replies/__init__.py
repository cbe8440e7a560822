"""What does a borrower's reply say? Intent, day, amount, care: read by rules and a small model."""

from duly.replies.answers import PAYMENT, PROMISE, STOPPED, STRANGER, Answer, answer_to, rank
from duly.replies.automatic import is_automatic
from duly.replies.reader import read
from duly.replies.reading import CONFIDENCE_MIN, INTENTS, Reading, Reply
from duly.replies.rows import Row, Sender, rows_of
from duly.replies.scores import Label, Scores, label_of, score, values
from duly.replies.signals import (
    COLUMNS,
    HEARD,
    TOLD,
    Followed,
    Signal,
    heard_as,
    signals_of,
    tasks_of,
    to_csv,
)

__all__ = [
    "COLUMNS",
    "CONFIDENCE_MIN",
    "HEARD",
    "INTENTS",
    "PAYMENT",
    "PROMISE",
    "STOPPED",
    "STRANGER",
    "TOLD",
    "Answer",
    "Followed",
    "Label",
    "Reading",
    "Reply",
    "Row",
    "Scores",
    "Sender",
    "Signal",
    "answer_to",
    "heard_as",
    "is_automatic",
    "label_of",
    "rank",
    "read",
    "rows_of",
    "score",
    "signals_of",
    "tasks_of",
    "to_csv",
    "values",
]
