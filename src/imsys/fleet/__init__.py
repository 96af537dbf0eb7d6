"""Does: the only code that writes to a router. One keeper each observes, plans, applies, reads back and records."""
