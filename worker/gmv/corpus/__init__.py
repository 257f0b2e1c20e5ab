"""A training corpus on disk: its readers, and the ids, owners and weights that it names."""
