"""A policy as a plan of this lender takes it: its bytes, and what is wrong with them here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from duly.book import Lender
from duly.messages import load_templates
from duly.plan import sendable
from duly.policy import Places, Policy, read, read_stops, with_stops


@dataclass(frozen=True, kw_only=True)
class Question:
    """Which policy is asked about, for whom and when; `at` carries the lender's zone."""

    file: str
    data: bytes
    lender: Lender
    at: datetime


def read_policy(question: Question) -> Policy:
    """Return the policy as a plan of this lender takes it; refuse what such a plan refuses."""
    texts = load_templates(question.lender.templates)
    policy = read(
        question.file, question.data, templates=texts.names, demands=texts.demands
    )  # fmt: skip
    sendable.check(policy, Places(question.file, question.data), texts, question.lender)
    if question.lender.stops is not None:
        policy = with_stops(policy, read_stops(question.lender.stops))
    return policy


def key_of(question: Question, policy: Policy) -> tuple[str, ...]:
    """Return everything that a proof of it depends on: equal keys have equal proofs."""
    lender = question.lender
    ended = [f"{one.id} {name}" for one in policy.experiments for name in one.ended]
    texts = load_templates(lender.templates).sha256
    day = question.at.date().isoformat()
    return (policy.fingerprint, lender.sha256, texts, day, *ended)
