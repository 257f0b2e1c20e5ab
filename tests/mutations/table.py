"""The table of mutations as Markdown. Written in pieces, it keeps what was found of the others before."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from .mutation import Mutation
from .runner import Verdict

HEAD = ["| protection | taken out of | caught by | seconds |", "|---|---|---|---:|"]
NOTHING = "**nothing**"


def as_markdown(rows: Iterable[str]) -> str:
    """Return the table, and how it is made."""
    kept = list(rows)
    survivors = sum(NOTHING in row for row in kept)
    summary = (
        f"{len(kept)} protections, each taken out of a copy of the code in turn; {survivors} missed by no test.\n"
        "Made by `make mutations`; seconds are those until the test failed, on two cores that had other work."
    )
    return "\n".join(["# Tests that can fail", "", summary, "", *HEAD, *kept]) + "\n"


def rows_of(verdicts: Iterable[Verdict]) -> dict[str, str]:
    """Return the rows by the protection that was taken away."""
    return {each.mutation.protection: _row(each) for each in verdicts}


def rows_in(file: Path) -> dict[str, str]:
    """Return the rows of a table written before."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    rows = [line for line in lines if line.startswith("| ") and line not in HEAD]
    return {row.removeprefix("| ").split(" | ")[0]: row for row in rows}


def merged(before: dict[str, str], now: dict[str, str], mutations: Sequence[Mutation]) -> list[str]:
    """Return one row for each mutation that was ever judged and still is in the catalogue, in its order."""
    rows = before | now
    return [rows[each.protection] for each in mutations if each.protection in rows]


def _row(verdict: Verdict) -> str:
    test = f"`{verdict.caught_by}`".replace("|", "\\|") if verdict.caught_by else NOTHING
    return f"| {verdict.mutation.protection} | `{verdict.mutation.file}` | {test} | {verdict.seconds:.0f} |"
