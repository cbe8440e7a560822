"""Said once, lawfully, and did it arrive? Message states, routes, gateways."""

from duly.delivery.port import Answer, Gateway, Incoming, Outgoing, Receipt, Reply
from duly.delivery.states import FINAL, OPEN, STATES, may_follow

__all__ = [
    "FINAL",
    "OPEN",
    "STATES",
    "Answer",
    "Gateway",
    "Incoming",
    "Outgoing",
    "Receipt",
    "Reply",
    "may_follow",
]
