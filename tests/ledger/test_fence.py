from typing import get_args

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from gmv.ledger.fence import Refused, decide, parse
from gmv.ledger.port import AlreadyCommitted, Committed, Fenced, Missing, Rewound
from gmv.ledger.position import Position

EXPECTED = Position("log", 100, 3, "b1")
FOLLOWING = Position("log", 120, 3, "b2")

words = st.text(st.characters(exclude_characters="|"), max_size=5)
positions = st.builds(
    Position,
    topic_id=st.sampled_from(["log", "other"]),
    next_offset=st.integers(0, 200),
    leader_epoch=st.integers(-1, 3),
    batch_id=st.sampled_from(["", "b1", "b2"]),
)


@pytest.mark.parametrize(
    ("found", "answer"),
    [
        pytest.param(None, Missing(), id="nothing"),
        pytest.param("log|120|3|b2", AlreadyCommitted(), id="our own next position"),
        pytest.param("log|121|3|b3", Fenced(Position("log", 121, 3, "b3")), id="beyond our next position"),
        pytest.param("log|110|3|b3", Fenced(Position("log", 110, 3, "b3")), id="between ours"),
        pytest.param("log|120|3|b3", Fenced(Position("log", 120, 3, "b3")), id="our next offset, other receipts"),
        pytest.param("log|120|4|b2", Fenced(Position("log", 120, 4, "b2")), id="our next offset, other epoch"),
        pytest.param("log|100|3|b0", Fenced(Position("log", 100, 3, "b0")), id="our offset, other receipts"),
        pytest.param("log|100|2|b1", Fenced(Position("log", 100, 2, "b1")), id="our offset, other epoch"),
        pytest.param("log|99|3|b1", Rewound(Position("log", 99, 3, "b1")), id="just behind"),
        pytest.param("log|0|-1|", Rewound(Position("log", 0)), id="at the start again"),
        pytest.param("log2|0|-1|", Fenced(Position("log2", 0)), id="behind in another log"),
        pytest.param("log2|120|3|b2", Fenced(Position("log2", 120, 3, "b2")), id="our next offset in another log"),
        pytest.param("", Missing(), id="empty text"),
        pytest.param("100", Missing(), id="a bare offset"),
        pytest.param("log|0100|3|b1", Missing(), id="an offset that we never write"),
        pytest.param("log|-1|3|b1", Missing(), id="a negative offset"),
        pytest.param("log|100|3|b1|", Missing(), id="a part too many"),
        pytest.param("|100|3|b1", Missing(), id="no topic id"),
    ],
)
def test_every_position_has_its_answer(found: str | None, answer: Refused) -> None:
    assert decide(found, EXPECTED, FOLLOWING) == answer


def test_the_expected_position_is_no_refusal() -> None:
    with pytest.raises(ValueError, match="is the expected one"):
        decide(EXPECTED.encode(), EXPECTED, FOLLOWING)


@given(st.none() | st.text() | positions.map(Position.encode), positions, positions)
def test_exactly_one_answer_and_never_committed(found: str | None, expected: Position, following: Position) -> None:
    assume(found != expected.encode())
    answer = decide(found, expected, following)
    assert isinstance(answer, get_args(Refused))
    assert not isinstance(answer, Committed)


@given(positions, positions, positions)
def test_only_a_lower_offset_of_the_same_log_rewinds(found: Position, expected: Position, following: Position) -> None:
    assume(found not in (expected, following))
    answer = decide(found.encode(), expected, following)
    lower = found.topic_id == expected.topic_id and found.next_offset < expected.next_offset
    assert answer == (Rewound(found) if lower else Fenced(found))


@given(positions)
def test_a_position_survives_its_text(position: Position) -> None:
    assert parse(position.encode()) == position


@given(st.lists(words, min_size=3, max_size=5).map("|".join))
def test_text_that_is_parsed_is_text_that_is_written(text: str) -> None:
    position = parse(text)
    assert position is None or position.encode() == text
