"""What may follow a position, and what cannot: a table, and every sequence of epochs."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gmv.ledger.position import Position
from gmv.stream.continuity import complaint_about_bounds, complaint_about_epochs
from gmv.stream.records import Bounds, Partition, Record

IMAGES = Partition("images", 3)


def stretch(*epochs: int) -> list[Record]:
    return [Record(100 + number, b"", leader_epoch=epoch) for number, epoch in enumerate(epochs)]


@pytest.mark.parametrize(
    ("held", "epochs"),
    [
        pytest.param(5, [], id="nothing"),
        pytest.param(5, [5, 5, 5], id="the same leader"),
        pytest.param(5, [5, 6, 9], id="later leaders"),
        pytest.param(0, [0], id="the first leader"),
        pytest.param(-1, [3, 3], id="an epoch that was not known before"),
        pytest.param(5, [-1, -1], id="epochs that are not known"),
        pytest.param(5, [-1, 5, -1, 6], id="some that are"),
        pytest.param(-1, [-1], id="none known at all"),
    ],
)
def test_what_may_follow(held: int, epochs: list[int]) -> None:
    assert complaint_about_epochs(IMAGES, Position("id", 100, held), stretch(*epochs)) is None


@pytest.mark.parametrize(
    ("held", "epochs", "words"),
    [
        pytest.param(
            5, [4], "the record at 100 was written in leader epoch 4, and the ledger's position", id="at once"
        ),
        pytest.param(5, [-1, 0], "the record at 101 was written in leader epoch 0", id="after one that is not known"),
        pytest.param(5, [6, 7, 6], "the record at 102 .* the record at 101 before it is of epoch 7", id="in a run"),
        pytest.param(-1, [7, 6], "the record at 101 .* epoch 6", id="though none was known before"),
    ],
)
def test_what_cannot_follow(held: int, epochs: list[int], words: str) -> None:
    complaint = complaint_about_epochs(IMAGES, Position("id", 100, held), stretch(*epochs))
    assert complaint is not None
    assert re.match(rf"images\[3\]: {words}", complaint)


@given(st.integers(-1, 5), st.lists(st.integers(-1, 5)))
def test_known_epochs_never_decrease(held: int, epochs: list[int]) -> None:
    known = [epoch for epoch in [held, *epochs] if epoch >= 0]
    grows = all(one <= other for one, other in pairwise(known))
    assert (complaint_about_epochs(IMAGES, Position("id", 100, held), stretch(*epochs)) is None) == grows


@pytest.mark.parametrize(
    ("position", "words"),
    [
        pytest.param(Position("id", 10), None, id="at the start"),
        pytest.param(Position("id", 15), None, id="within"),
        pytest.param(Position("id", 20), None, id="at the end"),
        pytest.param(Position("id", 7), "3 records were lost to retention", id="before the start"),
        pytest.param(Position("id", 21), "the log was cut or replaced", id="beyond the end"),
        pytest.param(Position("other", 15), "was deleted and made again", id="in another log"),
        pytest.param(Position("other", 7), "was deleted and made again", id="in another log, whatever the offset"),
    ],
)
def test_where_a_position_may_stand(position: Position, words: str | None) -> None:
    complaint = complaint_about_bounds(IMAGES, position, "id", Bounds(10, 20))
    assert (complaint is None) == (words is None)
    assert (words or "") in (complaint or "")
