"""Receipts: one per credited event or correction, that say who was credited what and why, chained by batch id.

A batch id is a digest over the batch's receipts, each of which names the batch before it. The ledger's position
holds the newest batch id of each partition, so it confirms every receipt behind it: a receipt is *committed* if
its batch can be reached from the position, and an *orphan* (published, but its commit never happened) if not.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal, NotRequired  # pydantic needs these below Python 3.12

import orjson
from typing_extensions import TypedDict, TypeIs

from gmv.valuation.evidence import UNATTRIBUTED, Evidence
from gmv.valuation.told import Telling, Told
from gmv.valuation.types import Attribution, Contributor


class EventName(TypedDict):
    """Identity of an event: CloudEvents source and id."""

    source: str
    id: str


class Place(TypedDict):
    """Where a record is in its log; for a file, the topic is its name and the offset a line number."""

    topic: str
    partition: int
    offset: int


class Share(TypedDict):
    """What one contributor earned, and why: W1 distance, utility in [0, 1], weight in [0, 1], micro-credits.

    `mirrored` where the distance is that of the generated image mirrored from left to right, which is less; absent
    elsewhere. `group` where the image has near copies in the index, which have one place in the set: it names them by
    the first of their images, the distance is that of the nearest of them, and each owner who is paid has a share.
    """

    image_id: str
    owner_id: str
    distance: float
    utility: float
    weight: float
    micros: int
    mirrored: NotRequired[Literal[True]]
    group: NotRequired[str]


class Grounds(TypedDict):
    """What speaks for the contributors of an event.

    `p` is the share of images without a source that would be as near to one training image, in (0, 1]; `flat`
    where there is hardly anything to be seen in the image, absent elsewhere; `reliable` whether p is at most
    the level of the settings, .05 if they name none, and the image is not flat.
    """

    p: float
    flat: NotRequired[Literal[True]]
    reliable: bool


NOBODY_LEFT: Final = "nobody_left"
NOTHING_TOLD: Final = Telling()


class Receipt(Told):
    """A receipt less its own batch id. Contributors are in rank order.

    Their micros and `unattributed_micros` sum to `micros` (I1). The latter is what the account `unattributed` was
    credited in place of contributors, which then have 0; it is absent where that is nothing. `evidence` is absent where
    the index has nothing to compare an event with.
    `outcome` is `nobody_left` where there is no contributor, since all recalled images are opted out; absent elsewhere.
    `features` is there where another machine may compute other features of the image, in their last bits, than those
    that the credits rest on: the SHA-256 of these. It is absent where the event brought its features.
    Keys of `Told` are there as far as the record told; they decide nothing, and older receipts have none.
    """

    event: EventName
    position: Place
    previous_batch: str
    index: str
    settings: str
    quality: float
    temperature: float
    contributors: list[Share]
    micros: int
    unattributed_micros: NotRequired[int]
    evidence: NotRequired[Grounds]
    outcome: NotRequired[Literal["nobody_left"]]
    features: NotRequired[str]
    traceparent: NotRequired[str]


class Change(TypedDict):
    """What a correction adds to an owner's total; below 0 where it takes away."""

    owner_id: str
    micros: int


class CorrectionReceipt(TypedDict):
    """The receipt of a correction, less its batch id.

    `position` is in the log of corrections; `event` the one that was credited wrongly, if it is about one; `micros`
    the sum of the entries: 0, or below 0 where credits were withdrawn; `insisted` why it was meant though the receipts
    of the event did not support it, absent where they did; `time` when it was made, as its line says, if it does.
    """

    correction: str
    position: Place
    previous_batch: str
    reason: str
    event: NotRequired[EventName]
    insisted: NotRequired[str]
    time: NotRequired[str]
    entries: list[Change]
    micros: int


AnyReceipt = Receipt | CorrectionReceipt


class PublishedReceipt(Receipt):
    """A receipt as readers find it: with its batch id, and how many receipts that batch has."""

    batch: str
    batch_receipts: int


