"""Sends a file of events to Kafka over and over at a steady pace, as a generator does that never stops.

    python steady_producer.py EVENTS.jsonl --per-second 10

Each round has a source of its own, so that its events are new ones. A line that is no event is sent as it is, and ends
among the dead letters. Where Kafka is, `GMV_CONFIG` and the other variables of gmv say.
"""

import itertools
import time
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from gmv.bench.steady import messages
from gmv.kafka.emitter import Emitter
from gmv.settings import load


def replay(
    events: Path,
    per_second: Annotated[int, typer.Option(min=1)] = 10,
    seconds: Annotated[int | None, typer.Option(min=1, help="To stop after. Default: never.")] = None,
) -> None:
    """Send so many each second; a broker that is away ends it."""
    endless = messages(events.read_bytes().splitlines(), int(time.time()))
    with closing(Emitter(load().kafka)) as emitter:
        begun = time.monotonic()
        for second in itertools.count(1) if seconds is None else range(1, seconds + 1):
            for message in itertools.islice(endless, per_second):
                emitter.send(events.name, message)
            emitter.finish()
            time.sleep(max(0.0, begun + second - time.monotonic()))


if __name__ == "__main__":
    typer.run(replay)
