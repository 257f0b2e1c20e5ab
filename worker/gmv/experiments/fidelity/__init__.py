"""Fidelity beyond the poster: what settings of the method change for real images, whose classes are known."""
