"""What is owed, since when? Allocation, late charge, days and buckets (contract, section 2)."""

from duly.position.batch import Positions, compute
from duly.position.coverage import plan_broken_on

__all__ = ["Positions", "compute", "plan_broken_on"]
