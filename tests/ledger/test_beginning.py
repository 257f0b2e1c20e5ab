"""Where crediting of a partition begins, as a pure rule."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.ledger.beginning import Begin, FirstPartitions

OFFSETS = st.integers(0, 2**62)
BEGINS = st.builds(Begin, OFFSETS, OFFSETS)
FIRST = st.builds(
    FirstPartitions,
    st.text(st.characters(codec="utf-8", exclude_characters="|"), min_size=1),
    st.dictionaries(st.integers(0, 10_000), st.none() | BEGINS),
)


@given(FIRST)
def test_what_is_kept_is_read_back(first: FirstPartitions) -> None:
    assert FirstPartitions.decode(first.encode()) == first


@given(FIRST, st.dictionaries(st.integers(0, 10_000), OFFSETS))
def test_a_partition_that_was_not_there_at_first_begins_at_its_beginning(
    first: FirstPartitions, log_starts: dict[int, int]
) -> None:
    begins = first.begins_at(log_starts)
    assert begins.keys() == log_starts.keys()
    for number, begin in begins.items():
        assert begin == (first.begins.get(number) or Begin(0, log_starts[number]))
    added = {number: begin for number, begin in begins.items() if number not in first.begins}
    assert first.late(added) == {}


def test_only_what_was_added_and_began_after_its_beginning_is_late() -> None:
    first = FirstPartitions("id", {0: Begin(9, 0), 1: None})
    begins = {0: Begin(9, 0), 1: Begin(5, 0), 2: Begin(0, 0), 3: Begin(0, 7), 4: Begin(8, 7)}
    assert first.late(begins) == {4: Begin(8, 7)}


@pytest.mark.parametrize("text", ["id|0=5", "id|0=5/x", "id|x=5/0", "id|0"])
def test_what_is_damaged_is_not_guessed(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        FirstPartitions.decode(text)
