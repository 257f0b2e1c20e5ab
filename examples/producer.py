"""Sends an image to gmv: python producer.py localhost:9092 generated-images picture.png. Needs kafka-python alone."""

import base64
import hashlib
import json
import sys
from pathlib import Path

from kafka import KafkaProducer

brokers, topic, path = sys.argv[1:]
content = Path(path).read_bytes()
event_id = hashlib.sha256(content).hexdigest()  # the same image sent again is the same event, and credited once
data = {"image": {"bytes": base64.b64encode(content).decode()}, "model": "my-model-2"}
attributes = {
    "ce_specversion": "1.0",
    "ce_type": "gmv.image.generated.v1",
    "ce_source": "https://images.example/generator",
    "ce_id": event_id,
    "content-type": "application/json",
}
producer = KafkaProducer(bootstrap_servers=brokers, acks="all", max_request_size=64 * 2**20)
sent = producer.send(
    topic,
    key=event_id.encode(),
    value=json.dumps(data).encode(),
    headers=[(name, value.encode()) for name, value in attributes.items()],
)
sent.get(timeout=30)
producer.close()
print(event_id)
