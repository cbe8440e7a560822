"""Paying at somebody else's page: what a provider hears, and what it may tell us."""

from duly.care.checkout.hosted import Hosted, HostedSettings
from duly.care.checkout.port import (
    CallbackRefused,
    Intent,
    Outcome,
    Provider,
    Status,
    Why,
)
from duly.care.checkout.states import OPEN, STATES, after

__all__ = [
    "OPEN",
    "STATES",
    "CallbackRefused",
    "Hosted",
    "HostedSettings",
    "Intent",
    "Outcome",
    "Provider",
    "Status",
    "Why",
    "after",
]
