"""The index of a training corpus: read the corpus, build, open, recall."""
