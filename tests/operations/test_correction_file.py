"""Files of corrections: what is read, and what is refused by its line."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from gmv.errors import CorrectionsRefused
from gmv.ledger.port import MICROS_MAX
from gmv.operations.correction_file import CorrectionFile, read_corrections


def line(**changes: Any) -> dict[str, Any]:
    said = {"id": "c-1", "from_owner": "ada", "to_owner": "ben", "micros": 5, "reason": "mistaken ownership", **changes}
    return {name: value for name, value in said.items() if value is not ...}


def read(path: Path, *lines: dict[str, Any] | str) -> CorrectionFile:
    path.write_bytes(b"\n".join(each.encode() if isinstance(each, str) else orjson.dumps(each) for each in lines))
    return read_corrections(path)


def test_all_that_is_said_is_read(tmp_path: Path) -> None:
    file = read(
        tmp_path / "june.jsonl",
        "",
        line(event={"source": "/s", "id": "e1"}, partition=3),
        "   ",
        line(id="c-2", to_owner=...),
    )
    first, second = file.corrections
    assert file.topic == "corrections/june.jsonl"
    assert (first.offset, first.id, first.from_owner, first.to_owner, first.micros) == (1, "c-1", "ada", "ben", 5)
    assert (first.reason, first.event, first.partition) == ("mistaken ownership", {"source": "/s", "id": "e1"}, 3)
    assert (second.offset, second.to_owner, second.event, second.partition) == (3, None, None, 0)


def test_a_file_that_grew_is_the_same_log_and_one_that_begins_otherwise_is_not(tmp_path: Path) -> None:
    path = tmp_path / "june.jsonl"
    before = read(path, line())
    assert read(path, line(), line(id="c-2")).topic_id == before.topic_id
    assert read(path, line(reason="another"), line(id="c-2")).topic_id != before.topic_id


@pytest.mark.parametrize(
    ("bad", "complaint"),
    [
        ("{", ":2 is not JSON"),
        ("[]", ":2: the line: "),
        (line(id=...), ":2: id: Field required"),
        (line(id=""), ":2: id: "),
        (line(micros=0), ":2: micros: "),
        (line(micros=-1), ":2: micros: "),
        (line(micros=MICROS_MAX + 1), ":2: micros: "),
        (line(micros=1.5), ":2: micros: "),
        (line(micros="5"), ":2: micros: "),
        (line(micros=True), ":2: micros: "),
        (line(reason=...), ":2: reason: Field required"),
        (line(from_owner=...), ":2: from_owner: "),
        (line(to_owner=""), ":2: to_owner: "),
        (line(to="ben"), ":2: to: Extra inputs are not permitted"),
        (line(partition=-1), ":2: partition: "),
        (line(event={"id": "e"}), ":2: event.source: Field required"),
        (line(id="c-2", to_owner="ada"), ":2 takes from 'ada' and gives to the same"),
        (line(id="c-0"), ":2 has the id of line 1"),
    ],
)
def test_what_is_wrong_is_reported_by_its_line(tmp_path: Path, bad: dict[str, Any] | str, complaint: str) -> None:
    with pytest.raises(CorrectionsRefused) as refused:
        read(tmp_path / "june.jsonl", line(id="c-0"), bad)
    assert f"{tmp_path / 'june.jsonl'}{complaint}" in str(refused.value)


def test_no_file_and_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(CorrectionsRefused, match="No such file"):
        read_corrections(tmp_path / "nothing")
    with pytest.raises(CorrectionsRefused, match="is empty"):
        read(tmp_path / "june.jsonl", "", " ")
