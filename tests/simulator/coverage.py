"""What a campaign has to have seen before its clean record means anything."""

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from .faults.catalogue import ALWAYS, AT_THE_START, ONCE
from .process import WATCHED
from .receipts import TWO_INDEXES

ANSWERS = (
    "Committed",
    "AlreadyCommitted",
    "Duplicate",
    "Fenced",
    "Rewound",
    "Rewound in place",
    "Missing",
    "OutOfRange",
)
ENDINGS = (
    "CreditOutOfRange",
    "LedgerMissing",
    "LedgerUnavailable",
    "LogUnavailable",
    "PositionOutsideLog",
    "TooManyDeadLetters",
)
REQUIRED = (
    *(f"fault: {name}" for name in (*ALWAYS, *ONCE, *AT_THE_START)),
    *(f"answer: {name}" for name in ANSWERS),
    *(f"worker ended: {name}" for name in ENDINGS),
    TWO_INDEXES,
)


def unseen(seen: Counter[str]) -> list[str]:
    """Return the faults, answers and endings that never occurred."""
    return [name for name in REQUIRED if not seen[name]]


def await_points() -> Iterator[str]:
    """Yield `file:line` of every await in the code whose processes are killed at awaits."""
    for file, name in WATCHED.items():
        for node in ast.walk(ast.parse(Path(str(file)).read_text())):
            if isinstance(node, ast.AsyncFunctionDef) and node.name != "_blocking":
                for inner in ast.walk(node):
                    if isinstance(inner, ast.Await | ast.AsyncWith):
                        yield f"{name}:{inner.lineno}"


def killed_at(seen: Counter[str]) -> set[str]:
    """Return the awaits that a process was killed at."""
    return {name.removeprefix("killed at ") for name in seen if name.startswith("killed at ")}
