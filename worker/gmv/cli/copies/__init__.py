"""`gmv index duplicates`: what is told of near copies."""
