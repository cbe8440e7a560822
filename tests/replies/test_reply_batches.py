"""Batches that were written before the reader saw them; their first scores are in the model card.

Here they hold what was reached: no batch may get worse, nothing dangerous may pass in silence.
"""

from __future__ import annotations

from fractions import Fraction

import pytest
from reply_cases import cases

from duly.replies import read, score


@pytest.mark.parametrize("name", [f"batch{number}" for number in range(1, 12)])
def test_a_batch_is_read_as_well_as_it_was(name):
    scores = score((case.label, read(case.reply)) for case in cases(f"batches/{name}.yaml"))
    assert scores.intents.share >= Fraction(97, 100)
    assert scores.firm_dates.share is None or scores.firm_dates.share >= Fraction(97, 100)
    assert scores.amounts.share is None or scores.amounts.share >= Fraction(85, 100)
    assert scores.dangerous.share >= Fraction(97, 100)
    assert scores.not_silent.share == 1
    assert scores.vulnerable.share == 1
