"""Receipts against the ledger: what agrees, and the first thing that does not."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import ConservationBroken
from gmv.files.receipts import receipts_in
from gmv.ledger.beginning import Beginning
from gmv.ledger.port import Balance, Snapshot, Sums
from gmv.ledger.position import Position
from gmv.operations.published import Published
from gmv.operations.verifying import VerifiedReceipts, committed_receipts, verify_receipts
from gmv.valuation.attribution import value_contributors
from gmv.valuation.receipt import Receipt, receipt, seal
from gmv.valuation.types import Candidate


def made(offset: int, previous: str, owner: str = "ada") -> Receipt:
    return receipt(
        source="/s",
        event_id=f"e{offset}",
        topic="t",
        partition=0,
        offset=offset,
        previous_batch=previous,
        index_id="i",
        settings_digest="s",
        attribution=value_contributors([Candidate("x", owner, 1.0, 0.5)], 1.0, 1.0),
        traceparent=None,
    )


def batch(offsets: range, previous: str, owner: str = "ada") -> tuple[str, list[bytes]]:
    return seal([made(offset, previous, owner) for offset in offsets])


@dataclass
class Books:
    newest: str
    earned: dict[str, int]

    def positions(self) -> dict[tuple[str, int], Position]:
        return {("t", 0): Position("id", 9, -1, self.newest), ("t", 1): Position("id", 0)}

    def balances(self) -> Iterator[Balance]:
        return (Balance(owner, micros) for owner, micros in self.earned.items())

    def books(self) -> int:
        return 1

    def totals(self, owner_ids: Sequence[str], book: int | None = None) -> dict[str, int]:
        return {owner: self.earned[owner] for owner in owner_ids if owner in self.earned}

    def sums(self) -> Sums:
        return Sums(sum(self.earned.values()), 0, 0, 0)

    def beginning(self, topic: str, partitions: Collection[int]) -> Beginning:
        return Beginning(None, {})

    def snapshots(self, *, balances: bool = False) -> Iterator[Snapshot]:
        sums = self.sums()
        yield Snapshot(0, len(self.earned), sums.micros, 0, sums, self.positions())

    def close(self) -> None: ...


def published(*lines: bytes) -> Callable[[], Iterator[Published]]:
    """A source of receipts, whose first line is r:1."""
    return lambda: (Published(f"r:{number}", line) for number, line in enumerate(lines, start=1))


first, first_lines = batch(range(3), "")
second, second_lines = batch(range(3, 5), first, owner="bob")
orphan, orphan_lines = batch(range(3, 7), first, owner="eve")
AGREED = {"ada": 3_000_000, "bob": 2_000_000}


def test_committed_batches_explain_every_total_and_orphans_do_not_count() -> None:
    receipts = published(*first_lines, *orphan_lines, *second_lines, *second_lines)
    assert verify_receipts(Books(second, AGREED), receipts) == VerifiedReceipts(2, 5, 1, 2, 5_000_000)


def test_a_batch_torn_by_a_crash_and_published_again_counts_once() -> None:
    receipts = published(*first_lines[:2], *first_lines, *second_lines)
    assert verify_receipts(Books(second, AGREED), receipts).micros == 5_000_000


@pytest.mark.parametrize("place", range(3))
def test_an_altered_copy_before_the_batch_itself_loses_nothing(place: int) -> None:
    """As with a file that was edited and its backup, which a complaint about the first asks for."""
    edited = [altered(line) if at == place else line for at, line in enumerate(first_lines)]
    receipts = published(*edited, *first_lines, *second_lines)
    assert verify_receipts(Books(second, AGREED), receipts).micros == 5_000_000
    found = committed_receipts(Books(second, AGREED), receipts)
    assert [receipt["position"]["offset"] for receipt in found] == [0, 1, 2, 3, 4]


def test_committed_receipts_come_once_each_and_orphans_not_at_all() -> None:
    receipts = published(*first_lines[:2], *orphan_lines, *first_lines, *second_lines, *second_lines)
    receipts_found = committed_receipts(Books(second, AGREED), receipts)
    assert [receipt["position"]["offset"] for receipt in receipts_found] == [0, 1, 2, 3, 4]
    with pytest.raises(ConservationBroken, match=first):
        list(committed_receipts(Books(second, AGREED), published(*second_lines)))


@given(st.permutations(first_lines + orphan_lines + second_lines + first_lines[1:]))
def test_receipts_may_come_in_any_order(lines: list[bytes]) -> None:
    assert verify_receipts(Books(second, AGREED), published(*lines)).micros == 5_000_000


@pytest.mark.parametrize("owner", ["ada", "bob"])
@pytest.mark.parametrize("change", [-1, 1])
def test_one_micro_credit_is_noticed_and_its_owner_named(owner: str, change: int) -> None:
    totals = AGREED | {owner: AGREED[owner] + change}
    with pytest.raises(ConservationBroken, match=owner):
        verify_receipts(Books(second, totals), published(*first_lines, *second_lines))


def test_an_owner_without_receipts_and_receipts_without_an_owner_are_noticed() -> None:
    with pytest.raises(ConservationBroken, match="eve"):
        verify_receipts(Books(second, AGREED | {"eve": 1}), published(*first_lines, *second_lines))
    with pytest.raises(ConservationBroken, match=r"bob.*none in the ledger"):
        verify_receipts(Books(second, {"ada": 3_000_000}), published(*first_lines, *second_lines))


def altered(line: bytes) -> bytes:
    receipt = orjson.loads(line)
    receipt["contributors"][0]["owner_id"] = "eve"
    return orjson.dumps(receipt)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (second_lines, "its receipts are missing"),
        (
            [*second_lines, first_lines[0], altered(first_lines[1]), first_lines[2]],
            "its receipts are altered (3, from r:3 to r:5)",
        ),
        ([first_lines[2], *second_lines, first_lines[0]], "its receipts are not all there (2 of 3, from r:1 to r:4)"),
        ([*second_lines, first_lines[1]], "its receipts are not all there (1 of 3, r:3)"),
    ],
    ids=["missing", "altered", "incomplete", "one of three"],
)
def test_a_batch_that_lacks_its_receipts_is_reported_with_its_log_and_where_they_are(
    lines: list[bytes], says: str
) -> None:
    with pytest.raises(ConservationBroken, match=re.escape(f"batch {first} of t[0] is in the ledger, but {says}")):
        verify_receipts(Books(second, AGREED), published(*lines))


def test_an_altered_receipt_is_found_by_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "events.receipts.jsonl"
    path.write_bytes(b"\n".join([b"torn", *first_lines, altered(second_lines[0]), second_lines[1]]) + b"\n")
    with pytest.raises(ConservationBroken, match=re.escape(f"its receipts are altered (2, from {path}:5 to {path}:6)")):
        verify_receipts(Books(second, AGREED), lambda: receipts_in(path))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"{",
        b"7",
        b"[]",
        b"null",
        b"{}",
        b'{"batch":"b","batch_receipts":1,"position":7}',
        b'{"batch":[],"batch_receipts":1,"position":{"offset":7}}',
        b'{"batch":"b","batch_receipts":"1","position":{"offset":7}}',
        b'{"batch":"b","batch_receipts":1,"position":{"offset":[]}}',
    ],
)
def test_a_line_that_is_no_receipt_is_passed_over(line: bytes) -> None:
    assert (
        verify_receipts(Books(second, AGREED), published(line, *first_lines, line, *second_lines, line)).receipts == 5
    )


def test_an_empty_ledger_needs_no_receipts() -> None:
    assert verify_receipts(Books("", {}), published(*orphan_lines)) == VerifiedReceipts(0, 0, 1, 0, 0)


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([first_lines[0], first_lines[1][:90], first_lines[2], *second_lines], "r:2 is no whole receipt"),
        ([b"{", b"\x00", *second_lines], "r:1, r:2 are no whole receipts"),
        ([*second_lines, *[b"{"] * 1_005], "r:3, r:4, r:5 are no whole receipts, nor are 1,002 more"),
    ],
)
def test_lines_that_are_no_receipts_are_named_where_a_batch_lacks_its_own(lines: list[bytes], says: str) -> None:
    with pytest.raises(ConservationBroken, match=f"{re.escape(says)}$"):
        verify_receipts(Books(second, AGREED), published(*lines))
