"""What became of one event: what the ledger confirms, and every way in which it does not."""

from collections.abc import Iterable, Sequence

import orjson
import pytest

from gmv.cli.history.event_explanations import view
from gmv.errors import Reason
from gmv.ledger.port import Known
from gmv.ledger.position import Position
from gmv.operations.explaining import EventExplanation, EventStatus, explain_event
from gmv.operations.explanation import explained
from gmv.operations.judging import ReceiptStatus, judge_receipts
from gmv.operations.published import Published
from gmv.stream.dead_letters import FoundDeadLetter
from gmv.stream.records import Partition, Record
from gmv.valuation.attribution import value_contributors
from gmv.valuation.correction import Correction
from gmv.valuation.receipt import Receipt, receipt, seal
from gmv.valuation.types import Candidate

PAYLOAD = b"payload."


def made(event_id: str, offset: int, previous: str = "", partition: int = 0, owner: str = "ada") -> Receipt:
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
    by_partition: dict[int, Position],
    *,
    dead_letters: Iterable[FoundDeadLetter] = (),
    credited: Sequence[Known] = (),
    event_id: str = "a",
    source: str | None = None,
) -> list[EventExplanation]:
    positions = {("t", number): position for number, position in by_partition.items()}
    published = [Published(f"r:{number}", line) for number, line in enumerate(lines, start=1)]
    judgement = judge_receipts(
        lambda named, named_id: named_id == event_id and source in (None, named), published, positions
    )
    return explain_event(event_id, source, judgement.judged, dead_letters, lambda _: credited)


def statuses(story: EventExplanation) -> list[ReceiptStatus]:
    return [judged.status for judged in story.judged]


def dead_letter(offset: int, event_id: str, source: str = "/s") -> FoundDeadLetter:
    value = orjson.dumps({"source": source, "id": event_id})
    return FoundDeadLetter(Partition("t", 0), Record(offset, value), Reason.IMAGE_CORRUPT, "torn")


def test_a_batch_behind_the_newest_is_committed() -> None:
    first, lines = seal([made("a", 0), made("b", 1)])
    newest, more = seal([made("c", 2, first)])
    (story,) = asked(lines + more, {0: Position("id", 3, -1, newest)})
    ((judged, found),) = story.receipts
    assert (judged.status, judged.batch, judged.batch_receipts) == (ReceiptStatus.COMMITTED, first, 2)
    assert found["contributors"][0]["micros"] == 1_000_000
    assert story.outcome is EventStatus.CREDITED


@pytest.mark.parametrize("named", [True, False], ids=["as it is published", "as older versions published it"])
def test_an_event_of_which_nobody_is_left_says_so(named: bool) -> None:
    of_nobody = made("a", 0)
    of_nobody |= {"contributors": [], "micros": 0}
    if named:
        of_nobody["outcome"] = "nobody_left"
    name, lines = seal([of_nobody, made("b", 1)])
    positions = {0: Position("id", 2, -1, name)}
    (story,) = asked(lines, positions, credited=[Known(0, 0, PAYLOAD)])
    assert story.outcome is EventStatus.NOBODY_LEFT
    (event,) = explained("", "a", None, [story], [], []).events
    assert [each.outcome for each in event.receipts] == ["nobody_left"]
    assert any("credited to nobody" in str(part) for part in view(explained("", "a", None, [story], [], [])))
    (other,) = asked(lines, positions, event_id="b")
    assert other.outcome is EventStatus.CREDITED
    (awaited,) = asked(lines, {0: Position("id", 0)})
    assert awaited.outcome is EventStatus.AWAITED


def test_an_event_that_is_unattributed_says_so() -> None:
    of_no_owner = made("a", 0)
    of_no_owner["contributors"][0]["micros"] = 0
    of_no_owner["unattributed_micros"] = 1_000_000
    name, lines = seal([of_no_owner])
    (story,) = asked(lines, {0: Position("id", 1, -1, name)})
    (first, *_) = view(explained("", "a", None, [story], [], []))
    assert first == "event (/s, a): credited to the account `unattributed`, 1.000000 credits, and to no owner"


def test_a_record_that_was_read_again_left_an_orphan() -> None:
    _, orphans = seal([made("a", 0, owner="by an older version")])
    name, lines = seal([made("a", 0), made("b", 1)])
    (story,) = asked(orphans + lines, {0: Position("id", 2, -1, name)})
    assert statuses(story) == [ReceiptStatus.ORPHAN, ReceiptStatus.COMMITTED]


def test_a_record_credited_by_another_partition_is_a_duplicate() -> None:
    name, lines = seal([made("a", 0)])
    _, others = seal([made("a", 7, partition=1)])
    positions = {0: Position("id", 1, -1, name), 1: Position("id", 8)}
    (story,) = asked(lines + others, positions)
    assert statuses(story) == [ReceiptStatus.COMMITTED, ReceiptStatus.DUPLICATE]
    (known_to_the_ledger,) = asked(others, positions, credited=[Known(0, 0, PAYLOAD)])
    assert statuses(known_to_the_ledger) == [ReceiptStatus.DUPLICATE]
    assert known_to_the_ledger.outcome is EventStatus.CREDITED


