"""The chain of receipts: what a batch id confirms."""

from dataclasses import replace

import orjson
from hypothesis import given
from hypothesis import strategies as st

from gmv.valuation.attribution import value_contributors, withheld
from gmv.valuation.evidence import Evidence
from gmv.valuation.receipt import Receipt, batch_id, changes_of, receipt, seal, unseal
from gmv.valuation.types import Candidate


def made(
    offset: int, distance: float = 0.25, previous: str = "", evidence: Evidence | None = None, is_withheld: bool = False
) -> Receipt:
    pair = [Candidate("a", "ada", 1.0, distance), Candidate("b", "bob", 1.0, 1.0)]
    valued = replace(value_contributors(pair, 1.0, 1.0), evidence=evidence)
    return receipt(
        source="/generator",
        event_id=f"event-{offset}",
        topic="generated-images",
        partition=3,
        offset=offset,
        previous_batch=previous,
        index_id="0123",
        settings_digest="4567",
        attribution=withheld(valued) if is_withheld else valued,
        traceparent=None,
    )


@given(st.floats(0, 10), st.integers(0, 2**40))
def test_a_published_receipt_gives_its_batch_id_again(distance: float, offset: int) -> None:
    """Floats survive JSON bit for bit, so a reader can recompute the digest from what it parsed."""
    entries = [made(offset, distance), made(offset + 1)]
    batch, published = seal(entries)
    assert [unseal(each) for each in published] == [(batch, 2, entry) for entry in entries]
    assert batch_id(receipt for _, _, receipt in map(unseal, published)) == batch


def test_every_part_of_a_receipt_and_its_past_is_in_the_batch_id() -> None:
    ids = {
        batch_id([made(0)]),
        batch_id([made(1)]),
        batch_id([made(0), made(1)]),
        batch_id([made(0, distance=0.2500000001)]),
        batch_id([made(0, previous="abc")]),
    }
    assert len(ids) == 5


def test_the_shape_that_readers_rely_on() -> None:
    entry = made(7)
    batch, (published,) = seal([entry])
    assert orjson.loads(published) == {
        "batch": batch,
        "batch_receipts": 1,
        "event": {"source": "/generator", "id": "event-7"},
        "position": {"topic": "generated-images", "partition": 3, "offset": 7},
        "previous_batch": "",
        "index": "0123",
        "settings": "4567",
        "quality": 1.0,
        "temperature": 1.0,
        "contributors": [
            {
                "image_id": contributor["image_id"],
                "owner_id": contributor["owner_id"],
                "distance": contributor["distance"],
                "utility": contributor["utility"],
                "weight": 1.0,
                "micros": contributor["micros"],
            }
            for contributor in entry["contributors"]
        ],
        "micros": 1_000_000,
    }
    assert [contributor["owner_id"] for contributor in entry["contributors"]] == ["ada", "bob"]


def test_features_that_another_machine_may_not_see_are_named_and_confirmed() -> None:
    exact = made(7)
    attribution = replace(value_contributors([Candidate("a", "ada", 1.0, 0.5)], 1.0, 1.0), features="ab" * 32)
    named = receipt(
        source="/generator",
        event_id="event-7",
        topic="generated-images",
        partition=3,
        offset=7,
        previous_batch="",
        index_id="0123",
        settings_digest="4567",
        attribution=attribution,
        traceparent=None,
    )

    assert "features" not in exact
    assert named["features"] == "ab" * 32
    assert batch_id([named]) != batch_id([{**named, "features": "cd" * 32}])


def test_what_is_unattributed_is_a_share_of_its_own_and_evidence_is_told() -> None:
    """I1 with the account; who reads contributors alone finds that they were credited nothing."""
    flat = made(1, evidence=Evidence(0.005, is_flat=True, is_reliable=False), is_withheld=True)
    unlike = made(2, evidence=Evidence(0.4, is_flat=False, is_reliable=False))
    copy = made(3, evidence=Evidence(0.005, is_flat=False, is_reliable=True))
    assert flat["evidence"] == {"p": 0.005, "flat": True, "reliable": False}
    assert (unlike["evidence"], copy["evidence"]) == (
        {"p": 0.4, "reliable": False},
        {"p": 0.005, "reliable": True},
    )
    assert [each["micros"] for each in flat["contributors"]] == [0, 0]
    assert (flat["micros"], flat["unattributed_micros"]) == (1_000_000, 1_000_000)
    assert dict(changes_of(flat)) == {"unattributed": 1_000_000}
    for each in (unlike, copy):
        assert "unattributed_micros" not in each
        assert sum(dict(changes_of(each)).values()) == each["micros"] == 1_000_000
    assert batch_id([flat]) != batch_id([made(1, evidence=Evidence(0.01, True, False), is_withheld=True)])
    assert "evidence" not in made(1), "an index without a measurement says nothing"
