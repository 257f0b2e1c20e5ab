from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.corpus.corpora import rows, write_features, write_parquet
from tests.indexing.index_builds import add, build, remove
from tests.indexing.killed_builds import Forge, digests, forge, kill_everywhere

pytestmark = pytest.mark.slow

STEPS_MIN = 20
"""There are more; fewer would mean that builds were not killed."""


@pytest.fixture(scope="module")
def place() -> Iterator[Forge]:
    with forge() as pool:
        yield pool


@pytest.mark.exhaustive  # in short: the build that leaves one out
def test_a_build_of_images_killed_anywhere_goes_on_to_the_same_bits(place: Forge, tmp_path: Path) -> None:
    corpus = write_parquet(tmp_path / "c.parquet", rows(2))
    build(corpus, tmp_path / "whole")
    whole = digests(tmp_path / "whole")

    outcomes = kill_everywhere(place, corpus, tmp_path / "index")

    assert len(outcomes) > STEPS_MIN
    for outcome in outcomes:
        assert outcome.killed in (None, whole)
        assert outcome.resumed == whole


def test_a_build_that_leaves_one_out_killed_anywhere_goes_on_to_the_same_bits(place: Forge, tmp_path: Path) -> None:
    vectors = [[float(place == number) for place in range(4)] for number in range(5)]
    vectors[2][0] = float("nan")
    corpus = write_features(tmp_path / "f.parquet", 5, vector=vectors)
    build(corpus, tmp_path / "whole", encoder_id="theirs", bad_share_max=0.5)
    whole = digests(tmp_path / "whole")

    outcomes = kill_everywhere(place, corpus, tmp_path / "index", encoder_id="theirs", bad_share_max=0.5)

    assert len(outcomes) > STEPS_MIN
    for outcome in outcomes:
        assert outcome.killed in (None, whole)
        assert outcome.resumed == whole


def test_a_replacement_killed_anywhere_leaves_the_old_or_the_new(place: Forge, tmp_path: Path) -> None:
    build(write_features(tmp_path / "old.parquet", 3), tmp_path / "old", encoder_id="theirs")
    corpus = write_features(tmp_path / "new.parquet", 5)
    build(corpus, tmp_path / "new", encoder_id="theirs")
    old, new = digests(tmp_path / "old"), digests(tmp_path / "new")

    outcomes = kill_everywhere(
        place, corpus, tmp_path / "index", before=tmp_path / "old", encoder_id="theirs", replace=True
    )

    assert len(outcomes) > STEPS_MIN
    for outcome in outcomes:
        assert (outcome.killed or outcome.replaced) in (old, new)
        assert outcome.resumed == new


def test_adding_and_removing_killed_anywhere_go_on_to_the_same_bits(place: Forge, tmp_path: Path) -> None:
    build(write_parquet(tmp_path / "c.parquet", rows(3)), tmp_path / "parent")
    corpus = write_parquet(tmp_path / "more.parquet", rows(5)[3:])
    names = tmp_path / "names.txt"
    names.write_text(" ".join(row["image_id"] for row in rows(2)))
    add(tmp_path / "parent", corpus, tmp_path / "added")
    remove(tmp_path / "parent", tmp_path / "removed", names.read_text().split())
    parent = digests(tmp_path / "parent")

    for given, expected in ((corpus, tmp_path / "added"), (names, tmp_path / "removed")):
        outcomes = kill_everywhere(place, given, tmp_path / "index", parent=tmp_path / "parent")

        assert len(outcomes) > 10
        for outcome in outcomes:
            assert outcome.killed in (None, digests(expected))
            assert outcome.resumed == digests(expected)
        assert digests(tmp_path / "parent") == parent
