"""What a worker does about its name, by what the group says at each look."""

from dataclasses import dataclass, field

import pytest

from gmv.errors import LogUnavailable
from gmv.kafka.admin import Holder
from gmv.kafka.instance_id import WAITS_SECONDS, InstanceId
from gmv.settings import KafkaSettings

OURS, OTHER, ANOTHER = Holder("w-1", "10.0.0.1"), Holder("w-2", "10.0.0.2"), Holder("w-3", "10.0.0.3")
AWAY = LogUnavailable("away")


@dataclass
class World:
    """A group that answers as told, the last answer again and again, and whoever watches."""

    answers: list[Holder | LogUnavailable | None]
    seen: list[str] = field(default_factory=list)
    slept_seconds: list[float] = field(default_factory=list)
    looks_before_stop: int = 100

    def name(self, instance_id: str | None = "w") -> InstanceId:
        return InstanceId(KafkaSettings(instance_id=instance_id), self, self, self.sleep)

    async def holder(self, instance_id: str) -> Holder | None:
        assert instance_id == "w"
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, LogUnavailable):
            raise answer
        return answer

    async def sleep(self, seconds: float) -> None:
        self.slept_seconds.append(seconds)

    def is_stopping(self) -> bool:
        return len(self.slept_seconds) >= self.looks_before_stop

    def instance_id_taken(self, host: str) -> None:
        self.seen.append(host)

    def instance_id_free(self) -> None:
        self.seen.append("free")


@pytest.mark.parametrize(
    ("answers", "seen"),
    [
        ([OURS, OURS], ["free"]),  # any rebalance
        ([OURS, None], ["free"]),  # our session ran out, and nobody came
        ([OURS, OTHER, None], ["10.0.0.2", "free"]),
        ([OURS, OTHER, OTHER, ANOTHER, None], ["10.0.0.2", "10.0.0.2", "10.0.0.3", "free"]),
        ([OURS, OTHER, AWAY, AWAY, None], ["10.0.0.2"] * 3 + ["free"]),  # brokers that are away free no name
        ([OURS, AWAY], ["free"]),  # nothing is known of another
    ],
)
async def test_one_that_had_the_name_waits_while_another_has_it(
    answers: list[Holder | LogUnavailable | None], seen: list[str]
) -> None:
    world = World(answers)
    name = world.name()
    await name.joined()
    await name.wait_while_lost(world.is_stopping)
    assert world.seen == seen


@pytest.mark.parametrize("answers", [[OTHER], [AWAY, OTHER]])
async def test_one_that_did_not_join_yet_takes_the_name(answers: list[Holder | LogUnavailable | None]) -> None:
    """A worker that is started again finds its predecessor under its name."""
    world = World(answers)
    name = world.name()
    if len(answers) > 1:
        await name.joined()  # and was not told who it is
    await name.wait_while_lost(world.is_stopping)
    assert world.seen == []


async def test_waits_grow_and_are_bounded() -> None:
    world = World([OURS, *[OTHER] * 8, None])
    name = world.name()
    await name.joined()
    await name.wait_while_lost(world.is_stopping)
    assert world.slept_seconds == [*WAITS_SECONDS, *[WAITS_SECONDS[-1]] * 4]
    assert list(WAITS_SECONDS) == sorted(set(WAITS_SECONDS))


async def test_a_stop_ends_the_wait_and_frees_no_name() -> None:
    world = World([OURS, OTHER], looks_before_stop=2)
    name = world.name()
    await name.joined()
    await name.wait_while_lost(world.is_stopping)
    assert world.seen == ["10.0.0.2", "10.0.0.2"]


async def test_one_that_was_fenced_while_it_joined_waits_too() -> None:
    world = World([OTHER, OTHER, None])
    assert await world.name().is_anothers()
    await world.name().wait_until_free(world.is_stopping)
    assert world.seen == ["10.0.0.2", "free"]


async def test_a_worker_without_a_name_asks_nobody() -> None:
    world = World([OTHER])
    name = world.name(None)
    await name.joined()
    await name.wait_while_lost(world.is_stopping)
    assert not await name.is_anothers()
    assert world.seen == []
