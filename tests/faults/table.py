"""What all runs came to, for people and for machines."""

from collections.abc import Sequence
from typing import Any

from tests.faults.scenario import Row


def as_markdown(rows: Sequence[Row]) -> str:
    """A table, and below it what went wrong and how to see it again."""
    lines = [
        "| # | fault | done | runs | processes killed | violations | seconds to recover: median / most |",
        "|---:|---|---|---:|---:|---:|---:|",
    ]
    for row in rows:
        each = row.scenario
        runs = str(len(row.seeds)) if row.not_played is None else f"not played: {row.not_played}"
        violated = len(row.violations) if row.seeds else "-"
        lines.append(
            f"| {each.number} | {each.name} | {each.what} | {runs} | {row.kills or '-'} | {violated} | {row.recovery} |"
        )
    played, kills = sum(len(row.seeds) for row in rows), sum(row.kills for row in rows)
    violated = sum(len(row.violations) for row in rows)
    lines += ["", f"{played} runs, {kills} processes killed, **{violated} runs with a violation**."]
    for row in rows:
        for seed, violations in row.violations.items():
            lines += ["", f"`python -m tests.faults --only {row.scenario.name} --runs 1 --seed {seed}`:", ""]
            lines += [f"- {violation}" for violation in violations]
    return "\n".join(lines) + "\n"


def as_json(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Everything, with the seeds."""
    return [
        {
            "number": row.scenario.number,
            "name": row.scenario.name,
            "what": row.scenario.what,
            "seeds": row.seeds,
            "processes_killed": row.kills,
            "violations": {str(seed): found for seed, found in row.violations.items()},
            "seconds_to_recover": [round(each, 2) for each in row.seconds_to_recover],
            "seconds": round(row.seconds, 1),
            "not_played": row.not_played,
        }
        for row in rows
    ]
