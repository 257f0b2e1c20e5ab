"""The ledger: who has earned how much, and how far each log is credited, changed together or not at all."""
