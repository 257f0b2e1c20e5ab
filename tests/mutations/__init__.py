"""The tests can fail: each protection of exactly once, taken away in turn, is missed by a test.

`python -m tests.mutations` (make mutations) works on a copy of the tree and writes a table. A mutation is a named
patch in one of the lists here; `catalogue.py` names the lists.
"""
