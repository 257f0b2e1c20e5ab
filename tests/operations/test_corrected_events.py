"""Corrections held against the receipts of the events that they name."""

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.ledger.position import Position
from gmv.operations.corrected_events import doubts_about
from gmv.operations.judging import Judgement, judge_receipts
from gmv.operations.published import Published
from gmv.valuation.attribution import value_contributors
from gmv.valuation.correction import Correction
from gmv.valuation.receipt import EventName, Receipt, receipt, seal
from gmv.valuation.types import Candidate


def earned(event_id: str, *owners: str, offset: int = 0, partition: int = 0) -> Receipt:
    """Owners share a credit evenly."""
    return receipt(
        source="/s",
        event_id=event_id,
        topic="t",
        partition=partition,
        offset=offset,
        previous_batch="",
        index_id="i",
        settings_digest="s",
        attribution=value_contributors(
            [Candidate(str(number), owner, 1.0, 0.5) for number, owner in enumerate(owners)], 1.0, 1.0
        ),
        traceparent=None,
    )


def taken(
    micros: int,
    event_id: str | None = "a",
    owner: str = "ada",
    to: str | None = None,
    offset: int = 0,
    partition: int = 0,
) -> Correction:
    event = None if event_id is None else EventName(source="/s", id=event_id)
    return Correction(offset, f"c-{offset}", owner, to, micros, "mistaken", event, partition)


def judged(receipts: Sequence[Receipt], earlier: Sequence[Correction] = ()) -> Judgement:
    """Receipts of one partition and of one file of corrections in the book of partition 0, all committed."""
    name, lines = seal(receipts)
    positions = {("t", receipts[0]["position"]["partition"]): Position("id", len(receipts), -1, name)}
    if earlier:
        batch, corrected = seal([each.receipt("corrections/may.jsonl", 0, "") for each in earlier])
        positions["corrections/may.jsonl", 0] = Position("id", len(earlier), -1, batch)
        lines += corrected
    return judge_receipts(lambda *_: True, [Published("r", line) for line in lines], positions)


BOTH = earned("a", "ada", "ben")  # half a credit each


def test_what_the_event_paid_can_be_taken() -> None:
    assert doubts_about([taken(500_000)], judged([BOTH]), 1) == {}
    assert doubts_about([taken(200_000), taken(300_000, offset=1)], judged([BOTH]), 1) == {}


def test_what_names_no_event_is_held_against_none() -> None:
    assert doubts_about([taken(9, event_id=None)], Judgement([], {}), 1) == {}


@pytest.mark.parametrize(
    ("correction", "says"),
    [
        (taken(500_001), "event (/s, a) paid 'ada' 500000 micro-credits, less than the 500001 that are taken. With"),
        (
            taken(1, owner="cy"),
            "paid 'cy' 0 micro-credits, less than the 1 that are taken. With earlier corrections it",
        ),
        (taken(1, owner="Ada"), "that are taken; did you mean 'ada'?"),
        (taken(1, owner="bne"), "that are taken; did you mean 'ben'?"),
        (taken(1, event_id="b"), "there is no receipt of event (/s, b) among those read"),
    ],
)
def test_what_it_did_not_pay_cannot(correction: Correction, says: str) -> None:
    (doubt,) = doubts_about([correction], judged([BOTH]), 1).values()
    assert says in doubt


def test_whoever_was_paid_is_named() -> None:
    (doubt,) = doubts_about([taken(1, owner="dee")], judged([BOTH]), 1).values()
    assert doubt.endswith("With earlier corrections it paid 'ada' 500000, 'ben' 500000")
    (crowd,) = doubts_about([taken(1, owner="x")], judged([earned("a", *"bcdefgh")]), 1).values()
    assert crowd.endswith("and 2 owners more")


