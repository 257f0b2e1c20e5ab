"""`gmv ledger`: a file per command."""
