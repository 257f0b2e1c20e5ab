from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from gmv.errors import LedgerUnavailable
from gmv.ledger.port import Batch, Known
from gmv.ledger.position import Position
from gmv.stream.ports import RunSummary
from gmv.stream.records import Bounds, Partition
from gmv.valuation.attribution import value_contributors
from gmv.valuation.types import Candidate
from tests.monitoring.world import OWNERS, RUN, WatchedWorker, seconds_ago, watched_hour
from tests.stream.world import PARTITION, START, TOPIC_ID, JsonDecoder, MemoryLedger, event_record, poison_record

LABELS = {"topic": PARTITION.topic, "partition": str(PARTITION.number)}


async def test_each_record_is_counted_once_by_what_became_of_it(executor: ThreadPoolExecutor) -> None:
    worker = await watched_hour(executor)

    outcomes = {o: worker.value("gmv_events_total", outcome=o) for o in ("credited", "dead_lettered", "duplicate")}
    assert outcomes == {"credited": 2, "dead_lettered": 1, "duplicate": 1}
    assert worker.value("gmv_dead_letters_total", reason="malformed_json") == 1
    assert worker.value("gmv_run_records_sum") == len(RUN)
    assert worker.value("gmv_commits_total", answer="committed") == 1


async def test_micro_credits_are_those_of_the_ledger(executor: ThreadPoolExecutor) -> None:
    worker = await watched_hour(executor)

    assert worker.value("gmv_credits_micros_total") == sum(worker.ledger.totals.values()) == 2_000_000


async def test_effective_contributors_are_those_who_share(executor: ThreadPoolExecutor) -> None:
    worker = await watched_hour(executor)

    assert worker.value("gmv_effective_contributors_count") == 2
    assert worker.value("gmv_effective_contributors_sum") == pytest.approx(2 + 4)
    assert worker.value("gmv_effective_contributors_bucket", le="2.5") == 1


async def test_events_of_which_nobody_is_left_are_counted_and_share_nothing(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor)
    assert worker.value("gmv_events_nobody_left_total") == 0
    await worker.assign()
    shared = value_contributors([Candidate("a", "ada", 1.0, 0.5)], 1.0, 1.0)
    nobody = value_contributors([], 1.0, 1.0)
    worker.watcher.run_finished(
        RunSummary(PARTITION, 3, 3, 0, {}, 1_000_000, Position(TOPIC_ID, 3), 1, (), (nobody, shared, nobody))
    )
    assert worker.value("gmv_events_nobody_left_total") == 2
    assert worker.value("gmv_events_total", outcome="credited") == 3
    assert worker.value("gmv_effective_contributors_count") == 1


async def test_event_to_credit_is_measured_where_the_log_tells_the_time(executor: ThreadPoolExecutor) -> None:
    worker = await watched_hour(executor)  # 0.2 s, 20 s, unknown, and from the future, which counts as 0 s

    assert worker.value("gmv_event_to_credit_seconds_count") == 3
    assert worker.value("gmv_event_to_credit_seconds_sum") == pytest.approx(20.2)


async def test_stages_are_observed_once_per_run(executor: ThreadPoolExecutor) -> None:
    worker = await watched_hour(executor)

    counts = {s: worker.value("gmv_stage_seconds_count", stage=s) for s in ("decode", "known", "publish", "commit")}
    assert counts == dict.fromkeys(counts, 1)
    assert worker.value("gmv_stage_seconds_count", stage="encode") == 0


async def test_lag_and_headroom_follow_the_position(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor, MemoryLedger(state={0: Position(TOPIC_ID, 5)}))
    await worker.assign(start=2, end=12)
    assert worker.value("gmv_assigned_partitions") == 1
    assert worker.value("gmv_lag_records", **LABELS) == 7
    assert worker.value("gmv_position_headroom_records", **LABELS) == 3

    await worker.credit(event_record(5, "a"), event_record(6, "b"))
    assert worker.value("gmv_lag_records", **LABELS) == 5
    assert worker.value("gmv_position_headroom_records", **LABELS) == 5

    worker.watcher.bounds_read({PARTITION: Bounds(3, 20)})
    assert worker.value("gmv_lag_records", **LABELS) == 13
    assert worker.value("gmv_position_headroom_records", **LABELS) == 4


