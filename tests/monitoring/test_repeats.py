"""Lines of libraries that come again and again: one per place and 30 s, and the rest as a number."""

import logging
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import structlog

from gmv.monitoring.repeats import REPEAT_SECONDS, Repeats
from tests.monitoring.world import Clock

AIOKAFKA, KAFKA = logging.getLogger("test-repeats.aiokafka.client"), logging.getLogger("test-repeats.kafka.conn")


class Kept(logging.Handler):
    """Keeps what passes its filter."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[tuple[str, int | None]] = []
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)
        self.lines.append((record.getMessage(), getattr(record, "more_like_this", None)))


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.kept = Kept()
        self.kept.addFilter(Repeats(self.clock))

    def away(self, node: object) -> None:
        AIOKAFKA.error("Unable connect to node with id %s: %s", node, OSError(f"[Errno 111] {node}"))

    def closed(self) -> None:
        AIOKAFKA.warning("connection closed")

    def preformatted(self, number: int) -> None:
        KAFKA.error(f"tried {number} times")  # as some libraries do


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    above = logging.getLogger("test-repeats")
    above.addHandler(made.kept)
    above.propagate = False
    yield made
    above.removeHandler(made.kept)


def test_a_line_that_comes_once_is_written_as_it_is(world: World) -> None:
    world.closed()
    assert world.kept.lines == [("connection closed", None)]


def test_of_a_thousand_from_one_place_one_is_written_and_the_next_says_how_many_there_were(world: World) -> None:
    for number in range(1_000):
        world.away(number % 3)
    world.clock.now += REPEAT_SECONDS
    world.away(7)
    world.away(8)
    first, last = "node with id 0: [Errno 111] 0", "node with id 7: [Errno 111] 7"
    assert world.kept.lines == [(f"Unable connect to {first}", None), (f"Unable connect to {last}", 999)]


def test_places_are_told_apart_and_what_was_put_together_before_is_not(world: World) -> None:
    for number in range(10):
        world.away(number)
        world.closed()
        world.preformatted(number)
    assert [line for line, _ in world.kept.lines] == [
        "Unable connect to node with id 0: [Errno 111] 0",
        "connection closed",
        "tried 0 times",
    ]


def test_what_came_to_rest_is_said_with_the_next_line_of_whomever(world: World) -> None:
    for number in range(5):
        world.preformatted(number)
    before = datetime.now(UTC)
    world.clock.now += REPEAT_SECONDS + 1.0
    world.closed()
    world.closed()
    assert world.kept.lines == [("tried 0 times", None), ("tried 4 times", 3), ("connection closed", None)]
    said = world.kept.records[1]
    assert (said.name, said.levelno) == (KAFKA.name, logging.ERROR)
    assert datetime.fromisoformat(said.last_seen) <= before  # type: ignore[attr-defined]
    world.clock.now += REPEAT_SECONDS + 1.0
    world.preformatted(9)
    assert world.kept.lines[-2:] == [("connection closed", 0), ("tried 9 times", None)]


def test_the_rest_is_said_at_the_end(world: World) -> None:
    for number in range(5):
        world.preformatted(number)
        world.closed()
    filters: list[Repeats] = world.kept.filters  # type: ignore[assignment]
    for _ in range(2):
        filters[0].say_rest()
    assert world.kept.lines[2:] == [("tried 4 times", 3), ("connection closed", 3)]


def test_our_own_lines_are_all_written(world: World) -> None:
    ours = structlog.wrap_logger(
        logging.getLogger("test-repeats.gmv"),
        processors=[structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    for number in range(50):
        ours.warning("commit_refused", partition=number)
    assert len(world.kept.lines) == 50


def test_of_our_own_sentences_those_that_say_the_very_same_are_limited(world: World) -> None:
    """Each names a partition or a record: none may be lost in the number of others."""
    ours = logging.getLogger("gmv.test-repeats")
    ours.addHandler(world.kept)
    try:
        for number in [1, 2, 3, 1, 2, 3, 1]:
            ours.warning("the record at %d has ended 3 workers: a dead letter", number)
        world.clock.now += REPEAT_SECONDS
        ours.warning("the record at %d has ended 3 workers: a dead letter", 1)
    finally:
        ours.removeHandler(world.kept)
    told = [(line.split()[3], more) for line, more in world.kept.lines]
    assert told == [("1", None), ("2", None), ("3", None), ("2", 0), ("3", 0), ("1", 2)]


def test_every_line_is_written_or_counted(world: World) -> None:
    for number in range(300):
        world.away(number)
        world.clock.now += 0.7
    world.clock.now += REPEAT_SECONDS
    world.closed()
    about_nodes = [more or 0 for line, more in world.kept.lines if line.startswith("Unable")]
    assert len(about_nodes) + sum(about_nodes) == 300
    assert len(about_nodes) <= 300 * 0.7 / REPEAT_SECONDS + 2
