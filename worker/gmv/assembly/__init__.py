"""Which parts a worker is made of, and how they are put together; the same for replay, Kafka, demo and benches."""
