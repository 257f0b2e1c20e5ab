"""The exact descriptor: the default encoder, in integers that come out the same on every processor."""
