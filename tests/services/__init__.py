"""Real servers for tests, benchmarks and the Kafka demo: installed by `make services`, started on loopback."""
