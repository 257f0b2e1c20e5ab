"""`gmv experiment`, a file per purpose."""
