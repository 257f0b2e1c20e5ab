"""Names of the headers gmv writes; the one place where they are defined.

A dead letter has its record's own headers first, then these, `DLQ_TOPIC` before all others: what follows the last
`DLQ_TOPIC` is ours.
"""

DLQ_TOPIC = "__dlq.errors.topic"  # this family is Kafka's own (KIP-1191), so that its tools understand our dead letters
DLQ_PARTITION = "__dlq.errors.partition"
DLQ_OFFSET = "__dlq.errors.offset"
DLQ_GROUP = "__dlq.errors.group"
DLQ_MESSAGE = "__dlq.errors.message"
DLQ_REASON = "gmv.dlq.reason"
DLQ_WORKER_VERSION = "gmv.dlq.worker_version"
DLQ_PAYLOAD_SHA256 = "gmv.dlq.payload_sha256"
DLQ_NO_KEY = (
    "gmv.dlq.no_key"  # the record has neither key nor value, which producers refuse to send: its key is made up
)
