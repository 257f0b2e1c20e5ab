"""Whole `gmv worker` processes of a bench: started together, asked by their metrics, and which cores they get."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from socket import socket
from subprocess import Popen
from typing import Final
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families

from gmv.bench.stream import worker_process
from gmv.bench.topics import PARTITIONS
from gmv.errors import InvalidSettings, LogUnavailable
from gmv.settings import Settings

_POLL_SECONDS: Final = 0.05
_START_SECONDS_MAX: Final = 300.0
_ANSWER_SECONDS: Final = 5.0
_TICKS_PER_SECOND: Final = os.sysconf("SC_CLK_TCK")


class Workers:
    """Workers of one topic and one ledger, each with pages of its own."""

    def __init__(self, processes: Sequence[Popen[bytes]], ports: Sequence[int]) -> None:
        self._processes = processes
        self._ports = ports

    def check(self) -> None:
        """See that all of them are there.

        Raises:
            LogUnavailable: one has ended.
        """
        if any(process.poll() is not None for process in self._processes):
            raise LogUnavailable("a worker of the bench ended before its work was done; see its log")

    def wait_until_shared_out(self) -> None:
        """Wait until each has partitions, and all are given out.

        Raises:
            LogUnavailable: one has ended, or it takes 300 s.
        """
        self.wait_until(self._is_shared_out, _START_SECONDS_MAX, "the workers to share the partitions")

    def wait_until(self, is_so: Callable[[], bool], seconds_max: float, what: str) -> None:
        """Wait for it as long as all workers are there.

        Raises:
            LogUnavailable: one has ended, or it takes longer.
        """
        deadline = time.monotonic() + seconds_max
        while not is_so():
            self.check()
            if time.monotonic() > deadline:
                raise LogUnavailable(f"the bench waited {seconds_max:g} s for {what}")
            time.sleep(_POLL_SECONDS)

    def metrics(self) -> list[dict[str, Metric]]:
        """Return the metrics of each by family; none of a worker that does not answer yet."""
        return [_metrics(port) for port in self._ports]

    def core_seconds(self) -> float:
        """Processor time of all of them, all their threads."""
        return sum(_ticks_of(process.pid) for process in self._processes) / _TICKS_PER_SECOND

    def waited_seconds(self) -> float:
        """How long their threads were ready to run and had no core: what others on the machine cost them."""
        return sum(_run_queue_seconds(process.pid) for process in self._processes)

    def _is_shared_out(self) -> bool:
        assigned = [
            sum(sample.value for sample in families["gmv_assigned_partitions"].samples) if families else 0
            for families in self.metrics()
        ]
        return all(assigned) and sum(assigned) == PARTITIONS


def require_counts(counts: Sequence[int]) -> None:
    """See that each of so many workers, or so many, can have a partition.

    Raises:
        InvalidSettings: more than the topic has partitions, or none; or there is no number.
    """
    if not counts or not all(1 <= count <= PARTITIONS for count in counts):
        raise InvalidSettings(f"--workers takes numbers from 1 to {PARTITIONS}, the partitions of the bench's topic")


@contextmanager
def started_workers(index: Path, settings: Settings, count: int) -> Iterator[Workers]:
    """Start so many and wait until they have shared out the partitions; they end with the block.

    Raises:
        InvalidSettings: more than the topic has partitions, or none.
        LogUnavailable: one has ended, or does not begin within 300 s.
    """
    require_counts([count])
    with ExitStack() as stack:
        ports = _free_ports(count)
        processes = [
            stack.enter_context(
                worker_process(
                    index,
                    settings.model_copy(update={"worker": settings.worker.model_copy(update={"web_port": port})}),
                )
            )
            for port in ports
        ]
        workers = Workers(processes, ports)
        workers.wait_until_shared_out()
        yield workers


def machine_seconds() -> float:
    """Processor time of everything on this machine: user, nice, system, interrupts."""
    user, nice, system, _idle, _waiting, *interrupts = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:8]
    )
    return (user + nice + system + sum(interrupts)) / _TICKS_PER_SECOND


def _metrics(port: int) -> dict[str, Metric]:
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=_ANSWER_SECONDS) as answer:
            text = answer.read().decode()
    except (URLError, OSError):
        return {}
    return {family.name: family for family in text_string_to_metric_families(text)}


def _free_ports(count: int) -> list[int]:
    """Return ports that nobody listens at, all different: they are held until each is known."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _ticks_of(process: int) -> int:
    after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return int(after_name[11]) + int(after_name[12])


def _run_queue_seconds(process: int) -> float:
    """The second number of a thread's `schedstat`, in nanoseconds (https://docs.kernel.org/scheduler/sched-stats.html)."""
    threads = Path(f"/proc/{process}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[1]) for thread in threads) / 1e9
