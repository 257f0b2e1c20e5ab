"""All checks, one area after the other. What an area refuses is its finding; the others go on."""

import os
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Final

from gmv.doctor import kafka as kafka_rules
from gmv.doctor import machine as machine_rules
from gmv.doctor import progress
from gmv.doctor.finding import Finding, fine, problem, warning
from gmv.errors import Refusal
from gmv.ledger.open import open_accounts, open_ledger
from gmv.ledger.position import Position
from gmv.settings import Settings

_CGROUP: Final = Path("/sys/fs/cgroup")


class Area(StrEnum):
    """What can be examined by itself."""

    MACHINE = "machine"
    INDEX = "index"
    LEDGER = "ledger"
    KAFKA = "kafka"


class Examination:
    """Examines what the settings name. Nothing is changed anywhere.

    Args:
        settings: of the worker to be.
        redis_user: whose rights are judged; None is the user of the settings.
    """

    def __init__(self, settings: Settings, redis_user: str | None = None) -> None:
        self._settings = settings
        self._redis_user = redis_user
        self._redis_ahead_seconds: float | None = None
        self._newest_event_ms: int | None = None

    def of(self, areas: Collection[Area]) -> Iterator[Finding]:
        """Yield what is found in these areas, in their order here."""
        examined: dict[Area, Callable[[], Iterator[Finding]]] = {
            Area.MACHINE: self._machine,
            Area.INDEX: self._index,
            Area.LEDGER: self._ledger,
            Area.KAFKA: self._kafka,
        }
        for area, examine in examined.items():
            if area in areas:
                try:
                    yield from examine()
                except Refusal as refusal:
                    yield problem(area.value, str(refusal), "")
        if {Area.LEDGER, Area.KAFKA} & set(areas):
            now_ms = int(time.time() * 1_000)
            yield from machine_rules.judge_clocks(self._redis_ahead_seconds, self._newest_event_ms, now_ms)

    def _machine(self) -> Iterator[Finding]:
        yield from machine_rules.judge_threads(self._settings.worker.threads, usable_cores())
        yield from machine_rules.judge_timings(self._settings)

    def _index(self) -> Iterator[Finding]:
        if self._settings.index is None:
            yield warning("index", "no index is named", "set `index`, which a worker needs")
            return
        from gmv.index.advice import WITHOUT_TEMPERATURE, misplaced_temperature, undated_copies
        from gmv.index.opened import open_index

        index = open_index(self._settings.index, verify=True)
        found = f"{index.index_id[:12]}: {len(index.images):,} images, every file as its manifest says"
        yield fine("index", found)
        temperature = self._settings.valuation.temperature
        if temperature is not None and (misplaced := misplaced_temperature(index.manifest, temperature)) is not None:
            yield warning("temperature", misplaced, WITHOUT_TEMPERATURE)
        undated = undated_copies(index.groups.undated)
        if self._settings.valuation.copies == "earliest" and undated is not None:
            yield warning("near copies", undated, "see `gmv index duplicates --several-owners`")
        size = sum(file.stat().st_size for file in self._settings.index.iterdir() if file.is_file())
        yield from machine_rules.judge_memory(size, available_bytes())

    def _ledger(self) -> Iterator[Finding]:
        settings = self._settings.ledger
        if settings.url.startswith("redis"):
            yield from self._redis()
        with closing(open_accounts(settings)) as accounts:
            sums = accounts.sums()
        yield fine("ledger", f"{settings.url} holds credits of {sums.credited:,} events")

    def _redis(self) -> Iterator[Finding]:
        from gmv.doctor import redis as redis_rules
        from gmv.ledger.redis.acl import rule_of
        from gmv.ledger.redis.inspection import RedisInspector

        settings = self._settings.ledger
        wanted, looking = (rule_of(role, settings).commands for role in ("worker", "doctor"))
        with closing(RedisInspector(settings)) as inspector:
            servers = inspector.servers()
            for address, server in servers.items():
                yield from redis_rules.judge_server(server, address)
            ahead = [each.clock_ahead_seconds for each in servers.values() if each.clock_ahead_seconds is not None]
            self._redis_ahead_seconds = max(ahead, key=abs, default=None)
            user = inspector.user([*wanted, *redis_rules.UNWANTED], self._redis_user)
        writing = () if self._redis_user else set(wanted) - set(looking)
        yield from redis_rules.judge_user(user, "worker", writing)

    def _kafka(self) -> Iterator[Finding]:
        from gmv.doctor import records as record_rules
        from gmv.kafka.inspection import KafkaInspector

        kafka = self._settings.kafka
        with closing(KafkaInspector(kafka)) as inspector:
            yield fine("brokers", f"{', '.join(inspector.brokers())} answer")
            events, receipts, dead_letters = (
                inspector.topic(name) for name in (kafka.topic, kafka.receipts_topic, kafka.dead_letters_topic)
            )
            group = inspector.group(kafka.group)
            yield from kafka_rules.judge_events(events, self._settings)
            yield from kafka_rules.judge_receipts(receipts, self._settings)
            yield from kafka_rules.judge_dead_letters(dead_letters, events)
            yield from kafka_rules.judge_rights([events, receipts, dead_letters], group, self._settings)
            files = inspector.newest(events, record_rules.EVENTS_READ, record_rules.names_file)
            yield from record_rules.judge_event_images(files, self._settings)
            reasons = inspector.newest(dead_letters, record_rules.DEAD_LETTERS_READ, record_rules.reason_of)
            yield from record_rules.judge_dead_letter_reasons(reasons)
            yield from machine_rules.judge_session(self._settings, inspector.session_limits())
            yield from kafka_rules.judge_group(group, kafka.group, len(events.partitions))
            self._newest_event_ms = events.newest_ms
            if not events.partitions:
                return
            begun = {number: held.end for number, held in events.partitions.items() if held.unstable_records}
            yield from progress.judge_open_transactions(
                events, inspector.times(kafka.topic, begun), int(time.time() * 1_000)
            )
            positions = self._positions(events.partitions)
            waiting = {
                number: position.next_offset
                for number, position in positions.items()
                if events.partitions[number].start <= position.next_offset < events.partitions[number].high_watermark
            }
            times = inspector.times(kafka.topic, waiting)
            with closing(open_accounts(self._settings.ledger)) as accounts:
                beginning = accounts.beginning(kafka.topic, events.partitions.keys())
            yield from progress.judge_beginning(kafka.topic, beginning)
        yield from progress.judge_headroom(events, positions, times, int(time.time() * 1_000))

    def _positions(self, partitions: Collection[int]) -> Mapping[int, Position]:
        with closing(open_ledger(self._settings.ledger)) as ledger:
            return ledger.positions(self._settings.kafka.topic, partitions)


def usable_cores() -> float:
    """Return how many cores this process may use; less than one in a container that is given a part of one."""
    cores = float(len(os.sched_getaffinity(0)))
    limit = _CGROUP / "cpu.max"
    if limit.is_file():
        quota, _, period = limit.read_text().strip().partition(" ")
        if quota != "max":
            cores = min(cores, int(quota) / int(period))
    return cores


def available_bytes() -> int:
    """Return the memory that can still be had, of the machine or of the container."""
    fields = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) * 1_024
    limit = _CGROUP / "memory.max"
    if limit.is_file() and (text := limit.read_text().strip()) != "max":
        available = min(available, int(text))
    return available
