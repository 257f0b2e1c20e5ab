"""Generators, trained from scratch at the size of an experiment, so that it is known what they have seen."""
