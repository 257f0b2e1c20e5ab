"""What the ledger bench reports, with sizes too small to time anything."""

from contextlib import closing
from itertools import islice

import pytest
from redis import Redis

from gmv.bench.ledger import Shape, bench_ledger, make_batches
from gmv.errors import InvalidSettings, LedgerUnavailable
from gmv.ledger.admission import admit
from gmv.settings import LedgerSettings
from tests.cli.command import gmv, gmv_json, refused
from tests.services.server import free_port


def test_batches_follow_each_other_and_a_seed_makes_the_same() -> None:
    batches = list(islice(make_batches(seed=3), 20))
    assert batches == list(islice(make_batches(seed=3), 20))
    assert batches != list(islice(make_batches(seed=4), 20))
    assert [batch.expected for batch in batches[1:]] == [batch.next for batch in batches[:-1]]
    assert len({entry.identity for batch in batches for entry in batch.entries}) == 20 * Shape().events
    for batch in batches:
        admit(batch)


def test_few_owners_earn_most() -> None:
    earned: dict[str, int] = {}
    for batch in islice(make_batches(seed=3), 50):
        for owner_id, micros in batch.credits.items():
            earned[owner_id] = earned.get(owner_id, 0) + micros
        assert 0.98 * 128e6 < batch.micros <= 128e6, "an event's credit, less what does not divide"
    ranked = sorted(earned.values(), reverse=True)
    harmonic = [sum(1 / rank for rank in range(1, number + 1)) for number in (50, Shape().owners)]
    assert sum(ranked[:50]) / sum(ranked) == pytest.approx(harmonic[0] / harmonic[1], abs=0.03)


def test_batches_of_another_shape() -> None:
    first = next(make_batches(3, Shape(events=320, owners=200_000)))
    assert len(first.entries) == 320
    assert 950 < len(first.credits) < 1_050


def test_the_report(redis_url: str) -> None:
    before = keys(redis_url)
    result = bench_ledger(LedgerSettings(url=redis_url), batches=2, rounds=3, seed=1)
    batches = list(islice(make_batches(1), 6))
    assert result.owner_increments_per_batch == sum(len(batch.credits) for batch in batches[4:]) / 2
    baseline = result.hincrby_owner_increments_per_second
    assert min(baseline, result.commit_owner_increments_per_second, result.sqlite_owner_increments_per_second) > 0
    assert result.ratio_commit_vs_hincrby == result.commit_owner_increments_per_second / baseline
    assert result.ratio_sqlite_vs_hincrby == result.sqlite_owner_increments_per_second / baseline
    assert "HINCRBY" in result.baseline
    assert keys(redis_url) == before, "the bench leaves nothing behind"


def test_the_command(redis_url: str) -> None:
    ledger = LedgerSettings(url=redis_url)
    arguments = ("bench", "ledger", "--batches", 1, "--rounds", 1)
    assert gmv_json(ledger, *arguments)["rounds"] == 1
    assert gmv_json(ledger, *arguments, "--events", 7, "--owners", 3)["owner_increments_per_batch"] <= 3
    assert "smaller batches" in refused(ledger, 22, *arguments, "--events", 3_900)
    assert "HINCRBY in a pipeline (baseline)" in gmv(ledger, *arguments).stdout


def test_what_has_to_be_started_is_said(sqlite: LedgerSettings) -> None:
    assert "redis-server --port 6379" in refused(sqlite, 2, "bench", "ledger")
    with pytest.raises(InvalidSettings, match="redis://host:port"):
        bench_ledger(sqlite, batches=1, rounds=1, seed=1)


def test_a_server_that_is_down() -> None:
    nobody = LedgerSettings(url=f"redis://127.0.0.1:{free_port()}/0", retry_seconds=0.3)
    assert nobody.url in refused(nobody, 20, "bench", "ledger")
    with pytest.raises(LedgerUnavailable):
        bench_ledger(nobody, batches=1, rounds=1, seed=1)


def keys(redis_url: str) -> set[bytes]:
    with closing(Redis.from_url(redis_url)) as client:
        return set(client.scan_iter("gmv-bench-*"))
