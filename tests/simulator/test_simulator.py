"""A fixed selection of runs, that a run can be replayed, and that the simulator can fail."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import patch

import pytest

from tests.services.patience import patience

from .loop import SimulatedLoop
from .redis_client import COMMIT
from .redis_server import Server
from .run import play

ROOT = Path(__file__).parents[2]
RUNS = 200


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """Keep what workers would log out of what a failing test shows."""
    logger = logging.getLogger("gmv")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


def simulator(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.simulator", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=patience(120))


@pytest.mark.slow
def test_no_invariant_is_violated() -> None:
    ended = simulator("--runs", str(RUNS))
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.mark.slow
def test_a_run_is_replayed_exactly() -> None:
    with ThreadPoolExecutor(2) as executor:
        first, second = executor.map(lambda _: simulator("--seed", "5", "--trace"), range(2))
    assert first.stdout == second.stdout
    assert len(first.stdout.splitlines()) > 50, first.stderr


CHECKS = {
    "the compare-and-set": "if position ~= expected then return {'moved', position} end",
    "the events that were credited": "if known[2] then return known end",
}


@pytest.mark.parametrize("check", CHECKS)
def test_a_commit_script_without_one_of_its_checks_is_found_out(check: str) -> None:
    mutated = COMMIT.replace(CHECKS[check], "")
    assert mutated != COMMIT
    load = Server.load

    def load_mutated(server: Server, source: str, digest: str) -> None:
        load(server, source.replace(CHECKS[check], ""), digest)

    with patch.object(Server, "load", load_mutated):
        assert any(play(seed).violations for seed in range(60))


class TestLoop:
    def test_time_passes_only_by_waiting(self) -> None:
        loop, called_at = SimulatedLoop(), list[float]()  # type: ignore[abstract]
        loop.outside(2.0, lambda: called_at.append(loop.time()))
        loop.outside(1.0, lambda: called_at.append(loop.time()))
        assert not loop.run(1.5)
        assert called_at == [1.0]
        assert loop.run(10.0, lambda: len(called_at) == 2)
        assert called_at == [1.0, 2.0]
