"""The Kafka side of the stream: the pump in its Faust app, the outbox, and the producer and admin tools."""
