"""The pages: views over selectors, templates and static files. One door among three; no rule lives here."""
