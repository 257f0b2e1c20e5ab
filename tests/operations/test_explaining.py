"""What became of one event: what the ledger vouches for, and every way in which it does not."""

from collections.abc import Iterable, Sequence

import orjson
import pytest

from gmv.errors import Reason
from gmv.ledger.port import Known
from gmv.ledger.position import Position
from gmv.operations.explaining import EventExplanation, EventStatus, ReceiptStatus, explain_event
from gmv.operations.published import Published
from gmv.stream.dead_letters import FoundDeadLetter
from gmv.stream.records import Partition, Record
from gmv.valuation.attribution import value_contributors
from gmv.valuation.correction import Correction
from gmv.valuation.receipt import AnyReceipt, receipt, seal
from gmv.valuation.types import Candidate

PAYLOAD = b"payload."


def made(event_id: str, offset: int, previous: str = "", partition: int = 0, owner: str = "ada") -> AnyReceipt:
    return receipt(
        source="/s",
        event_id=event_id,
        topic="t",
        partition=partition,
        offset=offset,
        previous_batch=previous,
        index_id="i",
        settings_digest="s",
        attribution=value_contributors([Candidate("x", owner, 1.0, 0.5)], 1.0, 1.0),
        traceparent=None,
    )


def asked(
    lines: Sequence[bytes],
    standing: dict[int, Position],
    *,
    letters: Iterable[FoundDeadLetter] = (),
    credited: Sequence[Known] = (),
    event_id: str = "a",
    source: str | None = None,
) -> list[EventExplanation]:
    positions = {("t", number): position for number, position in standing.items()}
    published = [Published(f"r:{number}", line) for number, line in enumerate(lines, start=1)]
    return explain_event(event_id, source, positions, published, letters, lambda _: credited)


def stood(story: EventExplanation) -> list[ReceiptStatus]:
    return [judged.standing for judged in story.judged]


def letter(offset: int, event_id: str, source: str = "/s") -> FoundDeadLetter:
    value = orjson.dumps({"source": source, "id": event_id})
    return FoundDeadLetter(Partition("t", 0), Record(offset, value), Reason.IMAGE_CORRUPT, "torn")


def test_a_batch_behind_the_newest_is_committed() -> None:
    first, lines = seal([made("a", 0), made("b", 1)])
    newest, more = seal([made("c", 2, first)])
    (story,) = asked(lines + more, {0: Position("id", 3, -1, newest)})
    ((judged, found),) = story.receipts
    assert (judged.standing, judged.batch, judged.batch_receipts) == (ReceiptStatus.COMMITTED, first, 2)
    assert found["contributors"][0]["micros"] == 1_000_000
    assert story.outcome is EventStatus.CREDITED


def test_a_record_that_was_read_again_left_an_orphan() -> None:
    _, orphans = seal([made("a", 0, owner="by an older version")])
    name, lines = seal([made("a", 0), made("b", 1)])
    (story,) = asked(orphans + lines, {0: Position("id", 2, -1, name)})
    assert stood(story) == [ReceiptStatus.ORPHAN, ReceiptStatus.COMMITTED]


def test_a_record_credited_by_another_partition_is_a_duplicate() -> None:
    name, lines = seal([made("a", 0)])
    _, others = seal([made("a", 7, partition=1)])
    standing = {0: Position("id", 1, -1, name), 1: Position("id", 8)}
    (story,) = asked(lines + others, standing)
    assert stood(story) == [ReceiptStatus.COMMITTED, ReceiptStatus.DUPLICATE]
    (told_by_the_ledger,) = asked(others, standing, credited=[Known(0, 0, PAYLOAD)])
    assert stood(told_by_the_ledger) == [ReceiptStatus.DUPLICATE]
    assert told_by_the_ledger.outcome is EventStatus.CREDITED


def test_what_the_position_has_not_come_to_is_awaited() -> None:
    _, lines = seal([made("a", 5)])
    (story,) = asked(lines, {0: Position("id", 5)})
    assert stood(story) == [ReceiptStatus.AWAITED]
    assert story.outcome is EventStatus.AWAITED


def test_an_orphan_alone_is_not_credited() -> None:
    _, lines = seal([made("a", 0)])
    (story,) = asked(lines, {0: Position("id", 1)})
    assert stood(story) == [ReceiptStatus.ORPHAN]
    assert story.outcome is EventStatus.NOT_CREDITED


