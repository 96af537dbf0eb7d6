"""Decides what a router needs: pure functions from intent and observed rows to a plan.

No I/O, no clock, no randomness, no Django. Data flows one way:
intent -> desired, rows -> observed, (desired, observed) -> diff -> plan -> guard; `status` says what it means.
"""
