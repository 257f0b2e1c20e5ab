"""What owners earned in a time, from committed receipts: statements, the events that paid, and pages of both."""
