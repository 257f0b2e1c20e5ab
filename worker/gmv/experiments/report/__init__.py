"""The report over experiments: one page and one document, from the results that were stored."""
