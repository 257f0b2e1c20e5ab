"""What a campaign found, for people and for machines."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .coverage import await_points, killed_at, unseen

SECTIONS = {"fault: ": "Faults", "answer: ": "Answers of a commit", "worker ended: ": "How workers ended"}


@dataclass
class Summary:
    """Of all runs so far."""

    first_seed: int
    runs: int = 0
    seconds: float = 0.0
    """Of one processor core."""
    seen: Counter[str] = field(default_factory=Counter)
    violations: dict[int, list[str]] = field(default_factory=dict)

    @property
    def awaits(self) -> tuple[set[str], set[str]]:
        """The awaits of the core, the member and the outbox: those a process was killed at, and the others."""
        hit = killed_at(self.seen)
        return hit, set(await_points()) - hit

    def as_json(self) -> dict[str, Any]:
        """Return all of it."""
        hit, missed = self.awaits
        return {
            "first_seed": self.first_seed,
            "runs": self.runs,
            "seconds": round(self.seconds, 1),
            "violations": {str(seed): found for seed, found in self.violations.items()},
            "never_seen": unseen(self.seen),
            "awaits_killed_at": sorted(hit),
            "awaits_never_killed_at": sorted(missed),
            "seen": dict(sorted(self.seen.items())),
        }

    def as_markdown(self) -> str:
        """Return tables."""
        hit, missed = self.awaits
        found = (
            f"{self.runs:,} runs from seed {self.first_seed} in {self.seconds:,.0f} s of one core "
            f"({60 * self.runs / max(self.seconds, 1e-9):,.0f} a minute), {self.seen['simulated seconds']:,} simulated "
            f"seconds; **{len(self.violations)} runs with a violation**."
        )
        lines = [
            found,
            "",
            f"Processes were killed at {len(hit)} of {len(hit | missed)} awaits of the core, the member and the outbox"
            + (f"; never at {', '.join(sorted(missed))}." if missed else "."),
        ]
        for prefix, title in SECTIONS.items():
            counted = [
                (name.removeprefix(prefix), times) for name, times in self.seen.items() if name.startswith(prefix)
            ]
            lines += ["", *_table(title, sorted(counted))]
        rest = [each for each in self.seen.items() if not each[0].startswith((*SECTIONS, "killed at "))]
        lines += ["", *_table("Seen besides", sorted(rest))]
        if missing := unseen(self.seen):
            lines += ["", f"Never seen: {', '.join(missing)}."]
        return "\n".join(lines) + "\n"


def _table(title: str, rows: Iterable[tuple[str, int]]) -> list[str]:
    return [f"| {title} | times |", "|---|---:|", *(f"| {name} | {times:,} |" for name, times in rows)]