async def test_what_waits_behind_an_open_transaction_is_part_of_the_lag_to_the_high_watermark_alone(
    executor: ThreadPoolExecutor,
) -> None:
    worker = WatchedWorker(executor, MemoryLedger(state={0: Position(TOPIC_ID, 5)}))
    await worker.assign(start=2, end=12)
    assert worker.value("gmv_lag_high_watermark_records", **LABELS) == 7

    worker.watcher.bounds_read({PARTITION: Bounds(2, 5, 200)})
    assert worker.value("gmv_lag_records", **LABELS) == 0
    assert worker.value("gmv_lag_high_watermark_records", **LABELS) == 200
    worker.monotonic.now += 299.0
    worker.watcher.bounds_read({PARTITION: Bounds(2, 5, 300)})
    worker.monotonic.now += 299.0
    assert worker.health.live().good  # to start it again would not end the transaction

    worker.watcher.bounds_read({PARTITION: Bounds(2, 305)})
    assert worker.value("gmv_lag_high_watermark_records", **LABELS) == 300
    await worker.core.assign([], None)  # type: ignore[arg-type]  # no log is asked where nothing is taken up
    assert worker.value("gmv_lag_high_watermark_records", **LABELS) is None


async def test_lag_is_told_in_seconds_too(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor)
    await worker.assign(end=10)
    await worker.credit(seconds_ago(event_record(0, "a"), 40.0), seconds_ago(event_record(1, "b"), 30.0))
    assert worker.value("gmv_lag_seconds", **LABELS) == 30.0

    worker.watcher.bounds_read({PARTITION: Bounds(0, 2)})
    assert worker.value("gmv_lag_seconds", **LABELS) == 0.0


async def test_an_end_read_before_the_newest_run_is_no_negative_lag(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor)
    await worker.assign(end=1)
    await worker.credit(event_record(0, "a"), event_record(1, "b"))

    assert worker.value("gmv_lag_records", **LABELS) == 0


async def test_partitions_given_up_are_no_longer_told_of(executor: ThreadPoolExecutor) -> None:
    worker = await watched_hour(executor)
    await worker.core.assign([], None)  # type: ignore[arg-type]  # no log is asked where nothing is taken up

    assert worker.value("gmv_assigned_partitions") == 0
    assert worker.value("gmv_lag_records", **LABELS) is None
    assert worker.value("gmv_position_headroom_records", **LABELS) is None


async def test_a_run_is_one_line_at_debug_that_says_it_all(executor: ThreadPoolExecutor) -> None:
    worker = await watched_hour(executor)

    assert [level for level, event, _ in worker.log.lines if event == "run_finished"] == ["debug"]
    (line,) = worker.log.named("run_finished")
    stage_seconds = line.pop("stage_seconds")
    assert stage_seconds.keys() == {"decode", "known", "publish", "commit"}
    assert all(seconds >= 0.0 for seconds in stage_seconds.values())
    assert line == {
        "topic": PARTITION.topic,
        "partition": PARTITION.number,
        "next_offset": 4,
        "batch_id": worker.ledger.state[0].batch_id,
        "records": 4,
        "credited": 2,
        "duplicates": 1,
        "dead_letters": 1,
        "dead_letters_by_reason": {"malformed_json": 1},
        "owners": len(OWNERS),
        "micros": 2_000_000,
        "effective_contributors_mean": 3.0,
        "lag_records": 6,
    }


async def test_a_run_of_poison_has_no_mean(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor)
    await worker.assign()
    await worker.credit(poison_record(0))

    assert worker.log.named("run_finished")[0]["effective_contributors_mean"] is None


