"""The ledger in one SQLite file: what Redis does in one script, in one transaction."""
