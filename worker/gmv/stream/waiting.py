"""Runs that were read and are not begun yet: what came of one partition meanwhile is credited as one run."""

from collections.abc import Collection

from gmv.stream.records import Partition, Run


class WaitingRuns:
    """Runs by partition, in order. A partition's turn is that of its oldest run.

    A commit, its receipts and the question for the topic's id take 5 ms for one record as for a hundred, so a worker
    that falls behind gains by longer runs.
    """

    def __init__(self, run_records_max: int) -> None:
        self._run_records_max = run_records_max
        self._runs: dict[Partition, list[Run]] = {}
        self._records = 0

    @property
    def are_enough(self) -> bool:
        """Whether a longest run is there, so that nothing is gained by reading more."""
        return self._records >= self._run_records_max

    def add(self, run: Run) -> None:
        """Take a run, read right after the last one of its partition that is here."""
        self._runs.setdefault(run.partition, []).append(run)
        self._records += len(run.records)

    def take(self, not_of: Collection[Partition]) -> Run | None:
        """Return the oldest of a partition that is none of these, with what came of it since; None if there is none."""
        partition = next((each for each in self._runs if each not in not_of), None)
        if partition is None:
            return None
        first, *others = self.drop(partition)
        records = [*first.records]
        last = first
        while others and len(records) + len(others[0].records) <= self._run_records_max:
            last = others.pop(0)
            records += last.records
        for run in others:
            self.add(run)
        return Run(partition, tuple(records), last.next_offset)

    def drop(self, partition: Partition) -> list[Run]:
        """Forget what waits of a partition; return it."""
        dropped = self._runs.pop(partition, [])
        self._records -= sum(len(run.records) for run in dropped)
        return dropped

    def clear(self) -> None:
        """Forget all."""
        self._runs = {}
        self._records = 0
