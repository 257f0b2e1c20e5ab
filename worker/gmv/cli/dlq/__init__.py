"""`gmv dlq`: records that could not be credited: which there are, what is in them, and another try."""
