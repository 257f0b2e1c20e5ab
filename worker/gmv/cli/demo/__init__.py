"""`gmv demo`."""
