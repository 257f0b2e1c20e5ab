"""What drives the house: the worker core, the logs it reads and the places its receipts go."""
