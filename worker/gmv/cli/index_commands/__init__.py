"""Commands of `gmv index` that have a file each."""
