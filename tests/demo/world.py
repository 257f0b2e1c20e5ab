"""Receipts and stories made by hand, so that a report can be tested without an index."""

import io
from collections import Counter
from collections.abc import Sequence

from PIL import Image

from gmv.demo.report import Story
from gmv.demo.source_hits import Outcome, outcomes, source_hits
from gmv.imaging.decode import ImageLimits
from gmv.ledger.port import Balance, Sums
from gmv.pages.thumbnails import thumbnail
from gmv.valuation.apportion import apportion
from gmv.valuation.receipt import Receipt

LIMITS = ImageLimits(2**20, 10**6)


def image_file(shade: int, side: int = 32, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), (shade % 256, 80, 120)).save(file, kind)
    return file.getvalue()


def receipt_of(event_id: str, image_ids: Sequence[str], micros: int = 1_000_000) -> Receipt:
    """Contributors in the order given; image "x@owner" belongs to "owner"."""
    worth = [1.0 / (rank + 1) for rank in range(len(image_ids))]
    return {
        "event": {"source": "tests", "id": event_id},
        "position": {"topic": "events.jsonl", "partition": 0, "offset": 0},
        "previous_batch": "",
        "index": "index",
        "settings": "settings",
        "quality": 1.0,
        "temperature": 1.0,
        "contributors": [
            {
                "image_id": image_id,
                "owner_id": image_id.split("@")[-1],
                "distance": 0.1 * rank,
                "utility": share,
                "weight": 1.0,
                "micros": part,
            }
            for rank, (image_id, share, part) in enumerate(
                zip(image_ids, worth, apportion(micros, worth, image_ids), strict=True)
            )
        ],
        "micros": micros,
    }


def corpus_of(told: Sequence[Outcome], images: int = 100) -> dict[str, str]:
    """Owners by image id of all images that outcomes name, and of as many more as make it this large."""
    named = {image_id for outcome in told for image_id in outcome.sources}
    named |= {entry["image_id"] for outcome in told for entry in outcome.receipt["contributors"]}
    others = [f"never seen {number}@stranger" for number in range(images - len(named))]
    return {image_id: image_id.split("@")[-1] for image_id in [*named, *others]}


def story_of(told: Sequence[Outcome], facts: Sequence[tuple[str, str]] = ()) -> Story:
    earned: Counter[str] = Counter()
    image_ids: set[str] = set()
    for outcome in told:
        image_ids.update(outcome.sources)
        for entry in outcome.receipt["contributors"]:
            earned[entry["owner_id"]] += entry["micros"]
            image_ids.add(entry["image_id"])
    return Story(
        outcomes=told,
        hits=source_hits(told, corpus_of(told)),
        balances=[Balance(owner_id, micros) for owner_id, micros in earned.items()],
        sums=Sums(micros=earned.total(), credited=len(told), dead_letters=1, duplicates=0),
        images_by_owner=Counter(image_id.split("@")[-1] for image_id in image_ids),
        generated={outcome.event_id: thumbnail(image_file(place), LIMITS) for place, outcome in enumerate(told)},
        training={image_id: thumbnail(image_file(shade), LIMITS) for shade, image_id in enumerate(sorted(image_ids))},
        candidates=100,
        facts=facts,
    )


def told_of(events: int, contributors: int = 4) -> list[Outcome]:
    """Event n is made of an image that is credited in n of every four events, and of one that never is."""
    receipts = [receipt_of(f"event-{n:03}", [f"{n}-{k}@owner-{k}" for k in range(contributors)]) for n in range(events)]
    return outcomes(receipts, {f"event-{n:03}": (f"{n}-{n % 4}@owner-{n % 4}", "lost@nobody") for n in range(events)})
