"""Linear algebra with the same bits on every processor."""
