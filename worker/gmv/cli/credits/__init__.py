"""`gmv credits`: a file per command."""
