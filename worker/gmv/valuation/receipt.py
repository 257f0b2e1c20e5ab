"""Receipts: one per credited event, that say who was credited what and why, chained by batch id.

A batch id is a digest over the batch's receipts, each of which names the batch before it. The ledger's position
holds the newest batch id of each partition, so it vouches for every receipt behind it: a receipt is *committed* if
its batch can be reached from the position, and an *orphan* (published, but its commit never happened) if not.
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from gmv.valuation.types import Attribution

Receipt = dict[str, Any]
"""The receipt as it is published, less its batch id; see schemas/ for its shape."""


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
) -> Receipt:
    """Return the receipt of one event. Contributors are in rank order; their micros sum to the event's (I1)."""
    trace = {} if traceparent is None else {"traceparent": traceparent}
    return {
        "event": {"source": source, "id": event_id},
        "position": {"topic": topic, "partition": partition, "offset": offset},
        "previous_batch": previous_batch,
        "index": index_id,
        "settings": settings_digest,
        "quality": attribution.quality,
        "temperature": attribution.temperature,
        "contributors": [
            {
                "image_id": contributor.image_id,
                "owner_id": contributor.owner_id,
                "distance": contributor.distance,
                "utility": contributor.utility,
                "weight": contributor.weight,
                "micros": contributor.micros,
            }
            for contributor in attribution.contributors
        ],
        "micros": attribution.micros,
        **trace,
    }


def batch_id(receipts: Iterable[Receipt]) -> str:
    """Return 32 hex digits: BLAKE2b-128 over the batch's receipts, in order of offset.

    The previous batch id is in every receipt, which makes this a hash chain. Nothing random and no clock goes in:
    a run that is attributed again after a crash has the same id and the same receipts.
    """
    digest = hashlib.blake2b(digest_size=16)
    for entry in receipts:
        digest.update(orjson.dumps(entry))
        digest.update(b"\n")
    return digest.hexdigest()


def seal(entry: Receipt, batch: str) -> bytes:
    """Return the receipt's JSON with its batch id."""
    return orjson.dumps({"batch": batch, **entry})


def unseal(sealed: Mapping[str, Any]) -> tuple[str, Receipt]:
    """Return (batch id, receipt) from a published receipt's parsed JSON; the inverse of `seal`."""
    return sealed["batch"], {name: value for name, value in sealed.items() if name != "batch"}
