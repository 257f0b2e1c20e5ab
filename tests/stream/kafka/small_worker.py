"""A worker process whose computing is trivial: the pump, the outbox and a real ledger around the test world's valuer.

Arguments: brokers, topic, ledger URL, namespace, instance id (may be empty), seconds per run, web port.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace

from gmv.errors import Poison, Refusal
from gmv.events.model import GeneratedImage
from gmv.ledger.open import open_ledger
from gmv.settings import KafkaSettings, LedgerSettings, Settings, WorkerSettings
from gmv.stream.core import Parts
from gmv.stream.kafka.app import Page
from gmv.stream.kafka.worker import run_worker
from gmv.stream.ports import Outbox
from gmv.valuation.types import Attribution
from tests.stream.world import EqualShares, Notes, parts

SESSION_SECONDS = 6


class SlowShares(EqualShares):
    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def attribute(self, events: Sequence[GeneratedImage]) -> list[Attribution | Poison]:
        time.sleep(self._seconds)
        return super().attribute(events)


def main() -> None:
    brokers, topic, ledger_url, namespace, instance_id, seconds, web_port = sys.argv[1:]
    settings = Settings(
        kafka=KafkaSettings(
            brokers=brokers,
            topic=topic,
            group=topic,
            instance_id=instance_id or None,
            session_seconds=SESSION_SECONDS,
            heartbeat_seconds=0.5,
            retry_seconds=10,
            run_records_max=50,
        ),
        ledger=LedgerSettings(url=ledger_url, namespace=namespace, retry_seconds=5),
        worker=WorkerSettings(web_port=int(web_port)),
    )
    ledger = open_ledger(settings.ledger)

    def make_parts(outbox: Outbox) -> Parts:
        return replace(parts(ledger, outbox, Notes(), in_a_row_max=100), valuer=SlowShares(float(seconds)))

    try:
        run_worker(settings, make_parts, {"/livez": lambda: Page(200, b"{}", "application/json")})
    except Refusal as refusal:
        sys.stderr.write(f"gmv: {refusal}\n")
        sys.exit(refusal.exit_code)


if __name__ == "__main__":
    main()
