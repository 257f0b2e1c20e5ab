"""Worker processes that need not load their libraries: a process that has loaded them forks one for each start.

`gmv worker` takes seven seconds of a core to import torch, numba and Faust, which would be most of the time of
hundreds of kills. What a worker does after its imports, it does in a process of its own here, by its own command
line: it is killed, stopped and woken like any other. Nothing is open and no thread runs when it is forked.

Read from stdin, a JSON line per worker: `arguments`, `environment` and `log`. Written to stdout: `ready`, once; then
`started` (a process id), or `ended` and `code`.
"""

import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.services.patience import patience
from tests.services.server import ServerError, mortal, wait_for

_READY_SECONDS_MAX = patience(60)  # where the kernel has to be compiled first
_START_SECONDS_MAX = 60.0
_END_SECONDS_MAX = 60.0
_REAP_SECONDS = 0.02
_PR_SET_PDEATHSIG = 1


class ForkedWorkers:
    """The side of the tests."""

    def __init__(self) -> None:
        command = mortal([sys.executable, "-m", "tests.faults.forked_workers"])
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._started: list[int] = []
        self._codes: dict[int, int] = {}
        self._is_ready = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        if not self._is_ready.wait(_READY_SECONDS_MAX):
            raise ServerError(f"the process that forks workers was not ready within {_READY_SECONDS_MAX:g} s")

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], log: Path) -> "Forked":
        """Fork a process that runs `gmv` with these arguments."""
        asked = {"arguments": list(arguments), "environment": dict(environment), "log": str(log)}
        assert self._process.stdin
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        wait_for(lambda: self._started, _START_SECONDS_MAX, "a forked worker")
        return Forked(self._started.pop(), self._codes, log)

    def close(self) -> None:
        """End it, and all that it forked with it."""
        self._process.kill()
        self._process.wait()

    def _listen(self) -> None:
        assert self._process.stdout
        for line in self._process.stdout:
            match json.loads(line):
                case {"ready": _}:
                    self._is_ready.set()
                case {"started": pid}:
                    self._started.append(pid)
                case {"ended": pid, "code": code}:
                    self._codes[pid] = code

    def __enter__(self) -> "ForkedWorkers":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()


class Forked:
    """A forked worker; the same handles as `tests.kafka.world.Worker`."""

    def __init__(self, pid: int, codes: Mapping[int, int], log: Path) -> None:
        self.pid = pid
        self._codes = codes
        self._log = log

    @property
    def said(self) -> str:
        """All it wrote, and its predecessors with the same log."""
        return self._log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self.pid not in self._codes

    def send(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.is_running:
            with suppress(ProcessLookupError):  # it has ended, and its end is about to be reported
                os.kill(self.pid, number)

    def end(self, number: signal.Signals | None = None) -> int:
        """Send the signal, if any, and return the exit code, negative after a kill."""
        if number is not None:
            self.send(number)
        try:
            wait_for(lambda: not self.is_running, _END_SECONDS_MAX, f"the end of worker {self.pid}")
        except ServerError as late:
            raise ServerError(f"{late}; {self._threads()}; its log ends:\n{self.said[-2_000:]}") from None
        return self._codes[self.pid]

    def _threads(self) -> str:
        """What each of its threads waits for in the kernel."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*")
        return ", ".join((task / "wchan").read_text() or "nothing" for task in tasks) or "it is gone"


def _report(**what: int) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


def _reap() -> None:
    """Report who has ended. No signal handler: libraries have threads, and the signal may come to one of those."""
    with suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            _report(ended=pid, code=os.waitstatus_to_exitcode(status))


def _become(asked: Mapping[str, Any]) -> None:
    """In the forked process: run the command, and end."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    log = os.open(asked["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.environ.update(asked["environment"])
    sys.argv = ["gmv", *asked["arguments"]]
    code = 1
    try:
        from gmv.cli import main

        main()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 0 if ended.code is None else 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _serve() -> None:
    from gmv.threads import limit_threads

    limit_threads()
    import gmv.assembly.worker
    import gmv.cli.indexes
    import gmv.cli.worker
    import gmv.ledger.redis.ledger  # noqa: F401 - loaded once for all
    from gmv.cli.warm import compile_kernel

    compile_kernel()
    _report(ready=1)
    while True:
        _reap()
        asked, _, _ = select.select([sys.stdin], [], [], _REAP_SECONDS)
        if not asked:
            continue
        line = sys.stdin.readline()  # the other side waits for `started` before it writes another
        if not line:
            return
        pid = os.fork()
        if not pid:
            _become(json.loads(line))
        _report(started=pid)


if __name__ == "__main__":
    _serve()
