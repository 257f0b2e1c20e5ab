"""`gmv rights`."""
