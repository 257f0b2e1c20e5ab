"""SIGTERM and SIGINT at any moment of a command, also where it is the first process of a container."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from gmv.__main__ import TERMINATED, runs_until_stopped
from gmv.cli import exit_codes
from gmv.index.opened import Index
from tests.end_to_end.command import command
from tests.services.patience import patience
from tests.services.server import find_program, free_port, mortal, wait_for

SECONDS_TO_END_MAX = patience(1)
SECONDS_SERVERS_ARE_TRIED = str(100 * SECONDS_TO_END_MAX)
MOMENTS = [0.0, 0.1, 0.3, 0.7, 1.5, 3.0, 6.0]
"""Seconds after the kernel first sees a handler: while typer, torch and others are imported, an index is opened, and
servers are tried that are away."""

FOREVER = [("worker",), ("ledger", "audit"), ("credits", "leaderboard", "--follow", "--every", "0.1")]
WITH_AN_END = [
    ("demo",),
    ("index", "build", "corpus"),
    ("replay", "events.jsonl"),
    ("bench", "events"),
    ("dlq", "redrive", "--all"),
    ("credits", "leaderboard"),
    ("ledger", "verify"),
]


class Started(NamedTuple):
    process: "subprocess.Popen[bytes]"
    pid: int
    """Of gmv itself, as it is called from outside of its namespace."""

    def send_later(self, number: signal.Signals, seconds: float) -> None:
        wait_for(lambda: catches(self.pid, signal.SIGTERM), 30, "a handler")  # SIGINT has Python's own before
        time.sleep(seconds)
        os.kill(self.pid, number)


@cache
def namespace() -> tuple[str, ...]:
    """What makes a command the first process of a namespace, as a container does; nothing where Linux forbids it."""
    ways = (("--mount-proc",), ("--user", "--map-root-user", "--mount-proc"))
    words = [(find_program("unshare"), "--pid", "--fork", "--kill-child", *way) for way in ways]
    return next((each for each in words if subprocess.run([*each, "true"], capture_output=True).returncode == 0), ())


@contextmanager
def started(words: list[str], folder: Path, index: Path | None = None) -> Iterator[Started]:
    """Start it as a first process where that can be; its servers are away, and it would try them for long."""
    away = {
        "GMV_LEDGER_URL": f"redis://127.0.0.1:{free_port()}/0",
        "GMV_LEDGER_RETRY_SECONDS": SECONDS_SERVERS_ARE_TRIED,
        "GMV_KAFKA_BROKERS": f"127.0.0.1:{free_port()}",
        "GMV_KAFKA_RETRY_SECONDS": SECONDS_SERVERS_ARE_TRIED,
        "GMV_WORKER_WEB_PORT": str(free_port()),
    } | ({"GMV_INDEX": str(index)} if index else {})
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(
            mortal([*namespace(), *words]), cwd=folder, env=os.environ | away, stdout=log, stderr=log
        ) as process,
    ):
        try:
            yield Started(process, first_process(process.pid) if namespace() else process.pid)
        finally:
            process.kill()


def first_process(parent: int) -> int:
    children = Path(f"/proc/{parent}/task/{parent}/children")
    wait_for(lambda: bool(children.read_text()), 30, "the first process")
    pid = int(children.read_text())
    if namespace():
        status = Path(f"/proc/{pid}/status").read_text()
        assert "\t1\n" in status[status.index("NSpid:") :], "it is not the first process"
    return pid


def catches(pid: int, number: signal.Signals) -> bool:
    """Whether the kernel would call a handler: one without it is dropped by a first process, and ends any other."""
    status = Path(f"/proc/{pid}/status").read_text()
    mask = int(status.split("SigCgt:")[1].split()[0], 16)
    return bool(mask >> (number - 1) & 1)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("seconds", MOMENTS)
def test_a_worker_that_starts_ends_at_once_and_well(
    seconds: float, number: signal.Signals, small_index: Index, tmp_path: Path
) -> None:
    with started(command("worker"), tmp_path, small_index.path) as worker:
        worker.send_later(number, seconds)
        assert worker.process.wait(SECONDS_TO_END_MAX) == 0, (tmp_path / "log").read_text()
    assert "Traceback" not in (tmp_path / "log").read_text()


@pytest.mark.parametrize("seconds", [0.0, 0.3, 2.0])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("words", FOREVER[1:], ids=" ".join)
def test_so_does_all_that_runs_until_it_is_stopped(
    words: tuple[str, ...], number: signal.Signals, seconds: float, tmp_path: Path
) -> None:
    with started(command(*words), tmp_path) as watcher:
        watcher.send_later(number, seconds)
        assert watcher.process.wait(SECONDS_TO_END_MAX) == 0, (tmp_path / "log").read_text()


@pytest.mark.parametrize("words", WITH_AN_END, ids=" ".join)
def test_a_command_that_has_an_end_says_that_it_did_not_come_to_it(words: tuple[str, ...], tmp_path: Path) -> None:
    with started(command(*words), tmp_path) as early:
        early.send_later(signal.SIGTERM, 0.0)
        assert early.process.wait(SECONDS_TO_END_MAX) == TERMINATED


def test_a_long_call_in_c_is_not_waited_for(tmp_path: Path) -> None:
    code = (
        "from hashlib import pbkdf2_hmac; from gmv.__main__ import end_by_signals\n"
        "end_by_signals([]); pbkdf2_hmac('sha256', b'', b'', 2**31 - 1)"  # a quarter of an hour
    )
    with started([sys.executable, "-c", code], tmp_path) as process:
        process.send_later(signal.SIGTERM, 1.0)
        assert process.process.wait(SECONDS_TO_END_MAX) == TERMINATED


def test_handlers_come_before_all_that_takes_long_to_import() -> None:
    code = "import sys, gmv.__main__ as gmv; gmv.end_by_signals([]); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "signal" in loaded
    assert not loaded & {"typer", "typing", "re", "inspect", "asyncio", "logging", "gmv.cli", "numpy", "torch"}


def test_which_commands_end_well_by_a_signal_is_told_by_their_line() -> None:
    assert all(runs_until_stopped(list(words)) for words in FOREVER)
    assert not any(runs_until_stopped(list(words)) for words in [*WITH_AN_END, (), ("--help",), ("ledger",)])
    assert TERMINATED in exit_codes()
