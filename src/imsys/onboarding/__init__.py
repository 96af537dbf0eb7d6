"""Bringing a router under our care: looking whether it can be kept. Reads routers, writes none."""
