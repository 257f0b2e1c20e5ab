"""gmv: a streaming attribution worker."""
