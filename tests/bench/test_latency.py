"""What the bench of latency makes of what it saw, and what it refuses; real workers are in tests/end_to_end."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from prometheus_client import Histogram as Observed
from prometheus_client.parser import text_string_to_metric_families

from gmv.bench.histogram import Histogram, histogram_of, together
from gmv.bench.latency import LatencyBench, Load, bench_latency, credited, percentile
from gmv.bench.steady import events_of, messages
from gmv.cli.bench.tables import latency_tables
from gmv.cli.output import render
from gmv.errors import EventsRefused, InvalidSettings
from gmv.events.cloudevents import decode
from gmv.events.encoding import event_of_image, structured
from gmv.monitoring.buckets import EVENT_TO_CREDIT_SECONDS_BUCKETS
from gmv.monitoring.catalogue import Stage
from gmv.monitoring.exposition import render as exposed
from gmv.settings import LedgerSettings, Settings
from tests.cli.command import refused

LINES = [structured(event_of_image(b"image", "/test", name)) for name in ("a", "b")]


def read_off(observations: Sequence[float], bounds: Sequence[float]) -> Histogram:
    """Take observations by Prometheus's own client, and read them off its page."""
    registry = CollectorRegistry()
    observed = Observed("seconds", "Test.", ["stage"], buckets=bounds, registry=registry)
    observed.labels("other").observe(1.0)
    observed.labels("encode")
    for each in observations:
        observed.labels("encode").observe(each)
    body, _ = exposed(registry)
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    return histogram_of(families["seconds"], stage="encode")


class TestHistogram:
    @given(
        st.lists(st.floats(0.0, 9.9), min_size=1, max_size=50),
        st.floats(0.01, 0.99),
        st.sampled_from([EVENT_TO_CREDIT_SECONDS_BUCKETS, (0.5, 1.0, 10.0), (10.0,)]),
    )
    def test_a_quantile_is_in_the_bucket_of_the_observation_that_it_is(
        self, observations: list[float], share: float, bounds: tuple[float, ...]
    ) -> None:
        true = percentile(sorted(observations), share)
        upper = next(bound for bound in bounds if true <= bound)
        lower = max((bound for bound in bounds if bound < upper), default=0.0)
        found = read_off(observations, bounds).quantile(share)
        assert lower <= found <= upper or found == pytest.approx(lower)

    def test_within_a_bucket_it_is_a_straight_line(self) -> None:
        """By the formula of Prometheus: 10 in (1, 2], of which 2.5 are below the first quartile."""
        assert read_off([1.5] * 10, (1.0, 2.0)).quantile(0.25) == 1.25

    def test_of_what_is_beyond_all_bounds_no_more_is_known(self) -> None:
        assert read_off([0.5, 99.0], (1.0, 2.0)).quantile(0.99) == 2.0

    def test_only_what_came_since_counts_and_workers_are_added_up(self) -> None:
        before, after = read_off([0.5], (1.0, 2.0)), read_off([0.5, 1.5, 1.5], (1.0, 2.0))
        both = together([after.since(before), after.since(before)])
        assert (both.counts, both.count, both.mean) == ((0.0, 4.0, 4.0), 4.0, 1.5)

    def test_nothing_observed_has_no_quantiles(self) -> None:
        with pytest.raises(ValueError, match="without observations"):
            read_off([], (1.0,)).quantile(0.5)


class TestWhatWasSeen:
    def test_a_record_is_credited_when_the_position_is_first_seen_past_it(self) -> None:
        moves = [(1.0, [5, 0]), (2.0, [6, 2]), (3.0, [6, 2]), (4.0, [9, 3])]
        assert credited([5, 0], moves) == [[2.0, 4.0, 4.0, 4.0], [2.0, 2.0, 4.0]]

    @pytest.mark.parametrize(
        ("share", "expected"), [(0.5, 5), (0.9, 9), (0.91, 10), (0.99, 10), (1.0, 10), (0.001, 1), (0.1, 1)]
    )
    def test_percentiles_are_of_what_occurred(self, share: float, expected: int) -> None:
        assert percentile(range(1, 11), share) == expected

    @given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.001, 1.0))
    def test_so_large_a_share_is_not_above_a_percentile(self, values: list[float], share: float) -> None:
        found = percentile(sorted(values), share)
        assert sum(each <= found for each in values) >= share * len(values) - 1e-9
        assert sum(each < found for each in values) < math.ceil(share * len(values))


class TestWhatIsSent:
    def test_each_round_has_new_events(self) -> None:
        endless = messages(LINES, 7)
        sent = [next(endless) for _ in range(6)]
        events = [decode(each.value, each.headers) for each in sent]
        assert len({(each.source, each.event_id) for each in events}) == 6
        assert [each.event_id for each in events] == ["a", "b"] * 3
        assert {each.key for each in sent} == {b"a", b"b"}
        assert len({each.payload for each in events}) == 1

    def test_two_starts_have_no_event_in_common(self) -> None:
        first, second = next(messages(LINES, 1)), next(messages(LINES, 2))
        assert decode(first.value, first.headers).identity != decode(second.value, second.headers).identity

    def test_lines_that_are_no_events_are_passed_over(self) -> None:
        assert events_of([b"{broken", *LINES, b"{}", b""]) == LINES

    @pytest.mark.parametrize("lines", [[], [b""], [b"{broken", b"[]"]])
    def test_a_file_without_an_event_is_refused(self, lines: list[bytes]) -> None:
        with pytest.raises(EventsRefused, match="gmv demo"):
            events_of(lines)

    def test_time_for_no_event_is_refused(self, tmp_path: Path) -> None:
        (events := tmp_path / "events.jsonl").write_bytes(b"\n".join(LINES))
        with pytest.raises(EventsRefused, match="no event"):
            bench_latency(events, Path("index"), Settings(), 1, Load(0.5, 0.0, 1.0))


def test_what_has_to_be_started_is_said(sqlite: LedgerSettings) -> None:
    assert "redis-server --port 6379" in refused(sqlite, 2, "bench", "latency", "events.jsonl")


@pytest.mark.parametrize("workers", [-1, 0, 5])
def test_only_so_many_workers_as_there_are_partitions(workers: int) -> None:
    with pytest.raises(InvalidSettings, match="from 1 to 4"):
        bench_latency(Path("events.jsonl"), Path("index"), Settings(), workers, Load(100.0, 0.0, 1.0))


def test_the_report_shows_both_ways_to_measure(capsys: pytest.CaptureFixture[str]) -> None:
    measured = LatencyBench(
        events=6_000,
        workers=1,
        partitions=4,
        events_per_second=100.0,
        p50_ms=14.25,
        p90_ms=21.0,
        p99_ms=48.0,
        max_ms=1_120.0,
        histogram_events=6_000,
        histogram_p50_ms=13.0,
        histogram_p90_ms=22.0,
        histogram_p99_ms=47.0,
        events_per_run=1.2,
        stage_ms_per_run={Stage.ENCODE: 1.75},
        worker_cores=0.61,
        worker_cores_missed=0.02,
        other_cores=0.4,
    )
    render(measured, False, latency_tables)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["produce", "to", "position", "14.2", "21.0", "48.0", "1,120.0"] in lines
    assert ["gmv_event_to_credit_seconds", "13.0", "22.0", "47.0"] in lines
    assert ["encode", "1.75"] in lines