def test_where_receipts_are_missing_it_is_unclear_what_stands_before_them() -> None:
    first, lines = seal([made("a", 0)])
    second, _ = seal([made("b", 1, first)])
    third, newest = seal([made("c", 2, second)])
    standing = {0: Position("id", 3, -1, third)}
    (story,) = asked(lines + newest, standing)
    ((judged, _),) = story.receipts
    assert (judged.standing, story.outcome) == (ReceiptStatus.UNCLEAR, EventStatus.UNCLEAR)
    assert second in judged.why
    (after,) = asked(lines + newest, standing, event_id="c")
    assert stood(after) == [ReceiptStatus.COMMITTED]


@pytest.mark.parametrize(
    "spoil",
    [
        pytest.param(lambda lines: [lines[0].replace(b'"ada"', b'"eve"'), lines[1]], id="altered"),
        pytest.param(lambda lines: lines[:1], id="one missing"),
    ],
)
def test_a_batch_that_is_not_whole_vouches_for_nothing(spoil: object) -> None:
    name, lines = seal([made("a", 0), made("b", 1)])
    (story,) = asked(spoil(lines), {0: Position("id", 2, -1, name)})  # type: ignore[operator]
    ((judged, _),) = story.receipts
    assert judged.standing is ReceiptStatus.UNCLEAR
    assert judged.why.startswith("its receipts are")


def test_receipts_of_a_log_that_the_ledger_does_not_know() -> None:
    _, lines = seal([made("a", 0, partition=5)])
    (story,) = asked(lines, {0: Position("id", 1)})
    ((judged, _),) = story.receipts
    assert (judged.standing, judged.why) == (ReceiptStatus.UNCLEAR, "the ledger has no position in t[5]")


def test_a_receipt_that_was_published_twice_is_one() -> None:
    name, lines = seal([made("a", 0)])
    (story,) = asked(lines * 2, {0: Position("id", 1, -1, name)})
    assert stood(story) == [ReceiptStatus.COMMITTED]


def test_what_is_no_receipt_is_passed_over() -> None:
    strange = [
        b"{torn",
        b'{"batch": "x", "batch_receipts": 2, "position": {"offset": 0}}',
        b'{"batch": "y", "batch_receipts": 2, "position": {"offset": 0}, "event": {"source": "/s", "id": "a"}}',
        b'{"batch": "z", "batch_receipts": 2, "position": {"offset": 0}, "event": 7}',
    ]
    assert asked(strange, {0: Position("id", 1)}) == []


def test_dead_letters_of_the_event_once_each() -> None:
    (story,) = asked([], {0: Position("id", 9)}, letters=[letter(3, "a"), letter(4, "b"), letter(3, "a")])
    assert [each.record.offset for each in story.dead_letters] == [3]
    assert story.outcome is EventStatus.DEAD_LETTERED


def test_events_of_two_sources_are_two_unless_one_is_named() -> None:
    name, lines = seal([made("a", 0)])
    standing = {0: Position("id", 1, -1, name)}
    letters = [letter(3, "a", "/other")]
    assert [story.source for story in asked(lines, standing, letters=letters)] == ["/s", "/other"]
    assert [story.source for story in asked(lines, standing, letters=letters, source="/other")] == ["/other"]


def test_the_ledger_is_asked_for_a_source_of_which_nothing_was_published() -> None:
    assert asked([], {}, source="/s") == []
    (story,) = asked([], {}, source="/s", credited=[Known(0, 4, PAYLOAD)])
    assert (story.outcome, story.judged) == (EventStatus.CREDITED, [])


def test_corrections_are_told_with_the_event() -> None:
    name, lines = seal([made("a", 0)])
    correction = Correction(0, "case-1", "ada", None, 5, "mistaken", {"source": "/s", "id": "a"})
    newest, corrected = seal([correction.receipt("corrections/c", 0, "")])
    standing = {("t", 0): Position("id", 1, -1, name), ("corrections/c", 0): Position("c", 1, -1, newest)}
    published = [Published("r", line) for line in lines + corrected]
    (story,) = explain_event("a", None, standing, published, [], lambda _: [])
    ((judged, found),) = story.corrections
    assert (judged.standing, found["correction"]) == (ReceiptStatus.COMMITTED, "case-1")
    assert [receipt["event"]["id"] for _, receipt in story.receipts] == ["a"]
