"""What all tests share: real servers, topics of a test's own, a seed that can be replayed, and no skips under CI."""

import os
import random
import uuid
from collections.abc import Generator, Iterator
from typing import Protocol, TypeVar

import hypothesis
import pytest

from tests.services.kafka import KafkaBroker
from tests.services.redis import RedisServer, ValkeyServer
from tests.services.redis_cluster import RedisCluster
from tests.services.secure_kafka import SecureKafkaBroker

CI = "CI" in os.environ
SEED_VARIABLE = "GMV_TEST_SEED"
_SEED_GIVEN = os.environ.pop(SEED_VARIABLE, None)  # processes of gmv that tests start would refuse the variable
SLOW_FIXTURES = frozenset({"small_index", "larger_index"})
SERVER_FIXTURES = frozenset({"kafka", "secure_kafka", "redis_server", "valkey_server", "redis_cluster"})

# Before torch and numpy are loaded, here and in processes that tests start: OpenMP's threads wait for each other by
# spinning, and on two busy cores an encoder of small pictures is fitted in 0.2 s by one thread and in 2.3 s by two.
os.environ.setdefault("OMP_NUM_THREADS", "1")

Report = TypeVar("Report", pytest.TestReport, pytest.CollectReport)

# No deadline: on two busy cores any example can be slow once. CI tries the same examples every time.
hypothesis.settings.register_profile("gmv", deadline=None, print_blob=True, derandomize=CI)
hypothesis.settings.load_profile("gmv")


class TopicFactory(Protocol):
    """Makes topics that no other test sees."""

    def __call__(self, partitions: int = 4, **configs: str) -> str:
        """Create a topic and return its name; `configs` are the topic's, with `_` for the dot."""
        ...


@pytest.fixture(scope="session")
def kafka() -> Iterator[KafkaBroker]:
    """One broker for all tests. A test that stops or kills a broker starts its own."""
    with KafkaBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def secure_kafka() -> Iterator[SecureKafkaBroker]:
    """One broker that wants to know who comes and checks what they may do."""
    with SecureKafkaBroker() as broker:
        yield broker


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One Redis for all tests, which take a namespace each. A test that stops or kills a server starts its own."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """Where the shared Redis is."""
    return redis_server.url


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[ValkeyServer]:
    """One Valkey for all tests, which take a namespace each."""
    with ValkeyServer() as server:
        yield server


@pytest.fixture(scope="session")
def redis_cluster() -> Iterator[RedisCluster]:
    """One cluster of three primaries for all tests, which take a namespace each. Who mistreats one starts its own."""
    with RedisCluster() as cluster:
        yield cluster


@pytest.fixture
def topic(kafka: KafkaBroker) -> TopicFactory:
    """Make topics with unique names on the shared broker."""

    def make(partitions: int = 4, **configs: str) -> str:
        name = f"test-{uuid.uuid4().hex}"
        kafka.create_topic(name, partitions, **configs)
        return name

    return make


@pytest.fixture
def seed() -> int:
    """Give a seed that a failing test's output names; the same one again with `GMV_TEST_SEED=… pytest …`."""
    chosen = int(_SEED_GIVEN or random.SystemRandom().randrange(2**32))
    print(f"{SEED_VARIABLE}={chosen}")  # noqa: T201 - pytest shows it with a failure
    return chosen


@pytest.hookimpl(tryfirst=True)  # before pytest picks by `-m`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests that use a server or build an index of real images; the others are the quick part of the suite."""
    for item in items:
        names = frozenset(getattr(item, "fixturenames", ()))
        if names & SERVER_FIXTURES:
            item.add_marker("servers")
        if names & SLOW_FIXTURES:
            item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail what skips, or is expected to fail, under CI: such a test says nothing."""
    report = yield
    return _without_skips(report)


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Fail a module that skips itself under CI."""
    report = yield
    return _without_skips(report)


def _without_skips(report: Report) -> Report:
    if CI and report.outcome == "skipped":
        report.outcome = "failed"
        report.longrepr = f"skipped under CI, where nothing may be: {report.longrepr}"
    return report
