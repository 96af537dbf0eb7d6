"""Bringing a router under our care: testing it, looking at what is on it, adopting that. Reads routers, writes none."""
