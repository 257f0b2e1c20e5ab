"""Every kind of ledger under one contract, and the simulated server; each test on a ledger of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contract.worlds import WITH_JANITOR, LedgerWorld, world_of
from tests.ledger.batches import START, TOPIC


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A ledger of one book in a cluster is on one of its servers, like any other of one book; it is not tried again."""

    def is_tried(item: pytest.Item) -> bool:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        return (params.get("place"), params.get("books")) != ("cluster", 1)

    items[:] = filter(is_tried, items)


@pytest.fixture(params=[*WITH_JANITOR, "simulated"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LedgerWorld]:
    made = world_of(request.param, request, tmp_path / "ledger.db")
    yield made
    made.close()


@pytest.fixture(params=[1, 3], ids=["1 book", "3 books"])
def books(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def made(place: LedgerWorld, books: int) -> LedgerWorld:
    """A ledger whose positions are the starts of four partitions."""
    _make(place, books)
    return place


@pytest.fixture
def of_one_book(place: LedgerWorld) -> LedgerWorld:
    _make(place, 1)
    return place


def _make(place: LedgerWorld, books: int) -> None:
    registry = place.registry()
    registry.create(books)
    registry.register(TOPIC, dict.fromkeys(range(4), START))
