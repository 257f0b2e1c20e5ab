"""Published receipts, put back together into the batches that they were sealed in.

Memory grows with the batches that are not whole yet: receipts may come in any order, but those of one batch are near
each other, since one worker sent them at once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from gmv.valuation.receipt import AnyReceipt, batch_id, unseal

_PLACES_KEPT_MAX: Final = 20
_PLACES_SHOWN_MAX: Final = 3

ELSEWHERE: Final = "in the other receipts files or topics of this ledger"


class Published(NamedTuple):
    """A line or a record where receipts are, and its place: `file:line`, or `topic/partition/offset`.

    `timestamp_ms` is when it was published, milliseconds since 1970; None of a line, which does not tell.
    """

    place: str
    content: bytes
    timestamp_ms: int | None = None


class PassedOver:
    """Lines and records that are no receipts.

    Attributes:
        count: how many there are.
        places: of the first 20 of them.
    """

    def __init__(self) -> None:
        self.count = 0
        self.places: list[str] = []

    def add(self, place: str) -> None:
        """Note one."""
        self.count += 1
        if len(self.places) < _PLACES_KEPT_MAX:
            self.places.append(place)

    def complaint(self) -> str:
        """Return the end of a sentence on a batch without its receipts, which may have been these; "" without any."""
        if not self.count:
            return ""
        first = ", ".join(self.places[:_PLACES_SHOWN_MAX])
        more = f", nor are {self.count - _PLACES_SHOWN_MAX:,} more" if self.count > _PLACES_SHOWN_MAX else ""
        return f"; {first} {'is no whole receipt' if self.count == 1 else 'are no whole receipts'}{more}"


@dataclass(slots=True)
class PublishedBatch:
    """Receipts of one batch id, by offset; where the first and the last of them were found, and when published."""

    id: str
    size: int
    first_place: str
    last_place: str
    by_offset: dict[int, AnyReceipt]
    timestamp_ms: int | None = None

    @property
    def receipts(self) -> list[AnyReceipt]:
        """In order of offset."""
        return [self.by_offset[offset] for offset in sorted(self.by_offset)]

    @property
    def is_whole(self) -> bool:
        """Whether all of its receipts were found, as they were sealed."""
        return len(self.by_offset) == self.size and batch_id(self.receipts) == self.id

    @property
    def previous(self) -> str:
        """Id of the batch before it; to be relied on where it is whole."""
        return next(iter(self.by_offset.values()))["previous_batch"]

    @property
    def complaint(self) -> str:
        """What is wrong with it, where it is not whole."""
        found, last = len(self.by_offset), self.last_place
        places = self.first_place if last == self.first_place else f"from {self.first_place} to {last}"
        if found < self.size:
            return f"its receipts are not all there ({found} of {self.size}, {places}); look for the others {ELSEWHERE}"
        return f"its receipts are altered ({found}, {places}); compare them with a copy, and put back what they were"


def published_batches(
    published: Iterable[Published], passed_over: Callable[[str], None] = lambda _place: None
) -> Iterator[PublishedBatch]:
    """Yield a batch when its last receipt comes, and at the end those whose last did not.

    One that was published twice may come twice. A line that is no receipt, such as one that a crash tore, explains
    nothing and is passed over: a batch that needs it stays unfinished.

    Args:
        published: lines and records, in any order.
        passed_over: called with the place of each that is no receipt.
    """
    unfinished: dict[str, PublishedBatch] = {}
    for place, content, timestamp_ms in published:
        try:
            said_name, said_size, receipt = unseal(content)
            name, size, offset = str(said_name), int(said_size), int(receipt["position"]["offset"])  # as they should be
        except (ValueError, LookupError, TypeError, AttributeError):
            passed_over(place)
            continue
        batch = unfinished.setdefault(name, PublishedBatch(name, size, place, place, {}, timestamp_ms))
        batch.size, batch.last_place = size, place
        batch.by_offset[offset] = receipt
        if len(batch.by_offset) == size:
            del unfinished[name]
            yield batch
    yield from unfinished.values()
