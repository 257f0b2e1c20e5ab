"""The ledger in Redis: one hash per book, one script per commit."""
