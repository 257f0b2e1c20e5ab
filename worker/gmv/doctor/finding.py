"""What one check found."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Its state. A warning is for a person to weigh; a problem stops a worker, or puts credits at risk."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check.

    Attributes:
        check: what was looked at, such as "topic generated-images".
        state: fine, a warning or a problem.
        found: what was found, in words.
        advice: what to change; empty where nothing has to be.
    """

    check: str
    state: State
    found: str
    advice: str = ""


def fine(check: str, found: str) -> Finding:
    """Return that nothing has to be done."""
    return Finding(check, State.OK, found)


def warning(check: str, found: str, advice: str) -> Finding:
    """Return what a person should weigh."""
    return Finding(check, State.WARNING, found, advice)


def problem(check: str, found: str, advice: str) -> Finding:
    """Return what has to be changed."""
    return Finding(check, State.PROBLEM, found, advice)


def fine_unless(complaints: Iterable[Finding], check: str, found: str) -> list[Finding]:
    """Return the complaints or, if there are none, that the check is fine."""
    return list(complaints) or [fine(check, found)]
