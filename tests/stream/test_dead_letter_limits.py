"""When too many records are poison to go on: how many in a row, and which share of the last thousand."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import groupby

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.errors import Poison, Reason, TooManyDeadLetters
from gmv.stream.core import Core
from gmv.stream.dead_letter_limits import RATIO_WINDOW_RECORDS as WINDOW
from gmv.stream.dead_letter_limits import DeadLetterLimits
from gmv.stream.records import Record, Run

from .world import PARTITION, MemoryLedger, MemoryLog, MemoryOutbox, Notes, event_record, parts, poison_record

POISON = Poison(Reason.IMAGE_CORRUPT, "not a picture")
NO_LIMIT = 10**6


def refused_at(limits: DeadLetterLimits, poisoned: Sequence[bool], run: int = 1) -> int | None:
    """Return the number of the run that is refused."""
    outcomes = [POISON if each else None for each in poisoned]
    for number, first in enumerate(range(0, len(outcomes), run)):
        try:
            limits.admit("images[0]", outcomes[first : first + run])
        except TooManyDeadLetters:
            return number
    return None


def expected_refusal(poisoned: Sequence[bool], in_a_row_max: int, ratio_max: float) -> int | None:
    """The same of records one by one, by counting again at each."""
    for number in range(len(poisoned)):
        seen = poisoned[: number + 1]
        in_a_row = [len(list(group)) for is_poison, group in groupby(seen) if is_poison] if seen[-1] else [0]
        whole_window = len(seen) >= WINDOW
        if in_a_row[-1] > in_a_row_max or (whole_window and sum(seen[-WINDOW:]) > ratio_max * WINDOW):
            return number
    return None


def in_places(count: int, places: set[int]) -> list[bool]:
    return [place in places for place in range(count)]


def test_a_share_at_the_limit_is_admitted_and_one_record_above_it_is_not() -> None:
    half = [place % 2 == 0 for place in range(4 * WINDOW)]
    assert refused_at(DeadLetterLimits(NO_LIMIT, 0.5), half) is None
    assert refused_at(DeadLetterLimits(NO_LIMIT, 0.499), half) == WINDOW - 1
    one_more = [*half, True, True]
    assert refused_at(DeadLetterLimits(NO_LIMIT, 0.5), one_more) == len(one_more) - 1


def test_a_share_of_fewer_records_than_a_window_says_nothing() -> None:
    assert refused_at(DeadLetterLimits(NO_LIMIT, 0.5), [True] * (WINDOW - 1)) is None
    assert refused_at(DeadLetterLimits(NO_LIMIT, 0.5), [True] * WINDOW) == WINDOW - 1


def test_records_of_long_ago_count_no_more() -> None:
    burst = [True] * 100 + [False] * 900
    assert refused_at(DeadLetterLimits(NO_LIMIT, 0.1), burst + [False] * 100 + [True] * 100) is None
    assert refused_at(DeadLetterLimits(NO_LIMIT, 0.1), [*burst[1:], False, *[True] * 101]) == WINDOW + 100


@given(st.sets(st.integers(0, 1_199), max_size=30), st.integers(0, 4), st.sampled_from([0.0, 0.005, 0.01, 1.0]))
def test_the_record_that_passes_a_limit_is_found_by_counting(places: set[int], in_a_row: int, ratio: float) -> None:
    poisoned = in_places(1_200, places)
    assert refused_at(DeadLetterLimits(in_a_row, ratio), poisoned) == expected_refusal(poisoned, in_a_row, ratio)


@given(st.sets(st.integers(0, 1_199), min_size=1, max_size=30), st.integers(1, 400))
def test_the_same_record_stops_it_however_a_log_is_cut_into_runs(places: set[int], run: int) -> None:
    poisoned = in_places(1_200, places)
    alone = refused_at(DeadLetterLimits(NO_LIMIT, 0.01), poisoned)
    assert refused_at(DeadLetterLimits(NO_LIMIT, 0.01), poisoned, run) == (None if alone is None else alone // run)


def test_the_sentence_names_the_share_the_last_reason_and_the_setting() -> None:
    sentence = r"images\[0\]: 60% of the last 1000 records are poison, the last for image_corrupt: not a picture; "
    with pytest.raises(TooManyDeadLetters, match=sentence + r".*worker\.dead_letters_ratio_max is the limit"):
        DeadLetterLimits(NO_LIMIT, 0.5).admit("images[0]", [POISON, POISON, POISON, None, None] * (WINDOW // 5))


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


async def test_a_share_above_the_limit_stops_a_worker_before_the_run_is_published(executor: ThreadPoolExecutor) -> None:
    """One record in four is poison, a tenth is allowed: the run with the thousandth record is not committed."""
    records = [poison_record(place) if place % 4 == 0 else event_record(place, f"e{place}") for place in range(1_200)]
    ledger, outbox = MemoryLedger(), MemoryOutbox()
    core = core_of(executor, ledger, outbox, ratio_max=0.1)
    await core.assign([PARTITION], MemoryLog(records))
    with pytest.raises(TooManyDeadLetters, match=r"25% of the last 1000 records are poison"):
        await credit_in_runs(core, records, 300)
    assert ledger.state[0].next_offset == 900
    assert [dead_letter.record.offset for dead_letter in outbox.dead_letters] == list(range(0, 900, 4))
    assert sum(ledger.totals.values()) == 675 * 1_000_000

    repaired = core_of(executor, ledger, outbox, ratio_max=0.25)
    await repaired.assign([PARTITION], MemoryLog(records))
    await credit_in_runs(repaired, records[900:], 300)
    assert ledger.state[0].next_offset == 1_200
    assert [dead_letter.record.offset for dead_letter in outbox.dead_letters] == list(range(0, 1_200, 4))
    assert sum(ledger.totals.values()) == 900 * 1_000_000


def core_of(executor: ThreadPoolExecutor, ledger: MemoryLedger, outbox: MemoryOutbox, ratio_max: float) -> Core:
    limited = replace(parts(ledger, outbox, Notes()), limits=lambda: DeadLetterLimits(NO_LIMIT, ratio_max))
    return Core(limited, executor)


async def credit_in_runs(core: Core, records: Sequence[Record], run: int) -> None:
    for first in range(0, len(records), run):
        await core.credit(Run(PARTITION, tuple(records[first : first + run])))
