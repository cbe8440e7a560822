"""What does a day's plan look like to the people who answer for it?"""

from duly.plan.report.page import write_report

__all__ = ["write_report"]
