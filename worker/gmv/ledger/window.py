"""For how long an event counts as credited: a pure rule, which both ledgers and every test share.

A ledger states a *window* of N offsets, the same in all its books, or none. An event that was credited at offset x of
a partition counts as credited as long as that partition's position is at most x + N. So:

- A repeat in the same partition is recognised if the run it is read with begins at most N offsets after the original.
- A repeat in another partition of the book is recognised if, at the moment of its commit, the *original's* partition
  is at most N offsets after the original, however far behind the repeat's own partition is.
- A repeat that comes later is a new event, and is credited. To be safe from late repeats, state a window that is wider
  than the latest of them, or none.

The rule is a function of what the book holds when a batch is committed, and of nothing else: of no clock, and not of
whether a janitor has been here. An identity that counts no more never counts again in the same history, since
positions only grow; so a janitor may remove it at any time. Where a server lost a tail, position and identities went
back together: removals that were lost are made again, and every removal that was kept follows, in the server's own
log, a position that justified it.
"""

from typing import Final

from gmv.errors import InvalidSettings
from gmv.ledger.position import Position

SWEEP_FIELDS: Final = 1_000
"""About how many fields of a book a janitor looks at in one go; a millisecond of a Redis server's time."""


def counts(offset: int, position: Position | None, window: int | None) -> bool:
    """Return whether an event still counts as credited.

    Args:
        offset: where it was credited.
        position: the position of the partition it was credited in.
        window: of the ledger; None is for ever.
    """
    return window is None or position is None or position.next_offset - offset <= window


def admit_window(offsets: int) -> None:
    """Return if that may be a window.

    Raises:
        InvalidSettings: it may not.
    """
    if offsets < 1:
        raise InvalidSettings(f"events count as credited for one offset or more, not for {offsets}")
