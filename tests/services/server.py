"""What every server here has in common: a folder, a port, and an end no later than that of this Python process."""

import shutil
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import SystemRandom
from typing import ClassVar, Self, TypeVar

from tests.services.patience import patience

HOST = "127.0.0.1"
LOG_TAIL_LINES = 30
POLL_SECONDS = 0.05

T = TypeVar("T")

# Linux hands out the ports of outgoing connections from 32768 on. A server that is down for a moment could lose a port
# of that range to any client, even to its own, which then connects to itself. Each port is given once per process.
_PORTS = iter(SystemRandom().sample(range(20_000, 32_000), 12_000))

# PR_SET_PDEATHSIG, which `setpriv` sets, fires when the thread that forked ends, not when its process does. So one
# thread forks all servers, and it lives as long as Python: a test may start them from a thread of its own.
_FORKER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="servers")


class ServerError(Exception):
    """A server did not start, stop or answer; the message ends with the tail of its log."""


def free_port() -> int:
    """Return a TCP port on which nobody listens."""
    for port in _PORTS:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                continue
        with socket.socket() as probe:
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return port
    raise ServerError("no port from 20000 to 31999 is free on this machine")


def is_listening(port: int) -> bool:
    """Tell whether something accepts connections on a port."""
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) == 0


def wait_for(value: Callable[[], T], seconds: float, what: str) -> T:
    """Call `value` until it returns something true, and return that.

    Args:
        value: of what is waited for.
        seconds: that an idle machine needs at most; see `patience`.
        what: for the message.

    Raises:
        ServerError: it did not in so many seconds.
    """
    wait_seconds = patience(seconds)
    deadline = time.monotonic() + wait_seconds
    while not (found := value()):
        if time.monotonic() > deadline:
            raise ServerError(f"{what}: not within {wait_seconds:g} s")
        time.sleep(POLL_SECONDS)
    return found


def find_program(*names: str) -> str:
    """Return the path of the first of these programs that is installed.

    Raises:
        ServerError: none is.
    """
    for name in names:
        if path := shutil.which(name):
            return path
    raise ServerError(f"{names[0]} is not installed; run `make services`")


def mortal(command: Sequence[str]) -> list[str]:
    """Return the command so wrapped that Linux kills it when this process ends, however it ends."""
    return [find_program("setpriv"), "--pdeathsig", "KILL", *command]


class Server(ABC):
    """One server on loopback with a folder of its own; `with` starts it, then kills it and deletes the folder.

    Data and port outlive `stop` and `kill`, so `start` goes on where the server was. Not for several threads at once.
    """

    ready_seconds: ClassVar[float] = 60.0
    stop_seconds: ClassVar[float] = 60.0

    def __init__(self) -> None:
        self.name = type(self).__name__
        from gmv.temporary import TemporaryFolder  # here: `make services` reads this file before there is a gmv

        self._folder = TemporaryFolder(self.name)
        self.folder = self._folder.path
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> list[str]:
        """Return the command line that runs the server in the foreground."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Tell whether it answers a client; called only while its port accepts connections."""

    @property
    def address(self) -> str:
        """Host and port, as clients are given them."""
        return f"{HOST}:{self.port}"

    @property
    def is_running(self) -> bool:
        """Whether the process is there; it need not be ready."""
        return self._process is not None and self._process.poll() is None

    @property
    def log_path(self) -> Path:
        """What it wrote to stdout and stderr, over all its starts."""
        return self.folder / "server.log"

    def log_tail(self) -> str:
        """Return the last lines of its log."""
        if not self.log_path.exists():
            return "(no log)"
        return "\n".join(self.log_path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])

    def start(self, *, wait: bool = True) -> Self:
        """Start it, on the data it has, and wait until it answers.

        Args:
            wait: False returns at once: a test of a client that is there before its server.

        Raises:
            ServerError: it runs already, ended while it started, or was not ready in `ready_seconds`.
        """
        if self.is_running:
            raise ServerError(f"{self.name} runs already")
        self._process = _FORKER.submit(self._fork).result()
        if wait:
            self.wait_until_ready()
        return self

    def _fork(self) -> subprocess.Popen[bytes]:
        with self.log_path.open("ab") as log:
            # A session of its own: Ctrl-C in a terminal is for the tests, which may need their servers to clean up.
            return subprocess.Popen(
                mortal(self.command()),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return when it answers a client.

        Raises:
            ServerError: it ended, or was not ready in `ready_seconds`.
        """

        def ready_or_dead() -> bool:
            return not self.is_running or (is_listening(self.port) and self.is_ready())

        try:
            wait_for(ready_or_dead, self.ready_seconds, f"{self.name} at {self.address} ready")
        except ServerError as late:
            raise ServerError(f"{late}; its log ends:\n{self.log_tail()}") from None
        if not self.is_running:
            raise ServerError(f"{self.name} ended while it started; its log ends:\n{self.log_tail()}")

    def stop(self) -> None:
        """End it in good order (SIGTERM); nothing to do if it does not run.

        Raises:
            ServerError: it took more than `stop_seconds`; it is killed then.
        """
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as `kill -9` does; nothing to do if it does not run."""
        self._end(signal.SIGKILL)

    def restart(self) -> Self:
        """Stop it in good order if it runs, and start it on the same data and port."""
        self.stop()
        return self.start()

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        try:
            self._process.wait(patience(self.stop_seconds))
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise ServerError(
                f"{self.name} did not stop in {patience(self.stop_seconds):g} s; its log ends:\n{self.log_tail()}"
            ) from None
        finally:
            self._process = None

    def __enter__(self) -> Self:
        """Start it; its folder goes if that fails."""
        try:
            return self.start()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_: object) -> None:
        """Kill it, since nobody needs its data any more, and delete its folder."""
        self.kill()
        self._folder.remove()
