"""Exact Wasserstein distance between token sets, and the re-rank by it."""
