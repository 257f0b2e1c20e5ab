"""Tests of gmv."""
