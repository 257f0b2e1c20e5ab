"""`gmv index add` and `gmv index remove`: an index made of another."""
