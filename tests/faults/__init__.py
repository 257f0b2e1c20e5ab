"""Exactly once under real fire: `gmv worker` processes, a real Kafka, a real Redis, one fault each, an oracle after."""
