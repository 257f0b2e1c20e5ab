"""Faults that a test of the suite plays on real servers, or that no real server plays: that test is run here."""

import os
import random
import subprocess
import sys

from tests.conftest import SEED_VARIABLE
from tests.faults.scenario import Outcome, Play, scenario
from tests.faults.world import Servers


def _test(node: str) -> Play:
    """Run a test of pytest's."""

    def play(_: Servers, chance: random.Random) -> Outcome:
        command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", node]
        seeded = os.environ | {SEED_VARIABLE: str(chance.randrange(2**31))}
        done = subprocess.run(command, capture_output=True, text=True, env=seeded)
        return Outcome([f"{node}: {done.stdout[-1_500:]}"] if done.returncode else [])

    return play


for number, name, node in (
    (12, "books-lose-different-tails", "tests/ledger/redis/test_cluster.py"),
    (18, "crash-loop", "tests/kafka/test_crash_loops.py"),
    (21, "log-cut", "tests/stream/test_continuity.py"),
):
    scenario(number, name, f"by `{node}`")(_test(node))