def test_earlier_corrections_of_the_event_count() -> None:
    earlier = [taken(300_000, to="cy")]
    found = judged([BOTH], earlier)
    assert doubts_about([taken(200_000)], found, 1) == {}
    assert "paid 'ada' 200000 micro-credits" in doubts_about([taken(200_001)], found, 1)[0]
    assert doubts_about([taken(300_000, owner="cy", to="ada")], found, 1) == {}, "what was given can be taken back"
    assert 1 in doubts_about([taken(200_000), taken(1, offset=1)], found, 1), "a line counts for the next"
    assert doubts_about([taken(500_000)], judged([BOTH], [taken(9, event_id="other")]), 1) == {}


def test_a_correction_that_was_published_and_never_committed_does_not_count() -> None:
    name, lines = seal([BOTH])
    lines += seal([taken(500_000, owner="ben", to="ada").receipt("corrections/may.jsonl", 0, "")])[1]
    for positions in ({}, {("corrections/may.jsonl", 0): Position("id", 1)}):
        positions |= {("t", 0): Position("id", 1, -1, name)}
        found = judge_receipts(lambda *_: True, [Published("r", each) for each in lines], positions)
        assert "paid 'ada' 500000 micro-credits" in doubts_about([taken(500_001)], found, 1)[0]


def test_each_book_has_what_was_credited_in_it() -> None:
    found = judged([earned("a", "ada", partition=1)])
    assert doubts_about([taken(1, partition=1)], found, 2) == {}
    assert doubts_about([taken(1, partition=3)], found, 2) == {}, "partition 3 is of the same book"
    assert "was credited in partition 1, which is of another book" in doubts_about([taken(1)], found, 2)[0]
    assert doubts_about([taken(1)], found, 1) == {}


@pytest.mark.parametrize(
    ("positions", "says"),
    [
        ({("t", 0): Position("id", 0)}, "does not confirm the receipt of event (/s, a), which is awaited"),
        ({("t", 0): Position("id", 1)}, "which is orphan"),
        ({}, "which is unclear: the ledger has no position in t[0]"),
        ({("t", 0): Position("id", 1, -1, "lost")}, "which is unclear: on the way back from the ledger's position"),
    ],
)
def test_a_receipt_that_the_ledger_does_not_confirm_pays_nobody(
    positions: dict[tuple[str, int], Position], says: str
) -> None:
    published = [Published("r", line) for line in seal([BOTH])[1]]
    found = judge_receipts(lambda *_: True, published, positions)
    assert says in doubts_about([taken(1)], found, 1)[0]


def test_where_receipts_of_earlier_corrections_are_missing_nothing_is_supported() -> None:
    lines = seal([BOTH])[1]
    positions = {
        ("t", 0): Position("id", 1, -1, seal([BOTH])[0]),
        ("corrections/may.jsonl", 0): Position("id", 1, -1, "lost"),
    }
    found = judge_receipts(lambda *_: True, [Published("r", line) for line in lines], positions)
    assert found.corrections_unread == {"corrections/may.jsonl": "lost"}
    assert "receipts of corrections/may.jsonl are missing (batch lost" in doubts_about([taken(1)], found, 1)[0]


OWNERS = st.sampled_from(["ada", "ben", "cy"])
LINES = st.lists(st.tuples(st.sampled_from("ab"), OWNERS, st.none() | OWNERS, st.integers(1, 600_000)), max_size=12)


@given(LINES)
def test_in_order_no_event_loses_more_than_it_paid(lines: list[tuple[str, str, str | None, int]]) -> None:
    """By a count that shares nothing with what is tested. A line in doubt may be insisted on, so it counts, too."""
    pending = [
        taken(micros, event_id, owner, to, offset)
        for offset, (event_id, owner, to, micros) in enumerate(lines)
        if owner != to
    ]
    found = judged([BOTH, earned("b", "cy", offset=1)])
    left = Counter({("a", "ada"): 500_000, ("a", "ben"): 500_000, ("b", "cy"): 1_000_000})
    for count, correction in enumerate(pending, start=1):
        in_doubt = doubts_about(pending[:count], found, 1)
        assert correction.event is not None
        key = correction.event["id"], correction.from_owner
        assert (correction.offset in in_doubt) == (left[key] < correction.micros)
        left[key] -= correction.micros
        if correction.to_owner is not None:
            left[correction.event["id"], correction.to_owner] += correction.micros
