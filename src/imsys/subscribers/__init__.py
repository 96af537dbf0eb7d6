"""What the business wants: packages, subscribers, suspensions. `services` is the only door to change it."""
