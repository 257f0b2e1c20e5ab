"""`gmv ledger audit`: what ends it."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.command import command
from tests.services.patience import patience
from tests.services.server import free_port, mortal, wait_for

SECONDS_TO_END_MAX = patience(10)
SECONDS_IT_WOULD_TRY = str(10 * SECONDS_TO_END_MAX)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_while_it_waits_for_servers_that_are_away(number: signal.Signals, tmp_path: Path) -> None:
    """It would try them for a long time; with an exit code of its own, it is ended as the first of a container, too."""
    away = ("--ledger", f"redis://127.0.0.1:{free_port()}/0", "--brokers", f"127.0.0.1:{free_port()}")
    log = tmp_path / "audit.log"
    with log.open("wb") as file:
        words = mortal(command("ledger", "audit", "--web-port", free_port(), *away))
        patient = dict.fromkeys(("GMV_LEDGER_RETRY_SECONDS", "GMV_KAFKA_RETRY_SECONDS"), SECONDS_IT_WOULD_TRY)
        process = subprocess.Popen(words, stdout=file, stderr=file, env=os.environ | patient)
    try:
        wait_for(lambda: b"audit_started" in log.read_bytes(), 30, "the audit")
        process.send_signal(number)
        assert process.wait(SECONDS_TO_END_MAX) == 0, log.read_text()
        assert b"audit_stopped" in log.read_bytes()
    finally:
        process.kill()
        process.wait()
