"""The comparison of two commits: what it sees, and that both are given the same events."""

import base64
import json

import pytest

from tools.compare_commits import differences
from tools.mixed_events import Made, as_lines, mixed_events

LINES = [
    json.dumps(
        {
            "id": f"r{number}",
            "source": "/s",
            "data": {"image": {"bytes": base64.b64encode(bytes([number]) * 600).decode()}},
        }
    ).encode()
    for number in range(3)
]
BEFORE = {"receipts": b"abc", "index": b"\x00\x01"}


@pytest.mark.parametrize(
    ("after", "found"),
    [
        (BEFORE, {}),
        (BEFORE | {"receipts": b"abd"}, {"receipts": "differs at 2: b'abc', b'abd'"}),
        (BEFORE | {"receipts": b"ab"}, {"receipts": "differs at 2: b'abc', b'ab'"}),
        (BEFORE | {"more": b""}, {"more": "added"}),
        ({"index": b"\x00\x01"}, {"receipts": "missing"}),
    ],
)
def test_one_byte_is_seen(after: dict[str, bytes], found: dict[str, str]) -> None:
    assert differences(BEFORE, after) == found


def test_a_seed_makes_the_same_events_of_every_kind() -> None:
    made = list(mixed_events([b"{torn", *LINES], 2_000, 6, seed=1))
    assert made == list(mixed_events([b"{torn", *LINES], 2_000, 6, seed=1))
    assert made != list(mixed_events([b"{torn", *LINES], 2_000, 6, seed=2))
    assert {record.partition for record in made} == set(range(6))
    values = [record.value for record in made if not record.headers]
    assert b"{no json" in values
    assert len(values) > len(set(values)), "something is sent again"
    assert 0 < sum(bool(record.headers) for record in made) < len(made)


def test_a_file_holds_whole_events_alone() -> None:
    records = [Made(0, b"{}"), Made(1, b'{"a":1}', (("ce_id", b"1"),)), Made(2, b"a\nb")]
    assert as_lines(records) == b"{}\n"
