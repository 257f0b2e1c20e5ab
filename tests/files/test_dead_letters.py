"""Dead letters of a file: what was written is read back, and what is none is reported."""

import base64
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import EventsRefused, Poison, Reason
from gmv.files.dead_letters import dead_letter_line, dead_letters_in_file
from gmv.stream.dead_letters import FoundDeadLetter
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Partition, Record
from tests.operations.dead_letters import PARTITIONS, RECORDS


@given(st.lists(st.tuples(PARTITIONS, RECORDS, st.sampled_from(Reason), st.text(max_size=20)), max_size=4))
def test_dead_letters_are_read_back_as_they_were(
    tmp_path_factory: pytest.TempPathFactory, written: list[tuple[Partition, Record, Reason, str]]
) -> None:
    path = tmp_path_factory.mktemp("dead_letters") / "dead.jsonl"
    lines = [
        dead_letter_line(partition, DeadLetter(record, Poison(why, detail)))
        for partition, record, why, detail in written
    ]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    assert list(dead_letters_in_file(path)) == [FoundDeadLetter(*each) for each in written]


GOOD = dead_letter_line(Partition("events.jsonl", 0), DeadLetter(Record(0, b"x"), Poison(Reason.INVALID_EVENT, "why")))


def test_a_torn_last_line_is_no_dead_letter(tmp_path: Path) -> None:
    path = tmp_path / "dead.jsonl"
    path.write_bytes(GOOD + b"\n" + GOOD[:30])
    assert len(list(dead_letters_in_file(path))) == 1


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"7",
        b"{}",
        b'{"event":{}}',
        GOOD.replace(b'"eA=="', b'"?"'),
        GOOD.replace(b'"eA=="', b"7"),
        GOOD.replace(b'"offset":0', b'"offset":"x"'),
        GOOD.replace(b'"headers":[]', b'"headers":[["h"]]'),
    ],
)
def test_a_line_that_is_none_is_reported_by_its_number(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "dead.jsonl"
    path.write_bytes(GOOD + b"\n" + line + b"\n")
    with pytest.raises(EventsRefused, match=r"dead\.jsonl:2 is no dead letter"):
        list(dead_letters_in_file(path))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EventsRefused, match="No such file"):
        list(dead_letters_in_file(tmp_path / "nothing"))


def test_the_shape_that_readers_rely_on() -> None:
    assert orjson.loads(GOOD) == {
        "topic": "events.jsonl",
        "partition": 0,
        "offset": 0,
        "reason": "invalid_event",
        "detail": "why",
        "key": None,
        "value": base64.b64encode(b"x").decode(),
        "headers": [],
    }
