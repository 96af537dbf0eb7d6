"""Routers as people configured them, what was last learned of them, and the wake-ups of their keepers."""
