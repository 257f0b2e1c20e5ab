"""Events per second of computing alone: decode and attribute, in runs as long as a worker's; nothing is kept."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import CollectorRegistry

from gmv.assembly.owners import read_ownership
from gmv.assembly.parts import EventDecoder, assemble_attributor
from gmv.errors import Poison
from gmv.events.model import GeneratedImage
from gmv.index.opened import Index
from gmv.monitoring.catalogue import Metrics, Stage
from gmv.monitoring.telemetry import MeasuredDecoder, StageClock
from gmv.settings import Settings
from gmv.stream.ports import Decoder
from gmv.stream.records import Record


@dataclass(frozen=True, slots=True)
class Rate:
    """Events per second of one pass, and where its seconds went (empty where that is another process's to know)."""

    events_per_second: float
    stage_seconds: Mapping[Stage, float]
    anonymous_bytes: int = 0


def compute_only(records: Sequence[Record], index: Index, settings: Settings) -> Rate:
    """Decode and attribute records, in runs of `kafka.run_records_max`; what holds no event is passed over."""
    clock = StageClock()
    ownership = read_ownership(settings.owners, index.images)
    attributor = assemble_attributor(index, settings, ownership, clock, Metrics(CollectorRegistry()))
    decoder = MeasuredDecoder(EventDecoder(), clock)
    started = time.perf_counter()
    for first in range(0, len(records), settings.kafka.run_records_max):
        run = records[first : first + settings.kafka.run_records_max]
        attributor.attribute(list(_events(run, decoder)))
    seconds = time.perf_counter() - started
    return Rate(len(records) / seconds, clock.totals())


def _events(run: Sequence[Record], decoder: Decoder) -> Iterator[GeneratedImage]:
    for record in run:
        with suppress(Poison):  # a worker would dead-letter it
            yield decoder.decode(record)
