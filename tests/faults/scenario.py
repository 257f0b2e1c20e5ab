"""What a scenario is, and what became of its runs."""

import random
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from tests.faults.world import Servers


class NotHere(Exception):  # noqa: N818
    """This machine cannot play the scenario; says why. The table says it, too."""


@dataclass
class Outcome:
    """Of one run.

    Attributes:
        violations: invariants that did not hold, in words.
        seconds_to_recover: from the fault (or the end of it, where it holds on) to the next credit; several where the
            fault was played several times.
        kills: processes that were killed.
    """

    violations: list[str]
    seconds_to_recover: list[float] = field(default_factory=list)
    kills: int = 0


Play = Callable[[Servers, random.Random], Outcome]


@dataclass(frozen=True)
class Scenario:
    """A fault.

    Attributes:
        number: in the list of faults that this suite was written from, 1 to 28, and two that came later.
        name: for `--only`.
        what: is done, for the table.
        runs: played by default, each with a seed of its own.
        play: one run.
    """

    number: int
    name: str
    what: str
    runs: int
    play: Play


SCENARIOS: Final[list[Scenario]] = []


def scenario(number: int, name: str, what: str, runs: int = 1) -> Callable[[Play], Play]:
    """Put a function into the list."""

    def enter(play: Play) -> Play:
        SCENARIOS.append(Scenario(number, name, what, runs, play))
        return play

    return enter


@dataclass
class Row:
    """Of the table: all runs of one scenario."""

    scenario: Scenario
    seeds: list[int] = field(default_factory=list)
    violations: dict[int, list[str]] = field(default_factory=dict)
    seconds_to_recover: list[float] = field(default_factory=list)
    kills: int = 0
    seconds: float = 0.0
    not_played: str | None = None

    def add(self, seed: int, outcome: Outcome) -> None:
        self.seeds.append(seed)
        self.seconds_to_recover += outcome.seconds_to_recover
        self.kills += outcome.kills
        if outcome.violations:
            self.violations[seed] = outcome.violations

    @property
    def recovery(self) -> str:
        """Median and maximum."""
        times = self.seconds_to_recover
        return f"{statistics.median(times):.1f} / {max(times):.1f}" if times else "-"
