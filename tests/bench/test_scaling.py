"""What the bench of several workers makes of what it saw, and what it refuses; it is run by hand."""

from pathlib import Path

import pytest

from gmv.bench.scaling import Moment, Pass, ScalingBench, WorkersCompared, bench_scaling, rate
from gmv.cli.bench.tables import scaling_tables
from gmv.cli.output import render
from gmv.errors import InvalidSettings
from gmv.settings import LedgerSettings, Settings
from tests.cli.command import refused
from tests.services.server import free_port


def test_the_rate_is_that_of_the_middle_and_says_who_used_the_processors() -> None:
    """A slow start and a slow end do not count: 800 events in 4 s, by 6 core-seconds of workers and 1 of others."""
    moments = [
        Moment(0.0, 0, 0.0, 0.0),
        Moment(10.0, 100, 9.0, 10.0),
        Moment(12.0, 500, 12.0, 13.5),
        Moment(14.0, 900, 15.0, 17.0),
        Moment(40.0, 1_000, 16.0, 50.0),
    ]
    assert rate(2, 1_000, moments) == Pass(2, 200.0, 1.5, 0.25)


@pytest.mark.parametrize("moments", [[], [Moment(0.0, 0, 0.0, 0.0), Moment(1.0, 1_000, 1.0, 1.0)]])
def test_too_few_events_are_refused(moments: list[Moment]) -> None:
    with pytest.raises(InvalidSettings, match="give more"):
        rate(1, 1_000, moments)


@pytest.mark.parametrize("workers", [[], [0], [1, 5]])
def test_only_so_many_workers_as_there_are_partitions(workers: list[int]) -> None:
    with pytest.raises(InvalidSettings, match="from 1 to 4"):
        bench_scaling(Path("events.jsonl"), Path("index"), Settings(), workers, 1)


def test_what_is_no_number_is_said_before_anything_is_started(redis_url: str) -> None:
    arguments = ("events.jsonl", "--workers", "one,2", "--brokers", f"127.0.0.1:{free_port()}")
    assert "'one,2'" in refused(LedgerSettings(url=redis_url), 2, "bench", "stream", *arguments)


def test_the_report_names_each_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    counts = WorkersCompared(1, 100.0, 1.0, 0.1, 1.0, 100.0), WorkersCompared(2, 190.0, 1.9, 0.1, 1.9, 100.0)
    render(ScalingBench(1, 4, 1, 2, counts, ()), False, scaling_tables)
    assert ["2", "190", "1.90", "1.90", "0.10"] in [line.split() for line in capsys.readouterr().out.splitlines()]
