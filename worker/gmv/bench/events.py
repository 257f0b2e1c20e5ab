"""How many events a second are attributed, from images and from features, by one thread and by two."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gmv.assembly.parts import method_of
from gmv.bench.compute import Rate, compute_only
from gmv.errors import EventsRefused, Poison
from gmv.events.cloudevents import decode
from gmv.events.encoding import structured
from gmv.events.model import EventFeatures, ImageBytes
from gmv.events.reader import ImageReader
from gmv.files.lines import read_records
from gmv.index.opened import Index
from gmv.monitoring.catalogue import Stage
from gmv.settings import Settings
from gmv.stream.records import Record

THREADS: Final = (1, 2)


@dataclass(frozen=True, slots=True)
class EventsPass:
    """Medians over passes of one kind.

    Attributes:
        from_: "images" or "features".
        threads: that computed.
        events_per_second: of all threads together.
        stage_shares: of the seconds, by stage; they add up to 1.
    """

    from_: str
    threads: int
    events_per_second: float
    stage_shares: Mapping[Stage, float]


@dataclass(frozen=True, slots=True)
class EventsBench:
    """What `bench_events` measured.

    Attributes:
        events: in a pass.
        rounds: passes over each.
        candidates: M.
        contributors: K.
        indexed_images: in the index.
        passes: from images and from features, by one thread and by two.
    """

    events: int
    rounds: int
    candidates: int
    contributors: int
    indexed_images: int
    passes: tuple[EventsPass, ...]


def bench_events(events: Path, index: Index, settings: Settings, rounds: int) -> EventsBench:
    """Decode and attribute the same images as they come, and as the features an encoder beside the generator sends.

    Args:
        events: JSON lines with images in them; records that are none are left out.
        index: opened.
        settings: of valuation and images; threads are the bench's own.
        rounds: passes over each, interleaved; medians are reported.

    Raises:
        EventsRefused: no line holds an image.
    """
    images, features = _both_ways(events, index, settings)
    passes: dict[tuple[str, int], list[Rate]] = {}
    for _ in range(rounds):
        for threads in THREADS:
            ours = settings.model_copy(update={"worker": settings.worker.model_copy(update={"threads": threads})})
            for source, records in (("images", images), ("features", features)):
                passes.setdefault((source, threads), []).append(compute_only(records, index, ours))
    return EventsBench(
        events=len(images),
        rounds=rounds,
        candidates=method_of(settings, index).candidates,
        contributors=settings.valuation.contributors,
        indexed_images=len(index.images),
        passes=tuple(_median(source, threads, rates) for (source, threads), rates in passes.items()),
    )


def _median(source: str, threads: int, rates: Sequence[Rate]) -> EventsPass:
    median = sorted(rates, key=lambda rate: rate.events_per_second)[len(rates) // 2]
    total = sum(median.stage_seconds.values())
    return EventsPass(
        from_=source,
        threads=threads,
        events_per_second=statistics.median(rate.events_per_second for rate in rates),
        stage_shares={stage: seconds / total for stage, seconds in median.stage_seconds.items()},
    )


def _both_ways(events: Path, index: Index, settings: Settings) -> tuple[list[Record], list[Record]]:
    reader = ImageReader(settings.images)
    images, features = [], []
    for record in read_records(events):
        try:
            event = decode(record.value, record.headers)
            if not isinstance(event.content, ImageBytes):
                continue
            seen = index.encoder.encode([reader.read(event.content)])
        except Poison:
            continue
        features_of_event = EventFeatures(index.encoder.encoder_id, seen.vectors[0], seen.tokens[0])
        images.append(record)
        features.append(Record(record.offset, structured(replace(event, content=features_of_event))))
    if not images:
        raise EventsRefused(f"{events} holds no event with an image in it; `gmv demo` makes such")
    return images, features