def test_what_the_position_has_not_come_to_is_awaited() -> None:
    _, lines = seal([made("a", 5)])
    (story,) = asked(lines, {0: Position("id", 5)})
    assert statuses(story) == [ReceiptStatus.AWAITED]
    assert story.outcome is EventStatus.AWAITED


def test_an_orphan_alone_is_not_credited() -> None:
    _, lines = seal([made("a", 0)])
    (story,) = asked(lines, {0: Position("id", 1)})
    assert statuses(story) == [ReceiptStatus.ORPHAN]
    assert story.outcome is EventStatus.NOT_CREDITED


def test_where_receipts_are_missing_it_is_unclear_what_stands_before_them() -> None:
    first, lines = seal([made("a", 0)])
    second, _ = seal([made("b", 1, first)])
    third, newest = seal([made("c", 2, second)])
    positions = {0: Position("id", 3, -1, third)}
    (story,) = asked(lines + newest, positions)
    ((judged, _),) = story.receipts
    assert (judged.status, story.outcome) == (ReceiptStatus.UNCLEAR, EventStatus.UNCLEAR)
    assert second in judged.why
    (after,) = asked(lines + newest, positions, event_id="c")
    assert statuses(after) == [ReceiptStatus.COMMITTED]


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda lines: [lines[0].replace(b'"ada"', b'"eve"'), lines[1]], id="altered"),
        pytest.param(lambda lines: lines[:1], id="one missing"),
    ],
)
def test_a_batch_that_is_not_whole_confirms_nothing(damage: object) -> None:
    name, lines = seal([made("a", 0), made("b", 1)])
    (story,) = asked(damage(lines), {0: Position("id", 2, -1, name)})  # type: ignore[operator]
    ((judged, _),) = story.receipts
    assert judged.status is ReceiptStatus.UNCLEAR
    assert judged.why.startswith("its receipts are")


def test_receipts_of_a_log_that_the_ledger_does_not_know() -> None:
    _, lines = seal([made("a", 0, partition=5)])
    (story,) = asked(lines, {0: Position("id", 1)})
    ((judged, _),) = story.receipts
    assert (judged.status, judged.why) == (ReceiptStatus.UNCLEAR, "the ledger has no position in t[5]")


def test_a_receipt_that_was_published_twice_is_one() -> None:
    name, lines = seal([made("a", 0)])
    (story,) = asked(lines * 2, {0: Position("id", 1, -1, name)})
    assert statuses(story) == [ReceiptStatus.COMMITTED]


def test_what_is_no_receipt_is_passed_over() -> None:
    strange = [
        b"{torn",
        b'{"batch": "x", "batch_receipts": 2, "position": {"offset": 0}}',
        b'{"batch": "y", "batch_receipts": 2, "position": {"offset": 0}, "event": {"source": "/s", "id": "a"}}',
        b'{"batch": "z", "batch_receipts": 2, "position": {"offset": 0}, "event": 7}',
    ]
    assert asked(strange, {0: Position("id", 1)}) == []


def test_dead_letters_of_the_event_once_each() -> None:
    (story,) = asked(
        [], {0: Position("id", 9)}, dead_letters=[dead_letter(3, "a"), dead_letter(4, "b"), dead_letter(3, "a")]
    )
    assert [each.record.offset for each in story.dead_letters] == [3]
    assert story.outcome is EventStatus.DEAD_LETTERED


def test_events_of_two_sources_are_two_unless_one_is_named() -> None:
    name, lines = seal([made("a", 0)])
    positions = {0: Position("id", 1, -1, name)}
    dead_letters = [dead_letter(3, "a", "/other")]
    assert [story.source for story in asked(lines, positions, dead_letters=dead_letters)] == ["/s", "/other"]
    assert [story.source for story in asked(lines, positions, dead_letters=dead_letters, source="/other")] == ["/other"]


def test_the_ledger_is_asked_for_a_source_of_which_nothing_was_published() -> None:
    assert asked([], {}, source="/s") == []
    (story,) = asked([], {}, source="/s", credited=[Known(0, 4, PAYLOAD)])
    assert (story.outcome, story.judged) == (EventStatus.CREDITED, [])


def test_corrections_are_listed_with_the_event() -> None:
    name, lines = seal([made("a", 0)])
    correction = Correction(0, "case-1", "ada", None, 5, "mistaken", {"source": "/s", "id": "a"})
    newest, corrected = seal([correction.receipt("corrections/c", 0, "")])
    positions = {("t", 0): Position("id", 1, -1, name), ("corrections/c", 0): Position("c", 1, -1, newest)}
    published = [Published("r", line) for line in lines + corrected]
    judgement = judge_receipts(lambda _, event_id: event_id == "a", published, positions)
    (story,) = explain_event("a", None, judgement.judged, [], lambda _: [])
    ((judged, found),) = story.corrections
    assert (judged.status, found["correction"]) == (ReceiptStatus.COMMITTED, "case-1")
    assert [receipt["event"]["id"] for _, receipt in story.receipts] == ["a"]
