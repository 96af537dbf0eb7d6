"""Measurements against budgets. Not part of the suite: `make bench` runs them."""
