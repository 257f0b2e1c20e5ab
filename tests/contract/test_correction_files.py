"""Files of corrections applied to both ledgers: once, whole, explained by receipts, wherever a run ends."""

from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import orjson
import pytest

from gmv.errors import CorrectionsRefused, LedgerMissing
from gmv.files.outbox import append_lines, open_whole
from gmv.files.receipts import receipts_in
from gmv.ledger.port import Batch, Committed, Sums
from gmv.ledger.verify import conservation
from gmv.operations.correcting import CorrectionPlan, apply_corrections, plan_corrections
from gmv.operations.correction_file import read_corrections
from gmv.operations.published import Published
from gmv.operations.verifying import VerifiedReceipts, verify_receipts
from gmv.valuation.attribution import value_contributors
from gmv.valuation.receipt import receipt, seal
from gmv.valuation.types import Candidate
from tests.contract.worlds import LedgerWorld, balances
from tests.ledger.batches import TOPIC, at, batch, entry
from tests.operations.test_correction_file import line


class Desk:
    """A ledger in which Ada has 3,000,000 and Ben 1,000,000, in the book of partition 0, and its corrections."""

    def __init__(self, place: LedgerWorld, folder: Path) -> None:
        self.place = place
        self.folder = folder
        self.receipts = folder / "receipts.jsonl"
        owners = ["ada", "ada", "ada", "ben"]
        made = [
            receipt(
                source="/s",
                event_id=f"e{offset}",
                topic=TOPIC,
                partition=0,
                offset=offset,
                previous_batch="",
                index_id="i",
                settings_digest="s",
                attribution=value_contributors([Candidate("x", owner, 1.0, 0.5)], 1.0, 1.0),
                traceparent=None,
            )
            for offset, owner in enumerate(owners)
        ]
        batch_id, self._events = seal(made)
        earned = {"ada": 3_000_000, "ben": 1_000_000}
        entries = [entry(number, number) for number in range(len(owners))]
        credited = batch(following=at(len(owners), batch_id), credits=earned, entries=entries)
        assert place.ledger().commit(credited) == Committed()

    def file(self, *lines: dict[str, Any], name: str = "june.jsonl") -> Path:
        path = self.folder / name
        path.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in lines))
        return path

    def plan(self, path: Path) -> CorrectionPlan:
        return plan_corrections(read_corrections(path), self.place.ledger(), self.place.accounts())

    def apply(self, plan: CorrectionPlan) -> None:
        with open_whole(self.receipts) as lines:
            ledger, registry = self.place.ledger(), self.place.registry()
            apply_corrections(
                plan, ledger, registry, lambda sealed: append_lines(lines, [each.value for each in sealed])
            )

    def correct(self, *lines: dict[str, Any], name: str = "june.jsonl") -> CorrectionPlan:
        plan = self.plan(self.file(*lines, name=name))
        self.apply(plan)
        return plan

    def explained(self) -> VerifiedReceipts:
        events = [Published(f"event:{number}", each) for number, each in enumerate(self._events)]
        written = list(receipts_in(self.receipts)) if self.receipts.exists() else []
        assert conservation(self.place.accounts()).complaints == ()
        return verify_receipts(self.place.accounts(), lambda: [*events, *written])


@pytest.fixture
def desk(made: LedgerWorld, tmp_path: Path) -> Desk:
    return Desk(made, tmp_path)


FIRST = line(id="c-1", micros=2_000_000)
SECOND = line(id="c-2", from_owner="ben", to_owner="cy", micros=2_500_000, event={"source": "/s", "id": "e3"})
THIRD = line(id="c-3", from_owner="cy", to_owner=..., micros=500_000)
AFTER = {"ada": 1_000_000, "ben": 500_000, "cy": 2_000_000}


