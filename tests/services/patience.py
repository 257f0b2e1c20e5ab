"""How long tests wait for what has to happen: one place, so that no test fails because its machine is slow.

Tests name the seconds that an idle machine needs at most. With eight other processes on two cores things take up to
ten times as long, so that is how long is waited. Each wait ends as soon as what it waits for has happened: a generous
limit costs nothing but the time until a test that hangs is given up.

What has to be refused *before* a limit, rather than at it, gets such a limit too, and then a test sees the difference
on a busy machine as well.
"""

from typing import Final

SLOWEST: Final = 10
"""How many times longer than on an idle machine anything may take."""


def patience(seconds: float) -> float:
    """Return how long to wait for what an idle machine has done within so many seconds."""
    return seconds * SLOWEST
