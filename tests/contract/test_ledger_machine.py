"""Any sequence of commits, readings and restarts: a ledger and the model give the same answers."""

import itertools
from pathlib import Path
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from gmv.ledger.port import MICROS_MAX, Batch, Entry, Sums
from gmv.ledger.position import Position
from tests.contract.model import SUMS, Model
from tests.contract.worlds import WITH_JANITOR, LedgerWorld, balances, world_of
from tests.ledger.batches import START, TOPIC, identity

PARTITIONS = 4

owner_ids = st.sampled_from(["alice", "bob", "#p:generated-images:0", "#s:micros", "", "o:alice", "\x00"])
micros = st.integers(0, 5) | st.sampled_from([MICROS_MAX // 2, MICROS_MAX, MICROS_MAX + 1])
entries = st.lists(st.integers(0, 12), max_size=3, unique=True)
shifts = st.sampled_from([0, 0, 0, 0, 0, 0, 0, -7, -1, 1, 7])


class LedgerMachine(RuleBasedStateMachine):
    def new_place(self) -> LedgerWorld:
        raise NotImplementedError

    @initialize(books=st.sampled_from([1, 3]), registered=st.sets(st.integers(0, PARTITIONS - 1), min_size=2))
    def create(self, books: int, registered: set[int]) -> None:
        self.place = self.new_place()
        self.model = Model(books)
        self.place.registry().create(books)
        self.register(registered)
        self.ledger = self.place.ledger()
        self.accounts = self.place.accounts()
        self.sent: list[Batch] = []

    @rule(partitions=st.sets(st.integers(0, PARTITIONS - 1)))
    def register(self, partitions: set[int]) -> None:
        new = self.place.registry().register(TOPIC, dict.fromkeys(partitions, START))
        assert set(new) == partitions - self.model.positions.keys()
        self.model.positions |= dict.fromkeys(new, START)

    @rule(
        partition=st.integers(0, PARTITIONS - 1),
        shift=shifts,
        length=st.integers(1, 3),
        batch_ids=st.tuples(st.sampled_from(["", "a"]), st.sampled_from(["a", "b"])) | st.none(),
        earned=st.dictionaries(owner_ids, micros, max_size=4),
        numbers=entries,
        dead_letters=st.integers(0, 2),
        duplicates=st.integers(0, 2),
        repeated=st.dictionaries(st.integers(0, 12), st.integers(0, 12), max_size=1),
    )
    def commit(
        self,
        partition: int,
        shift: int,
        length: int,
        batch_ids: tuple[str, str] | None,
        earned: dict[str, int],
        numbers: list[int],
        dead_letters: int,
        duplicates: int,
        repeated: dict[int, int],
    ) -> None:
        held = self.model.positions.get(partition, START)
        before, after = batch_ids or (held.batch_id, "a")
        offset = max(0, held.next_offset + shift)
        self.send(
            Batch(
                topic=TOPIC,
                partition=partition,
                expected=Position(held.topic_id, offset, -1, before),
                next=Position(held.topic_id, offset + length, -1, after),
                credits=earned,
                entries=[Entry(identity(number), offset, number.to_bytes(8, "big")) for number in numbers],
                dead_letters=dead_letters,
                duplicates=duplicates,
                repeats={
                    identity(number): (number if payload < 8 else payload).to_bytes(8, "big")
                    for number, payload in repeated.items()
                    if number not in numbers
                },
            )
        )

    @rule(choice=st.randoms(use_true_random=False))
    def send_again(self, choice: Random) -> None:
        if self.sent:
            self.send(choice.choice(self.sent))

    def send(self, batch: Batch) -> None:
        self.sent.append(batch)
        assert self.ledger.commit(batch) == self.model.commit(batch)

    @rule(partition=st.integers(0, PARTITIONS - 1), numbers=st.lists(st.integers(0, 12)))
    def known(self, partition: int, numbers: list[int]) -> None:
        events = self.model.known(partition % len(self.model.events))
        asked = [identity(number) for number in numbers]
        assert self.ledger.known(partition, asked) == {key: events[key] for key in asked if key in events}

    @rule()
    def open_again(self) -> None:
        self.ledger.close()
        self.ledger = self.place.ledger()

    @rule(offsets=st.integers(1, 12))
    def state_window(self, offsets: int) -> None:
        if self.place.has_janitor and self.model.window is not None and offsets > self.model.window:
            self.sweep(1)  # what expired and is not removed yet would count again
            self.model.let_go()
        self.place.registry().state_window(offsets)
        self.model.window = offsets

    @rule(sweeps=st.integers(1, 2))
    def sweep(self, sweeps: int) -> None:
        """No answer may depend on it; the janitor of the rule before is taken for dead."""
        if self.place.has_janitor:
            janitor = self.place.janitor()
            assert (janitor.books, janitor.window()) == (len(self.model.events), self.model.window)
            for _ in range(sweeps):
                for book in range(janitor.books):
                    janitor.sweep(book)
            kept = [book.events for book in self.accounts.snapshots()]
            assert kept == [len(self.model.known(book)) for book in range(janitor.books)]

    @invariant()
    def same_as_the_model(self) -> None:
        sums = [sum(book[name] for book in self.model.sums) for name in SUMS]
        assert balances(self.place) == self.model.balances()
        assert self.accounts.sums() == Sums(*sums)
        assert self.accounts.positions() == {(TOPIC, number): held for number, held in self.model.positions.items()}
        assert self.accounts.totals(list(self.model.balances())) == self.model.balances()
        assert [book.micros for book in self.accounts.snapshots()] == [book["micros"] for book in self.model.sums]

    def teardown(self) -> None:
        if hasattr(self, "place"):
            self.place.close()


@pytest.mark.parametrize("kind", [*WITH_JANITOR, "simulated"])
def test_any_sequence_has_the_models_answers(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    numbers = itertools.count()

    class Machine(LedgerMachine):
        def new_place(self) -> LedgerWorld:
            return world_of(kind, request, tmp_path / f"{next(numbers)}.db")

    examples = {"redis": 20, "cluster": 10}.get(kind, 50)  # servers take seconds for what the others do in one
    run_state_machine_as_test(Machine, settings=settings(max_examples=examples, stateful_step_count=25))
