"""The time that a correction's line may tell."""

from dataclasses import replace
from pathlib import Path

import orjson
import pytest

from gmv.errors import CorrectionsRefused
from gmv.operations.correction_file import read_corrections
from gmv.valuation.correction import Correction

PLAIN = Correction(0, "c", "ada", "ben", 5, "why")


def test_a_line_without_a_time_is_what_it_was() -> None:
    assert PLAIN.payload == bytes.fromhex("fbfdf03a2d82f110")
    assert "time" not in PLAIN.receipt("t", 0, "")


def test_a_time_is_in_the_receipt_and_part_of_what_the_line_says() -> None:
    timed = replace(PLAIN, time="2026-10-31T14:30:00Z")
    assert timed.receipt("t", 0, "")["time"] == "2026-10-31T14:30:00Z"
    assert timed.payload != PLAIN.payload != replace(timed, time="2026-11-30T14:30:00Z").payload != timed.payload
    assert timed.identity == PLAIN.identity


@pytest.mark.parametrize("time", ["2026-10-31", "soon", "2026-10-31T14:30:00", ""])
def test_a_line_with_a_wrong_time_is_refused(tmp_path: Path, time: str) -> None:
    file = tmp_path / "c.jsonl"
    line = {"id": "c", "from_owner": "ada", "to_owner": "ben", "micros": 5, "reason": "why"}
    file.write_bytes(orjson.dumps({**line, "time": "2026-10-31T14:30:00Z"}) + b"\n")
    assert read_corrections(file).corrections[0].time == "2026-10-31T14:30:00Z"
    file.write_bytes(orjson.dumps({**line, "time": time}) + b"\n")
    with pytest.raises(CorrectionsRefused, match=r"c.jsonl:1: time .* is none"):
        read_corrections(file)
