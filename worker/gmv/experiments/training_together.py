"""Networks trained at the same time, a process each: one training uses one core, so that it gives the same weights."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from queue import Empty
from typing import Any, Final

from torch import nn

from gmv.experiments.generators.port import Learner
from gmv.experiments.generators.training import train
from gmv.experiments.images import LabelledImages
from gmv.experiments.stored import store
from gmv.indexing.progress import Progress
from gmv.threads import limit_threads

_SHOWN_EVERY_STEPS: Final = 10
_LOOKED_FOR_SECONDS: Final = 0.2


@dataclass(frozen=True, slots=True)
class PlannedTraining:
    """A network that is to be trained, and kept.

    Attributes:
        learner: what is trained.
        images: all that it learns from.
        seed: of the training.
        path: where its weights are kept.
        stamp: all that decides them.
    """

    learner: Learner
    images: LabelledImages
    seed: int
    path: Path
    stamp: dict[str, Any]

    @property
    def steps(self) -> int:
        """How many the training has."""
        return self.learner.length.steps


def train_and_store(planned: PlannedTraining, progress: Progress) -> nn.Module:
    """Train a network in this process, and keep it.

    Raises:
        ExperimentRefused: training diverged.
    """
    with progress(f"training {planned.learner.name}, seed {planned.seed}", planned.steps, "steps") as advance:
        return _train(planned, advance)


def train_together(trainings: Sequence[PlannedTraining], processes: int, progress: Progress) -> None:
    """Train networks in processes of their own, so many at a time, and keep each as soon as it is trained.

    Raises:
        ExperimentRefused: one diverged; those that were under way are kept.
    """
    context = multiprocessing.get_context("spawn")  # a fork of a process whose OpenMP threads run may hang
    names = ", ".join(f"{each.learner.name} {each.seed}" for each in trainings)
    with (
        context.Manager() as manager,
        ProcessPoolExecutor(processes, context, limit_threads) as pool,
        progress(f"training {names}", sum(each.steps for each in trainings), "steps") as advance,
    ):
        steps = manager.Queue()
        running = {pool.submit(_train_in_a_process, each, steps) for each in trainings}
        while running or not steps.empty():
            done, running = wait(running, timeout=0)
            for each in done:
                each.result()
            try:
                advance(steps.get(timeout=_LOOKED_FOR_SECONDS))
            except Empty:
                continue


def _train_in_a_process(planned: PlannedTraining, steps: Any) -> None:
    untold = 0

    def advance(count: int) -> None:
        nonlocal untold
        untold += count
        if untold >= _SHOWN_EVERY_STEPS:
            steps.put(untold)
            untold = 0

    _train(planned, advance)
    steps.put(untold)


def _train(planned: PlannedTraining, advance: Callable[[int], None]) -> nn.Module:
    network = train(planned.learner, planned.images, planned.seed, advance)
    store(planned.path, network.state_dict(), planned.stamp)
    return network
