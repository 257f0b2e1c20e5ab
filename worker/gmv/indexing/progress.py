"""How long steps show how far they are."""

from collections.abc import Callable
from contextlib import AbstractContextManager

Progress = Callable[[str, int | None, str], AbstractContextManager[Callable[[int], None]]]
"""(description, total, unit) to a context whose function is called with the units done since the last call."""
