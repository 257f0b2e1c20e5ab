"""What became of each record of a run, and how that turns into one commit. Pure."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gmv.errors import Poison, Reason
from gmv.events.cloudevents import trace_of
from gmv.events.model import GeneratedImage
from gmv.ledger.port import FIELDS_MAX, FIXED_FIELDS, Batch, Entry, Known
from gmv.ledger.position import Position
from gmv.stream.ports import DeadLetter, SealedReceipt
from gmv.stream.records import Partition, Record
from gmv.stream.telling import METADATA_BYTES_MAX, told_by
from gmv.valuation.attribution import owner_credits
from gmv.valuation.receipt import Receipt, receipt, seal
from gmv.valuation.types import Attribution


@dataclass(frozen=True, slots=True)
class Credited:
    """An event that gets its credits with this run."""

    record: Record
    event: GeneratedImage
    attribution: Attribution


@dataclass(frozen=True, slots=True)
class AlreadyCredited:
    """An event that was credited before, with the payload `earlier`, or is in this run twice."""

    record: Record
    event: GeneratedImage
    earlier: bytes


@dataclass(frozen=True, slots=True)
class Poisoned:
    """A record that cannot be credited.

    Attributes:
        record: whole.
        poison: why.
        event: None where it holds no event at all.
        earlier: payload of the event that was credited before under the same identity; None where there is none.
    """

    record: Record
    poison: Poison
    event: GeneratedImage | None = None
    earlier: bytes | None = None


Outcome = Credited | AlreadyCredited | Poisoned


@dataclass(frozen=True, slots=True)
class Stamp:
    """What every receipt of this worker says beside the attribution: by which index and which settings.

    `metadata_bytes_max` is how long an event's metadata may be to be told in its receipt.
    """

    index_id: str
    settings_digest: str
    metadata_bytes_max: int = METADATA_BYTES_MAX


@dataclass(frozen=True, slots=True)
class Proposal:
    """One commit and what has to be durable before it."""

    batch: Batch
    receipts: tuple[SealedReceipt, ...]
    dead_letters: tuple[DeadLetter, ...]
    outcomes: tuple[Outcome, ...]

    @property
    def dead_letters_by_reason(self) -> Counter[Reason]:
        """Number of dead letters per reason."""
        return Counter(dead_letter.poison.reason for dead_letter in self.dead_letters)

    @property
    def attributions(self) -> tuple[Attribution, ...]:
        """Of the credited events, in order."""
        return tuple(outcome.attribution for outcome in self.outcomes if isinstance(outcome, Credited))


def recognise(outcomes: Sequence[Outcome], known: Mapping[bytes, Known]) -> list[Outcome]:
    """Find the events that have been credited before, in the ledger or earlier in this run.

    In order of the log the first event of an identity that can be credited is; a later one that says the same is a
    duplicate, one that says something else is poison (`id_conflict`): a producer must not give two images one id.
    That holds for later ones that could not have been credited themselves, too: otherwise their fate would depend
    on where a run ends. And for duplicates of one in this run, which another partition's event may precede after all.

    Args:
        outcomes: of a run, in order; those found by a call before may be given again.
        known: identities the ledger has credited already.
    """
    payloads = {identity: place.payload for identity, place in known.items()}
    recognised: list[Outcome] = []
    for outcome in outcomes:
        if outcome.event is None:
            recognised.append(outcome)
        elif (earlier := payloads.get(outcome.event.identity)) is not None:
            recognised.append(repeated(outcome.record, outcome.event, earlier))
        else:
            if isinstance(outcome, Credited):
                payloads[outcome.event.identity] = outcome.event.payload
            recognised.append(outcome)
    return recognised


def repeated(record: Record, event: GeneratedImage, credited_payload: bytes) -> AlreadyCredited | Poisoned:
    """Distinguish a re-sent event from another event under an id that was credited with `credited_payload`."""
    if event.payload == credited_payload:
        return AlreadyCredited(record, event, credited_payload)
    name = f"({event.source}, {event.event_id})"
    detail = f"event {name} was credited before with other data; send this image under an id of its own"
    return Poisoned(record, Poison(Reason.ID_CONFLICT, detail), event, credited_payload)


def pieces(outcomes: Sequence[Outcome]) -> Iterator[tuple[Outcome, ...]]:
    """Cut a run into pieces that one commit can hold: at most `FIELDS_MAX` owners, events and fixed fields.

    One event always fits: it has at most K owners, and K is at most 1,000.
    """
    owners: set[str] = set()
    events = 0
    piece: list[Outcome] = []
    for outcome in outcomes:
        credited = owner_credits([outcome.attribution]).keys() if isinstance(outcome, Credited) else set()
        named = isinstance(outcome, Credited) or outcome.earlier is not None
        if piece and len(owners | credited) + events + named + FIXED_FIELDS > FIELDS_MAX:
            yield tuple(piece)
            owners, events, piece = set(), 0, []
        owners |= credited
        events += named
        piece.append(outcome)
    if piece:
        yield tuple(piece)


def propose(
    partition: Partition, expected: Position, piece: Sequence[Outcome], next_offset: int, stamp: Stamp
) -> Proposal:
    """Turn a piece of a run into a commit, its receipts and its dead letters.

    The batch id moves on only with a batch that credits something, since only such a batch has receipts to chain.

    Args:
        partition: where the records were read.
        expected: the position before the piece.
        piece: outcomes in order of offset; none where the piece holds nothing for us.
        next_offset: where the piece ends.
        stamp: for the receipts.
    """
    credited = [outcome for outcome in piece if isinstance(outcome, Credited)]
    poisoned = [outcome for outcome in piece if isinstance(outcome, Poisoned)]
    entries = [_receipt(partition, expected, outcome, stamp) for outcome in credited]
    batch, sealed = seal(entries) if entries else (expected.batch_id, [])
    return Proposal(
        batch=Batch(
            topic=partition.topic,
            partition=partition.number,
            expected=expected,
            next=Position(expected.topic_id, next_offset, expected.leader_epoch, batch),
            credits=owner_credits(outcome.attribution for outcome in credited),
            entries=[Entry(o.event.identity, o.record.offset, o.event.payload) for o in credited],
            dead_letters=len(poisoned),
            duplicates=len(piece) - len(credited) - len(poisoned),
            repeats=_repeats(piece, {o.event.identity for o in credited}),
        ),
        receipts=tuple(
            SealedReceipt(o.event.event_id.encode(), each, trace_of(o.record.headers))
            for o, each in zip(credited, sealed, strict=True)
        ),
        dead_letters=tuple(DeadLetter(outcome.record, outcome.poison) for outcome in poisoned),
        outcomes=tuple(piece),
    )


def _repeats(piece: Sequence[Outcome], credited: Collection[bytes]) -> dict[bytes, bytes]:
    """Return what the piece takes for credited before it: identity -> payload; `credited` are its own identities."""
    return {
        outcome.event.identity: outcome.earlier
        for outcome in piece
        if not isinstance(outcome, Credited) and outcome.event is not None and outcome.earlier is not None
        if outcome.event.identity not in credited
    }


def _receipt(partition: Partition, expected: Position, outcome: Credited, stamp: Stamp) -> Receipt:
    return receipt(
        source=outcome.event.source,
        event_id=outcome.event.event_id,
        topic=partition.topic,
        partition=partition.number,
        offset=outcome.record.offset,
        previous_batch=expected.batch_id,
        index_id=stamp.index_id,
        settings_digest=stamp.settings_digest,
        attribution=outcome.attribution,
        traceparent=outcome.event.traceparent,
        told=told_by(outcome.record, outcome.event, stamp.metadata_bytes_max),
    )
