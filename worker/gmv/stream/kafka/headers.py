"""Names of the headers gmv writes; the one place where they stand."""

DLQ_TOPIC = "__dlq.errors.topic"  # this family is Kafka's own (KIP-1191), so that its tools understand our dead letters
DLQ_PARTITION = "__dlq.errors.partition"
DLQ_OFFSET = "__dlq.errors.offset"
DLQ_GROUP = "__dlq.errors.group"
DLQ_MESSAGE = "__dlq.errors.message"
DLQ_REASON = "gmv.dlq.reason"
DLQ_WORKER_VERSION = "gmv.dlq.worker_version"
DLQ_PAYLOAD_SHA256 = "gmv.dlq.payload_sha256"
