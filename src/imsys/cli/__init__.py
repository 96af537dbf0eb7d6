"""The command line: one door among three. It parses, asks services and selectors, and prints; no rule lives here."""
