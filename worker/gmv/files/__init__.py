"""A file of events as a log: how it is read, and where its receipts and dead letters go."""
