"""What a dead letter says of itself, and which of many are the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.stream.dead_letters import REPLAYED_FROM, EventName, FoundDeadLetter, Wanted, each_once
from gmv.stream.records import Partition, Record
from tests.events.samples import envelope, line
from tests.operations.dead_letters import RECORDS, dead_letter


def named(value: bytes | None, *headers: tuple[str, bytes | None]) -> EventName:
    return FoundDeadLetter(Partition("t", 0), Record(0, value, None, headers), "r", "d").event_name()


@pytest.mark.parametrize(
    ("value", "headers", "name"),
    [
        (line(), (), ("/generator", "event-1")),
        (line(data=...), (), ("/generator", "event-1")),
        (line(more=None).replace(b"null", b"NaN"), (), ("/generator", "event-1")),
        (b"{}", (("ce_id", b"a"), ("ce_source", b"/s")), ("/s", "a")),
        (b'{"id": "not mine"}', (("ce_id", b"\xff"), ("ce_source", None)), (None, "\ufffd")),
        (b'{"id": 7, "source": "/s"}', (), ("/s", None)),
        (b"{broken", (), (None, None)),
        (b"[]", (), (None, None)),
        (None, (), (None, None)),
    ],
)
def test_a_record_is_named_as_far_as_it_says(
    value: bytes | None, headers: tuple[tuple[str, bytes | None], ...], name: tuple[str | None, str | None]
) -> None:
    assert named(value, *headers) == EventName(*name)


def test_an_event_is_found_or_none() -> None:
    found = dead_letter(name="a").event()
    assert found is not None
    assert (found.source, found.event_id) == (envelope()["source"], "a")
    assert dead_letter(value=b"{broken").event() is None
    assert dead_letter(value=None).event() is None


@given(RECORDS, RECORDS)
def test_contents_are_equal_where_records_are(one: Record, other: Record) -> None:
    contents = [FoundDeadLetter(Partition("t", 0), each, "r", "d").content for each in (one, other)]
    same = (one.key, one.value, one.headers) == (other.key, other.value, other.headers)
    assert (contents[0] == contents[1]) is same


@given(RECORDS, st.lists(st.text(max_size=5), max_size=3))
def test_being_sent_again_is_no_part_of_the_content(record: Record, places: list[str]) -> None:
    sent = Record(7, record.value, record.key, (*record.headers, *((REPLAYED_FROM, p.encode()) for p in places)))
    one, other = (FoundDeadLetter(Partition("t", 0), each, "r", "d") for each in (record, sent))
    assert one.content == other.content
    assert other.replayed_from == places


def test_a_crash_repeats_dead_letters_and_a_recreated_topic_does_not() -> None:
    dead_letters = [
        dead_letter(3),
        dead_letter(4),
        dead_letter(3),
        dead_letter(3, name="of the topic before"),
        dead_letter(3, partition=1),
    ]
    assert list(each_once(dead_letters)) == [dead_letters[0], dead_letters[1], dead_letters[3], dead_letters[4]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Wanted(), [0, 1, 2]),
        (Wanted(frozenset({"image_corrupt"})), [1]),
        (Wanted(frozenset({"image_corrupt", "image_unreachable"})), [0, 1]),
        (Wanted(event_id="b"), [1, 2]),
        (Wanted(frozenset({"id_conflict"}), event_id="a"), []),
        (Wanted(place="1/7"), [2]),
        (Wanted(place="images/0/7"), [1]),
        (Wanted(place="7"), [1, 2]),
    ],
)
def test_dead_letters_are_found_by_what_is_said_of_them(wanted: Wanted, found: list[int]) -> None:
    dead_letters = [
        dead_letter(17, "a"),
        dead_letter(7, "b", "image_corrupt"),
        dead_letter(7, "b", "id_conflict", partition=1),
    ]
    assert [place for place, each in enumerate(dead_letters) if wanted.includes(each)] == found
