"""What happened: one append-only table, written in the transaction of what it tells."""
