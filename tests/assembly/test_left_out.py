"""Images that are left out: which rows they are, and who takes their places."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.assembly import left_out as module
from gmv.assembly.left_out import RecallOfOthers, left_out_rows
from gmv.attributor import Attributor
from gmv.corpus.port import TrainingImage
from gmv.index.images import ArrowImages, open_images, write_images
from gmv.index.port import Recall
from gmv.settings import Method
from gmv.valuation.owners import Ownership
from gmv.valuation.receipt import receipt
from gmv.valuation.types import Attribution
from gmv.valuation.wasserstein.rerank import ExactReranker
from tests.test_attributor import Line, event

OWNERS = ["ada", "ben", "cy"]


def table(folder: Path, owners: Sequence[str]) -> ArrowImages:
    write_images(folder / "images.arrow", [TrainingImage(f"i{row:02}", owner, 1.0) for row, owner in enumerate(owners)])
    return open_images(folder / "images.arrow")


NAMES = st.sampled_from([f"i{row:02}" for row in range(12)])
SAID = st.builds(
    Ownership,
    st.frozensets(st.sampled_from([*OWNERS, "new"])),
    st.frozensets(NAMES),
    st.dictionaries(NAMES, st.sampled_from([*OWNERS, "new"])),
    st.just(True),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(OWNERS), min_size=1, max_size=12), SAID)
def test_rows_are_those_of_images_that_nobody_may_be_paid_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owners: list[str], said: Ownership
) -> None:
    monkeypatch.setattr(module, "_ROWS_AT_ONCE", 2)
    expected = []
    for row, indexed in enumerate(owners):
        owner = said.owners.get(f"i{row:02}", indexed)
        expected.append(f"i{row:02}" in said.opted_out_images or owner in said.opted_out_owners)
    assert left_out_rows(said, table(tmp_path, owners)).tolist() == expected


def test_recall_answers_without_them_in_its_own_order() -> None:
    class Fixed(Recall):
        def recall(self, vectors: NDArray[np.float32], candidates: int) -> list[NDArray[np.int64]]:
            return [np.array([3, 0, 2, 1])[:candidates] for _ in vectors]

    vectors = np.zeros((2, 1), np.float32)
    left_out = np.array([True, False, True, False])
    assert [rows.tolist() for rows in RecallOfOthers(Fixed(), left_out).recall(vectors, 4)] == [[3, 1], [3, 1]]
    assert [rows.tolist() for rows in RecallOfOthers(Fixed(), left_out).recall(vectors, 2)] == [[3], [3]]
    assert [len(rows) for rows in RecallOfOthers(Fixed(), ~np.zeros(4, np.bool_)).recall(vectors, 4)] == [0, 0]


class Row(Line, Recall):
    """A line of training images, one at each of twelve places."""

    places = np.arange(12.0)

    def recall(self, vectors: NDArray[np.float32], candidates: int) -> list[NDArray[np.int64]]:
        return [np.argsort(np.abs(self.places - vector[0]), kind="stable")[:candidates] for vector in vectors]


def attributed(images: ArrowImages, said: Ownership, place: int, candidates: int, contributors: int) -> Attribution:
    line = Row()
    (outcome,) = Attributor(
        line,
        line,
        RecallOfOthers(line, left_out_rows(said, images)),
        ExactReranker(line.places.astype(np.float16).reshape(-1, 1, 1)),
        images,
        Method(candidates=candidates, contributors=contributors, temperature=1.0),
        said,
    ).attribute([event(place)])
    assert isinstance(outcome, Attribution)
    return outcome


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(SAID, st.integers(1, 11), st.integers(1, 12), st.integers(1, 5))
def test_the_nearest_of_those_that_remain_share_all(
    tmp_path: Path, said: Ownership, place: int, candidates: int, contributors: int
) -> None:
    """By sorting distances: as many as asked for where so many remain, and all of the credit is theirs (I1)."""
    images = table(tmp_path, OWNERS * 4)
    outcome = attributed(images, said, place, candidates, contributors)
    recalled = sorted(range(12), key=lambda row: (abs(row - place), row))[:candidates]
    out = left_out_rows(said, images)
    expected = [row for row in recalled if not out[row]][:contributors]
    assert [each.image_id for each in outcome.contributors] == [f"i{row:02}" for row in expected]
    assert outcome.micros == sum(each.micros for each in outcome.contributors) == (1_000_000 if expected else 0)


@pytest.mark.parametrize(
    "said",
    [
        Ownership(frozenset(OWNERS), is_left_out=True),
        Ownership(opted_out_images=frozenset(f"i{row:02}" for row in range(12)), is_left_out=True),
        Ownership(frozenset({"new"}), owners={f"i{row:02}": "new" for row in range(12)}, is_left_out=True),
    ],
    ids=["owners", "images", "given to who opted out"],
)
def test_where_nobody_is_left_the_receipt_says_so(tmp_path: Path, said: Ownership) -> None:
    outcome = attributed(table(tmp_path, OWNERS * 4), said, 3, 12, 5)
    assert (outcome.contributors, outcome.micros, outcome.is_nobody_left) == ((), 0, True)
    assert made(outcome).get("outcome") == "nobody_left"
    assert "outcome" not in made(attributed(table(tmp_path, OWNERS * 4), Ownership(), 3, 12, 5))


def made(outcome: Attribution) -> dict[str, object]:
    return dict(
        receipt(
            source="/s",
            event_id="e",
            topic="t",
            partition=0,
            offset=0,
            previous_batch="",
            index_id="i",
            settings_digest="s",
            attribution=outcome,
            traceparent=None,
        )
    )


def test_one_of_whom_nobody_is_left_changes_nothing_for_the_others(tmp_path: Path) -> None:
    """Of a run of three, in order: only the places 0 and 1 are recalled for the second."""
    images = table(tmp_path, OWNERS * 4)
    said = Ownership(opted_out_images=frozenset({"i04", "i05", "i06"}), is_left_out=True)
    line = Row()
    attributor = Attributor(
        line,
        line,
        RecallOfOthers(line, left_out_rows(said, images)),
        ExactReranker(line.places.astype(np.float16).reshape(-1, 1, 1)),
        images,
        Method(candidates=3, contributors=2, temperature=1.0),
        said,
    )
    found = attributor.attribute([event(2), event(5), event(9)])
    assert [len(each.contributors) for each in found if isinstance(each, Attribution)] == [2, 0, 2]
    assert found == [attributor.attribute([event(place)])[0] for place in (2, 5, 9)]
