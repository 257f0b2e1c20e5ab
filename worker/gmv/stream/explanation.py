"""Does the ledger hold what the receipts say, no more and no less? Recomputed from receipts alone.

Each partition's position names its newest batch, and each receipt the batch before its own: walking back from the
positions tells committed batches from orphans. Memory grows with batches and owners, not with events: receipts may
stand in any order, but those of one batch are near each other, since one worker sent them at once.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from gmv.errors import ConservationBroken, EventsRefused
from gmv.ledger.port import Accounts
from gmv.valuation.receipt import AnyReceipt, Receipt, batch_id, changes_of, is_correction, unseal

OWNERS_NAMED_MAX: Final = 20

_ELSEWHERE: Final = "in the other receipts files or topics of this ledger"


@dataclass(frozen=True, slots=True)
class Explanation:
    """What was found where everything agrees.

    Attributes:
        batches: number of committed batches.
        receipts: number of their receipts of events.
        orphans: number of batches that were published and never committed.
        owners: owners whose totals were compared.
        micros: sum of the totals.
        corrections: number of their receipts of corrections.
    """

    batches: int
    receipts: int
    orphans: int
    owners: int
    micros: int
    corrections: int = 0


class Published(NamedTuple):
    """A line or a record where receipts are, and where it stands: `file:line`, or `topic/partition/offset`."""

    place: str
    content: bytes


@dataclass(slots=True)
class PublishedBatch:
    """Receipts of one batch id, by offset, and where the first and the last of them were found."""

    id: str
    size: int
    first_place: str
    last_place: str
    by_offset: dict[int, AnyReceipt]

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
            return (
                f"its receipts are not all there ({found} of {self.size}, {places}); look for the others {_ELSEWHERE}"
            )
        return f"its receipts are altered ({found}, {places}); compare them with a copy, and put back what they were"


def explain(accounts: Accounts, receipts: Callable[[], Iterable[Published]]) -> Explanation:
    """Recompute every owner's total from the committed receipts and compare it with the ledger's.

    Args:
        accounts: the ledger.
        receipts: starts a pass over published receipts (JSON), in any order; there are two passes.

    Raises:
        ConservationBroken: a committed batch is without its receipts, or totals differ; it names the owners.
    """
    previous, committed = _history(accounts, receipts())
    totals: dict[str, int] = {}
    batches = receipts_counted = corrections = 0
    for batch in _committed_batches(committed, receipts()):
        batches += 1
        receipts_counted += len(batch.receipts)
        corrections += sum(map(is_correction, batch.receipts))
        _add(totals, batch.receipts)
    micros, events = _compare(accounts, totals), receipts_counted - corrections
    return Explanation(batches, events, len(previous) - len(committed), len(totals), micros, corrections)


def committed_receipts(accounts: Accounts, receipts: Callable[[], Iterable[Published]]) -> Iterator[Receipt]:
    """Yield the receipts of events that the ledger's positions vouch for, each once, in the order published.

    Args:
        accounts: the ledger.
        receipts: as for `explain`.

    Raises:
        ConservationBroken: a committed batch is without its receipts.
    """
    _, committed = _history(accounts, receipts())
    for batch in _committed_batches(committed, receipts()):
        yield from (receipt for receipt in batch.receipts if not is_correction(receipt))


def receipts_in(path: Path) -> Iterator[Published]:
    """Yield the lines of a receipts file.

    Raises:
        EventsRefused: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                yield Published(f"{path}:{number}", line)
    except OSError as error:
        raise EventsRefused(f"{path}: {error.strerror}; give the receipts file that `gmv replay` wrote") from error


def _history(accounts: Accounts, published: Iterable[Published]) -> tuple[dict[str, str], set[str]]:
    """Return the batch before each published one, and the ids of those that were committed."""
    standing = accounts.standing()
    previous: dict[str, str] = {}
    complaints: dict[str, str] = {}
    for batch in published_batches(published):
        if batch.is_whole:
            previous[batch.id] = batch.previous
        else:
            complaints[batch.id] = batch.complaint
    committed: set[str] = set()
    for (topic, number), position in standing.items():
        name = position.batch_id
        while name:
            if name not in previous:
                complaint = complaints.get(name, f"its receipts are missing; look for them {_ELSEWHERE}")
                raise ConservationBroken(f"batch {name} of {topic}[{number}] is in the ledger, but {complaint}")
            committed.add(name)
            name = previous[name]
    return previous, committed


def _committed_batches(committed: set[str], published: Iterable[Published]) -> Iterator[PublishedBatch]:
    counted: set[str] = set()
    for batch in published_batches(published):
        if batch.id in committed and batch.id not in counted and batch.is_whole:
            counted.add(batch.id)
            yield batch


def published_batches(published: Iterable[Published]) -> Iterator[PublishedBatch]:
    """Yield a batch whenever its last receipt comes, and at the end those whose last did not.

    One that was published twice may come twice. A line that is no receipt, such as one that a crash tore, explains
    nothing and is passed over: a batch that needs it stays unfinished.
    """
    unfinished: dict[str, PublishedBatch] = {}
    for place, content in published:
        try:
            told_name, told_size, receipt = unseal(content)
            name, size, offset = str(told_name), int(told_size), int(receipt["position"]["offset"])  # as they should be
        except (ValueError, LookupError, TypeError, AttributeError):
            continue
        batch = unfinished.setdefault(name, PublishedBatch(name, size, place, place, {}))
        batch.size, batch.last_place = size, place
        batch.by_offset[offset] = receipt
        if len(batch.by_offset) == size:
            del unfinished[name]
            yield batch
    yield from unfinished.values()


def _add(totals: dict[str, int], receipts: Iterable[AnyReceipt]) -> None:
    for receipt in receipts:
        for owner, micros in changes_of(receipt):
            totals[owner] = totals.get(owner, 0) + micros


def _compare(accounts: Accounts, totals: dict[str, int]) -> int:
    unseen = dict(totals)
    micros = 0
    differing: list[str] = []
    for balance in accounts.balances():
        explained = unseen.pop(balance.owner_id, 0)
        if balance.micros != explained:
            differing.append(
                f"owner {balance.owner_id!r} has {balance.micros} micro-credits in the ledger, {explained} by receipts"
            )
        micros += balance.micros
    differing += [
        f"owner {owner!r} has {explained} micro-credits by receipts and none in the ledger"
        for owner, explained in sorted(unseen.items())
    ]
    if differing:
        more = len(differing) - OWNERS_NAMED_MAX
        raise ConservationBroken(
            "; ".join(differing[:OWNERS_NAMED_MAX] + ([f"and {more} more owners"] if more > 0 else []))
        )
    return micros
