"""What can the borrower do about it? Which new schedules a budget carries, and what they cost."""

from duly.care.debts import Debt, debt_of
from duly.care.offers import Budget, Limits, Offer, Relief, Wish, relieve
from duly.care.schedules import Amount

__all__ = ["Amount", "Budget", "Debt", "Limits", "Offer", "Relief", "Wish", "debt_of", "relieve"]
