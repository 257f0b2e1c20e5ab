"""Where a position may be in a log, and where it cannot."""

import pytest

from gmv.ledger.position import Position
from gmv.stream.continuity import complaint_about_bounds
from gmv.stream.records import Bounds, Partition

IMAGES = Partition("images", 3)


@pytest.mark.parametrize(
    ("position", "words"),
    [
        pytest.param(Position("id", 10), None, id="at the start"),
        pytest.param(Position("id", 15), None, id="within"),
        pytest.param(Position("id", 20), None, id="at the end"),
        pytest.param(Position("id", 7), "3 records were lost to retention", id="before the start"),
        pytest.param(Position("id", 21), "the log was cut or replaced", id="beyond the end"),
        pytest.param(Position("other", 15), "was deleted and made again", id="in another log"),
        pytest.param(Position("other", 7), "was deleted and made again", id="in another log, at any offset"),
    ],
)
def test_where_a_position_may_stand(position: Position, words: str | None) -> None:
    complaint = complaint_about_bounds(IMAGES, position, "id", Bounds(10, 20))
    assert (complaint is None) == (words is None)
    assert (words or "") in (complaint or "")
