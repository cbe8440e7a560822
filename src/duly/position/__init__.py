"""What is owed, since when? Allocation, late charge, days and buckets (contract, section 2)."""

from duly.position.batch import compute, warm
from duly.position.coverage import plan_broken_on
from duly.position.tables import Positions, write
from duly.position.trace import LoanTrace, trace

__all__ = ["LoanTrace", "Positions", "compute", "plan_broken_on", "trace", "warm", "write"]