def test_each_is_applied_once_and_explained(desk: Desk, books: int) -> None:
    """The second can be paid because of the first."""
    plan = desk.correct(FIRST, SECOND, THIRD)
    assert [each.id for each in plan.pending] == ["c-1", "c-2", "c-3"]
    assert balances(desk.place) == AFTER
    assert desk.place.accounts().sums() == Sums(3_500_000, 4, 0, 0, 3)
    assert desk.explained() == VerifiedReceipts(2, 4, 0, 3, 3_500_000, 3)
    again = desk.correct(FIRST, SECOND, THIRD)
    assert (again.pending, again.already_applied) == ([], 3)
    assert balances(desk.place) == AFTER
    assert len(desk.receipts.read_bytes().splitlines()) == 3


def test_a_file_that_grew_goes_on(desk: Desk) -> None:
    desk.correct(FIRST)
    assert [each.id for each in desk.correct(FIRST, SECOND).pending] == ["c-2"]
    assert [each.id for each in desk.correct(FIRST, SECOND, THIRD).pending] == ["c-3"]
    assert balances(desk.place) == AFTER
    assert desk.explained().batches == 4


def test_what_stands_in_two_files_is_applied_by_the_first(desk: Desk) -> None:
    desk.correct(FIRST)
    plan = desk.correct(FIRST, SECOND, FIRST | {"id": "c-4", "micros": 1}, name="july.jsonl")
    assert ([each.id for each in plan.pending], plan.already_applied) == (["c-2", "c-4"], 1)
    desk.correct(
        FIRST, SECOND, FIRST | {"id": "c-4", "micros": 1}, FIRST | {"id": "c-5", "micros": 1}, name="july.jsonl"
    )
    assert balances(desk.place)["ada"] == 999_998
    assert desk.explained().corrections == 4


def test_a_file_of_repeats_moves_on(desk: Desk) -> None:
    desk.correct(FIRST)
    desk.correct(FIRST, name="july.jsonl")
    positions = desk.place.accounts().positions()
    assert positions["corrections/july.jsonl", 0].next_offset == 1
    assert desk.explained().corrections == 1


@pytest.mark.parametrize(
    ("lines", "complaint"),
    [
        ([SECOND, FIRST], ":1 takes 2500000 micro-credits from 'ben', who has 1000000"),
        ([FIRST, line(id="c-2", micros=1_000_001)], ":2 takes 1000001 micro-credits from 'ada', who has 1000000"),
        ([FIRST, line(id="c-2", from_owner="nobody")], ":2 takes 5 micro-credits from 'nobody', who has 0"),
    ],
)
def test_a_file_that_takes_what_is_not_there_is_refused_whole(
    desk: Desk, lines: Sequence[dict[str, Any]], complaint: str
) -> None:
    before = desk.place.dump()
    with pytest.raises(CorrectionsRefused) as refused:
        desk.correct(*lines)
    assert complaint in str(refused.value)
    assert desk.place.dump() == before
    assert not desk.receipts.exists()


@pytest.mark.parametrize(
    ("edited", "complaint"),
    [
        ([FIRST | {"micros": 1}, SECOND], "began with another correction"),
        ([SECOND, FIRST], "began with another correction"),
        ([FIRST, SECOND | {"micros": 1}], ":2: 'c-2' was applied before, and said something else"),
        ([FIRST, SECOND | {"partition": 1}], ":2: 'c-2' was applied before, and said something else"),
        ([FIRST, SECOND | {"id": "c-9"}], ":2: the ledger is past this line, and has not applied 'c-9'"),
    ],
)
def test_what_was_applied_is_never_edited(desk: Desk, edited: Sequence[dict[str, Any]], complaint: str) -> None:
    desk.correct(FIRST, SECOND)
    before = desk.place.dump()
    with pytest.raises(CorrectionsRefused) as refused:
        desk.correct(*edited)
    assert complaint in str(refused.value)
    assert desk.place.dump() == before


def test_an_id_stands_for_one_correction_in_every_file_and_book(desk: Desk) -> None:
    desk.correct(FIRST)
    for other in (FIRST | {"micros": 1}, FIRST | {"partition": 1}):
        with pytest.raises(CorrectionsRefused, match="said something else"):
            desk.correct(other, name="july.jsonl")


class Killed(BaseException):
    """The process ends here."""


