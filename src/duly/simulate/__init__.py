"""What would happen if? Books made from a seed, and the bench that runs on them."""

from duly.simulate.bench import BenchResult, hardware, run_bench, to_markdown
from duly.simulate.bulk import write_bulk
from duly.simulate.sample import PLANTED, write_sample

__all__ = [
    "PLANTED",
    "BenchResult",
    "hardware",
    "run_bench",
    "to_markdown",
    "write_bulk",
    "write_sample",
]
