"""What a refused compare-and-set of the position means: a pure rule, so that both ledgers and every test share it."""

from gmv.ledger.port import AlreadyCommitted, Fenced, Missing, Rewound
from gmv.ledger.position import Position

Refused = AlreadyCommitted | Fenced | Rewound | Missing


def decide(found: str | None, expected: Position, following: Position) -> Refused:
    """Say why a commit that leads from `expected` to `following` was refused by a ledger that holds `found`.

    | found                                      | answer           | because
    |--------------------------------------------|------------------|----------------------------------------------
    | nothing                                    | Missing          | the ledger's data is gone: fail closed
    | exactly `following`                        | AlreadyCommitted | it was applied, and its reply was lost
    | text that no position encodes to           | Missing          | it is damaged: there is nowhere to go on from
    | another topic id                           | Fenced           | offsets of two logs cannot be compared
    | a lower offset                             | Rewound          | positions only grow: the server lost a tail
    | the same offset, another batch id or epoch | Fenced           | somebody else wrote this history
    | a higher offset                            | Fenced           | somebody else moved on

    A batch id is a digest over the batch's receipts and the batch id before it, so a batch id that differs at the
    same offset is of other receipts: what this worker would add does not continue them.

    Raises:
        ValueError: the ledger holds `expected`, so the position was no reason to refuse.
    """
    if found is None:
        return Missing()
    if found == expected.encode():
        raise ValueError(f"the position {found!r} is the expected one")
    if found == following.encode():
        return AlreadyCommitted()
    position = parse(found)
    return Missing() if position is None else moved(position, expected)


def moved(found: Position, held: Position) -> Fenced | Rewound:
    """Say what it means that the ledger holds `found`, and not the position that was `held` to be its own."""
    if found.topic_id == held.topic_id and found.next_offset < held.next_offset:
        return Rewound(found)
    return Fenced(found)


def parse(text: str) -> Position | None:
    """Return the position whose encoding is exactly `text`, None if there is none.

    Stricter than `Position.decode`, which takes "07" or " 7" for an offset: such a text is not ours, and it would
    never compare equal to any text of ours.
    """
    try:
        position = Position.decode(text)
    except ValueError:
        return None
    return position if position.encode() == text else None