async def test_runs_are_summed_up_every_10_seconds_and_at_the_end(executor: ThreadPoolExecutor) -> None:
    worker = await watched_hour(executor)  # records 0 to 3 of 10
    worker.monotonic.now += 6.0
    worker.watcher.look()
    await worker.credit(poison_record(4), event_record(5, "event-three", OWNERS[:1]))
    assert worker.log.named("runs_finished") == []
    worker.monotonic.now += 4.0
    worker.watcher.look()
    (line,) = worker.log.named("runs_finished")
    stage_seconds = line.pop("stage_seconds")
    assert line.pop("slowest_stage") == max(stage_seconds, key=stage_seconds.__getitem__)
    assert stage_seconds.keys() == {"decode", "known", "publish", "commit"}
    assert line == {
        "seconds": 10.0,
        "runs": 2,
        "records": 6,
        "credited": 3,
        "duplicates": 1,
        "dead_letters": 2,
        "dead_letters_by_reason": {"malformed_json": 2},
        "micros": 3_000_000,
        "lag_records": 4,
    }
    for _ in range(100):  # nothing came: nothing is said
        worker.monotonic.now += 1.0
        worker.watcher.look()
    await worker.credit(event_record(6, "event-four"))
    worker.monotonic.now += 3.0
    worker.watcher.close()
    worker.watcher.close()
    last = worker.log.named("runs_finished")[1:]
    assert [(each["runs"], each["seconds"], each["dead_letters"]) for each in last] == [(1, 3.0, 0)]
    assert [level for level, event, _ in worker.log.lines if event == "runs_finished"] == ["info", "info"]


async def test_lines_do_not_grow_with_the_number_of_runs(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor)
    await worker.assign(end=480)
    for offset in range(480):  # a minute
        await worker.credit(event_record(offset, f"e{offset}"))
        worker.monotonic.now += 0.125
        worker.watcher.look()
    heard = [event for level, event, _ in worker.log.lines if level != "debug"]
    assert heard == ["positions_assigned"] + ["runs_finished"] * 6
    assert sum(line["credited"] for line in worker.log.named("runs_finished")) == 480


async def test_positions_taken_are_told(executor: ThreadPoolExecutor) -> None:
    worker = await watched_hour(executor)

    assert worker.log.named("positions_assigned") == [{"positions": {"images[0]": 0}}]


async def test_a_fenced_partition_is_another_workers_to_tell_of(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor)
    await worker.assign(end=10)
    worker.ledger.state[0] = Position(TOPIC_ID, 9)
    await worker.credit(event_record(0, "a"))

    assert worker.value("gmv_commits_total", answer="fenced") == 1
    assert worker.value("gmv_assigned_partitions") == 0
    assert worker.value("gmv_lag_records", **LABELS) is None
    assert worker.log.lines[-1] == (
        "warning",
        "commit_refused",
        {"topic": "images", "partition": 0, "answer": "fenced"},
    )


async def test_a_rewound_position_is_followed_back(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor, MemoryLedger(state={0: Position(TOPIC_ID, 5)}))
    await worker.assign(end=10)
    worker.ledger.state[0] = Position(TOPIC_ID, 2)
    await worker.credit(event_record(5, "a"))

    assert worker.value("gmv_commits_total", answer="rewound") == 1
    assert worker.value("gmv_positions_moved_total", answer="rewound") == 1
    assert worker.value("gmv_lag_records", **LABELS) == 8


async def test_a_rewound_position_is_counted_where_a_look_finds_it_too(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor, MemoryLedger(state={0: Position(TOPIC_ID, 5)}))
    await worker.assign(end=10)
    worker.ledger.state[0] = Position(TOPIC_ID, 2)
    await worker.core.check([PARTITION])

    moved = {answer: worker.value("gmv_positions_moved_total", answer=answer) for answer in ("fenced", "rewound")}
    assert moved == {"fenced": 0, "rewound": 1}
    assert worker.value("gmv_commits_total", answer="rewound") == 0


async def test_a_refused_run_does_not_add_to_the_next_ones_time(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor)
    await worker.assign(end=10)
    worker.ledger.state[0] = Position(TOPIC_ID, 9)
    await worker.credit(event_record(0, "a"))

    assert worker.watcher.clock.lap() == {}


