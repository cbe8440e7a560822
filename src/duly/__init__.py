"""Duly: repayment reminders that are lawful, correct, explainable and fast, in that order."""
