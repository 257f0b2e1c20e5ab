"""A worker process whose computing is trivial: the pump, the outbox and a real ledger around the test world's valuer.

It is watched as a real one is: its pages and its lines are those of `gmv worker`.

Arguments: brokers, topic, ledger URL, namespace, instance id (may be empty), seconds per run, web port. What is not
among them, such as a password file or for how long a server may be away, comes from the environment as ever.
"""

import ctypes
import sys
import time
from collections.abc import Sequence
from dataclasses import replace

import structlog

from gmv.assembly.watch import Watch
from gmv.assembly.worker import run_until_stopped, watched_ledger
from gmv.errors import Poison, Refusal
from gmv.events.model import GeneratedImage
from gmv.monitoring import logging
from gmv.monitoring.telemetry import MeasuredLedger
from gmv.settings import load
from gmv.stream.core import Parts
from gmv.stream.ports import Outbox
from gmv.stream.records import Record
from gmv.valuation.types import Attribution
from tests.stream.world import EqualShares, JsonDecoder, Notes, by, owners_of, parts

SESSION_SECONDS = 6


class DeadlyDecoder(JsonDecoder):
    """Ends the process, as a fault in native code does, at a record that names the owner `segfault`."""

    def decode(self, record: Record) -> GeneratedImage:
        event = super().decode(record)
        if "segfault" in owners_of(event):
            ctypes.string_at(0)
        return event


class SlowShares(EqualShares):
    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def attribute(self, events: Sequence[GeneratedImage]) -> list[Attribution | Poison]:
        time.sleep(self._seconds)
        return super().attribute(events)


def main() -> None:
    brokers, topic, ledger_url, namespace, instance_id, seconds, web_port = sys.argv[1:]
    settings = load(
        flags={
            "kafka.brokers": brokers,
            "kafka.topic": topic,
            "kafka.group": topic,
            "kafka.instance_id": instance_id or None,
            "kafka.session_seconds": SESSION_SECONDS,
            "kafka.heartbeat_seconds": 0.5,
            "kafka.run_records_max": 50,
            "ledger.url": ledger_url,
            "ledger.namespace": namespace,
            "worker.web_port": web_port,
        }
    )
    logging.configure("json", settings.worker.log_level)
    watch = Watch(settings, structlog.get_logger("gmv.worker"))
    watch.health.index_loaded()  # there is none
    ledger = MeasuredLedger(watched_ledger(settings, watch), watch.watcher.clock, watch.metrics)

    def make_parts(outbox: Outbox) -> Parts:
        made = parts(ledger, outbox, Notes(), in_a_row_max=100)
        return replace(made, observer=watch.watcher, decoder=DeadlyDecoder(), valuers=by(SlowShares(float(seconds))))

    try:
        run_until_stopped(settings, make_parts, watch)
    except Refusal as refusal:
        sys.stderr.write(f"gmv: {refusal}\n")
        sys.exit(refusal.exit_code)


if __name__ == "__main__":
    main()
