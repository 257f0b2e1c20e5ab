"""How long steps of operators' commands say how far they are."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def watched(things: Iterable[T], advance: Callable[[int], None]) -> Iterator[T]:
    """Yield them, each of which is a step of a `Progress`."""
    for thing in things:
        advance(1)
        yield thing
