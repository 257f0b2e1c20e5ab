"""Commands over all that a ledger has committed, as its receipts tell: events explained, statements, pages of these."""
