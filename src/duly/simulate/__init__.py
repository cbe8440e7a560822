"""What would happen if? Books made from a seed, and the bench that runs on them."""

from duly.simulate.bench import BenchResult, hardware, run_bench, to_markdown
from duly.simulate.bulk import write_bulk

__all__ = ["BenchResult", "hardware", "run_bench", "to_markdown", "write_bulk"]
