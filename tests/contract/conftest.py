"""The two ledgers, and the simulated server, under one contract; each test on a ledger of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.places import Place, RedisPlace, SimulatedPlace, SqlitePlace
from tests.ledger.batches import START, TOPIC


@pytest.fixture(params=["sqlite", "simulated", pytest.param("redis", marks=pytest.mark.servers)])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite":
        made: Place = SqlitePlace(tmp_path / "ledger.db")
    elif request.param == "simulated":
        made = SimulatedPlace()
    else:
        made = RedisPlace(request.getfixturevalue("redis_url"))
    yield made
    made.close()


@pytest.fixture(params=[1, 3], ids=["1 book", "3 books"])
def books(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def made(place: Place, books: int) -> Place:
    """A ledger that stands at the start of four partitions."""
    _make(place, books)
    return place


@pytest.fixture
def of_one_book(place: Place) -> Place:
    _make(place, 1)
    return place


def _make(place: Place, books: int) -> None:
    registry = place.registry()
    registry.create(books)
    registry.register(TOPIC, dict.fromkeys(range(4), START))
