"""Staff: who may log in, and what their role lets them do."""