class PublishedCorrection(CorrectionReceipt):
    """The receipt of a correction as readers find it."""

    batch: str
    batch_receipts: int


def changes_of(receipt: AnyReceipt) -> Iterator[tuple[str, int]]:
    """Yield owner and micro-credits added to their total, where these are not 0; `unattributed` is one of them."""
    for each in receipt["entries"] if is_correction(receipt) else receipt["contributors"]:
        if each["micros"]:
            yield each["owner_id"], each["micros"]
    if not is_correction(receipt) and (unattributed := receipt.get("unattributed_micros", 0)):
        yield UNATTRIBUTED, unattributed


def is_correction(receipt: AnyReceipt) -> TypeIs[CorrectionReceipt]:
    """Return whether it is a correction's receipt, and not an event's."""
    return "correction" in receipt


def receipt(
    *,
    source: str,
    event_id: str,
    topic: str,
    partition: int,
    offset: int,
    previous_batch: str,
    index_id: str,
    settings_digest: str,
    attribution: Attribution,
    traceparent: str | None,
    told: Telling = NOTHING_TOLD,
) -> Receipt:
    """Return the receipt of one event, less its batch id."""
    made: Receipt = {
        "event": {"source": source, "id": event_id},
        "position": {"topic": topic, "partition": partition, "offset": offset},
        "previous_batch": previous_batch,
        "index": index_id,
        "settings": settings_digest,
        "quality": attribution.quality,
        "temperature": attribution.temperature,
        "contributors": [_share(contributor) for contributor in attribution.contributors],
        "micros": attribution.micros,
    }
    if attribution.unattributed_micros:
        made["unattributed_micros"] = attribution.unattributed_micros
    if attribution.evidence is not None:
        made["evidence"] = _grounds(attribution.evidence)
    if attribution.is_nobody_left:
        made["outcome"] = NOBODY_LEFT
    if attribution.features is not None:
        made["features"] = attribution.features
    if traceparent is not None:
        made["traceparent"] = traceparent
    return {**made, **told.keys()}


def _grounds(evidence: Evidence) -> Grounds:
    flat: Grounds = {"p": evidence.p_value, "flat": True, "reliable": evidence.is_reliable}
    return flat if evidence.is_flat else {"p": evidence.p_value, "reliable": evidence.is_reliable}


def _share(contributor: Contributor) -> Share:
    share: Share = {
        "image_id": contributor.image_id,
        "owner_id": contributor.owner_id,
        "distance": contributor.distance,
        "utility": contributor.utility,
        "weight": contributor.weight,
        "micros": contributor.micros,
    }
    if contributor.mirrored:
        share["mirrored"] = True
    if contributor.group is not None:
        share["group"] = contributor.group
    return share


def batch_id(receipts: Iterable[AnyReceipt]) -> str:
    """Return 32 hex digits: BLAKE2b-128 over the batch's receipts, in order of offset.

    The previous batch id is in every receipt, which makes this a hash chain. Nothing random and no clock goes in:
    a run that is attributed again after a crash has the same id and the same receipts.
    """
    digest = hashlib.blake2b(digest_size=16)
    for entry in receipts:
        digest.update(orjson.dumps(entry))
        digest.update(b"\n")
    return digest.hexdigest()


def seal(batch: Sequence[AnyReceipt]) -> tuple[str, list[bytes]]:
    """Return the batch id of receipts that are committed together, in order of offset, and the JSON of each.

    Each says how many there are, so that a reader knows a batch is whole though others are in between.
    """
    name = batch_id(batch)
    return name, [orjson.dumps({"batch": name, "batch_receipts": len(batch), **entry}) for entry in batch]


def unseal(published: bytes) -> tuple[str, int, AnyReceipt]:
    """Return (batch id, number of its receipts, receipt) of a published receipt; the inverse of `seal`."""
    entry = orjson.loads(published)
    return entry.pop("batch"), entry.pop("batch_receipts"), entry