async def test_a_duplicate_found_at_the_commit_is_no_warning(executor: ThreadPoolExecutor) -> None:
    record = event_record(0, "a")
    event = JsonDecoder().decode(record)
    worker = WatchedWorker(executor)
    await worker.assign(end=1)
    worker.ledger.events[event.identity] = Known(0, 0, event.payload)
    worker.ledger.hidden = {event.identity}
    await worker.credit(record)

    assert [line[:2] for line in worker.log.lines] == [
        ("info", "positions_assigned"),
        ("info", "commit_refused"),
        ("debug", "run_finished"),
    ]
    assert worker.value("gmv_events_total", outcome="duplicate") == 1


async def test_a_ledger_that_fails_makes_the_worker_unready_until_it_answers(executor: ThreadPoolExecutor) -> None:
    class Failing(MemoryLedger):
        def commit(self, batch: Batch) -> object:  # type: ignore[override]
            raise LedgerUnavailable("gone")

    worker = WatchedWorker(executor, Failing())
    assert not worker.health.ready().good
    assert worker.value("gmv_probe_passes", probe="readyz") == 0
    await worker.assign(end=1)
    assert worker.health.ready().good
    assert worker.value("gmv_probe_passes", probe="readyz") == 1

    with pytest.raises(LedgerUnavailable):
        await worker.credit(event_record(0, "a"))
    worker.monotonic.now += 2.0

    assert not worker.health.ready().good
    assert worker.value("gmv_stage_failures_total", stage="commit") == 1
    assert worker.value("gmv_run_records_count") == 0

    await worker.core.check([PARTITION])
    assert worker.health.ready().good


async def test_a_name_that_another_worker_has_is_said_once_counted_at_each_look_and_keeps_this_one_unready(
    executor: ThreadPoolExecutor,
) -> None:
    worker = WatchedWorker(executor)
    await worker.assign()
    worker.watcher.instance_id_free()
    assert worker.value("gmv_instance_id_conflicts_total") == 0
    for host in ("10.0.0.2", "10.0.0.2", "10.0.0.3"):
        worker.watcher.instance_id_taken(host)
    assert worker.value("gmv_instance_id_conflicts_total") == 3
    assert [line["held_by_worker_at"] for line in worker.log.named("instance_id_taken")] == ["10.0.0.2", "10.0.0.3"]
    assert worker.health.ready().complaints == (
        "another worker, at 10.0.0.3, has this one's kafka.instance_id: give each its own",
    )
    assert worker.health.live().good  # to start it again would evict the other
    worker.watcher.instance_id_free()
    worker.watcher.instance_id_free()
    assert len(worker.log.named("instance_id_free")) == 1
    assert worker.health.ready().good


async def test_a_worker_that_is_behind_and_credits_nothing_is_stuck(executor: ThreadPoolExecutor) -> None:
    worker = WatchedWorker(executor)
    await worker.assign(end=10)
    worker.monotonic.now += 299.0
    await worker.credit(event_record(0, "a"))
    worker.monotonic.now += 299.0
    assert worker.health.live().good

    worker.watcher.bounds_read({PARTITION: Bounds(0, 10)})
    worker.monotonic.now += 2.0

    assert worker.value("gmv_probe_passes", probe="livez") == 0
    assert worker.health.live().complaints == ("stuck: 9 records behind and no run finished for 301 s (limit 300 s)",)


async def test_the_partition_furthest_behind_is_the_one_that_counts(executor: ThreadPoolExecutor) -> None:
    other = Partition(PARTITION.topic, 1)
    worker = WatchedWorker(executor)
    worker.watcher.bounds_read({PARTITION: Bounds(0, 0), other: Bounds(0, 30)})
    worker.watcher.positions_assigned({PARTITION: START, other: replace(START, next_offset=10)})
    worker.monotonic.now += 301.0

    assert worker.health.live().complaints[0].startswith("stuck: 20 records behind")