@contextmanager
def killed_at_commit(number: int, *, after: bool):
    """End the process before or after the ledger applied a commit."""
    from gmv.ledger.redis.ledger import RedisLedger
    from gmv.ledger.sqlite.ledger import SqliteLedger

    commits = 0

    def patched(kind: type) -> Any:
        commit = kind.commit  # type: ignore[attr-defined]

        def dying(self: Any, sent: Batch) -> Any:
            nonlocal commits
            commits += 1
            if commits == number and not after:
                raise Killed
            answer = commit(self, sent)
            if commits == number:
                raise Killed
            return answer

        return patch.object(kind, "commit", dying)

    with patched(RedisLedger), patched(SqliteLedger):
        yield


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after it"])
@pytest.mark.parametrize("number", [1, 2])
def test_a_run_that_ended_anywhere_is_repeated(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, number: int, after: bool
) -> None:
    """With commits of two corrections at most, so that the file takes two."""
    monkeypatch.setattr("gmv.operations.correcting.FIELDS_MAX", 11)
    path = desk.file(FIRST, SECOND, THIRD)
    with killed_at_commit(number, after=after), pytest.raises(Killed):
        desk.apply(desk.plan(path))
    desk.apply(desk.plan(path))
    assert balances(desk.place) == AFTER
    assert desk.explained() == VerifiedReceipts(3, 4, 0, 3, 3_500_000, 3)


def test_two_who_correct_at_once_do_it_once(desk: Desk) -> None:
    path = desk.file(FIRST, SECOND)
    plans = [desk.plan(path), desk.plan(path)]
    desk.apply(plans[0])
    desk.apply(plans[1])  # to the ledger it is the first, whose reply was lost
    assert balances(desk.place)["ada"] == 1_000_000
    slower = desk.plan(desk.file(FIRST, SECOND, THIRD))
    desk.correct(FIRST, SECOND, THIRD, line(id="c-4", micros=1))
    with pytest.raises(CorrectionsRefused, match="at the same time"):
        desk.apply(slower)
    assert balances(desk.place) == AFTER | {"ada": 999_999, "ben": 500_001}
    assert desk.explained().corrections == 4


def test_what_was_spent_by_another_file_meanwhile_is_not_spent_again(desk: Desk) -> None:
    late = desk.plan(desk.file(line(id="c-9", micros=3_000_000), name="july.jsonl"))
    desk.correct(FIRST)
    before = balances(desk.place)
    with pytest.raises(CorrectionsRefused, match=r"'o:ada' would leave"):
        desk.apply(late)
    assert balances(desk.place) == before
    assert desk.explained().orphans == 1, "its receipt was published, and is distinguished from those that count"


def test_a_book_pays_for_what_was_credited_in_it(desk: Desk, books: int) -> None:
    taken = line(id="c-1", micros=1, partition=1)
    if books == 1:
        desk.correct(taken)
        assert balances(desk.place)["ada"] == 2_999_999
        return
    with pytest.raises(CorrectionsRefused, match="who has 0 in book 1, that of partition 1, and 3000000 in the others"):
        desk.correct(taken)
    credited = batch(credits={"ada": 7}, partition=1, entries=[entry(50)])
    assert desk.place.ledger().commit(credited) == Committed()
    desk.correct(taken, line(id="c-2", micros=3_000_000), line(id="c-3", micros=6, partition=4, to_owner=...))
    assert balances(desk.place) == {"ada": 0, "ben": 4_000_001}
    assert conservation(desk.place.accounts()).complaints == ()
    positions = desk.place.accounts().positions()
    assert {number: position.next_offset for (topic, number), position in positions.items() if topic != TOPIC} == {
        0: 2,
        1: 3,
    }


def test_without_a_ledger_nothing_is_corrected(place: LedgerWorld, tmp_path: Path) -> None:
    path = tmp_path / "june.jsonl"
    path.write_bytes(orjson.dumps(FIRST))
    with pytest.raises(LedgerMissing):
        plan_corrections(read_corrections(path), place.ledger(), place.accounts())
