"""`gmv ledger audit`: what ends it."""

import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.end_to_end.command import command
from tests.services.server import free_port, mortal, wait_for

SECONDS_TO_END_MAX = 10.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_it_waits_for_servers_that_are_away(number: signal.Signals, tmp_path: Path) -> None:
    """It would try them for a minute; with an exit code of its own, it is ended as the first of a container, too."""
    away = ("--ledger", f"redis://127.0.0.1:{free_port()}/0", "--brokers", f"127.0.0.1:{free_port()}")
    log = tmp_path / "audit.log"
    with log.open("wb") as file:
        words = mortal(command("ledger", "audit", "--web-port", free_port(), *away))
        process = subprocess.Popen(words, stdout=file, stderr=file)
    try:
        wait_for(lambda: b"audit_started" in log.read_bytes(), 30, "the audit")
        asked_to_end = time.monotonic()
        process.send_signal(number)
        assert process.wait(60) == 0, log.read_text()
        assert time.monotonic() - asked_to_end < SECONDS_TO_END_MAX
        assert b"audit_stopped" in log.read_bytes()
    finally:
        process.kill()
        process.wait()
