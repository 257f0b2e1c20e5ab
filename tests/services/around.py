"""Runs a command with a Kafka broker and a Redis server of its own: `python -m tests.services.around gmv bench …`."""

import os
import subprocess
import sys

from tests.services.kafka import KafkaBroker
from tests.services.redis import RedisServer


def main(command: list[str]) -> int:
    """Start both, tell the command where they are by its environment, and stop them after it."""
    with KafkaBroker() as broker, RedisServer("everysec") as redis:
        servers = {"GMV_KAFKA_BROKERS": broker.address, "GMV_LEDGER_URL": redis.url}
        return subprocess.run(command, env=os.environ | servers).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
