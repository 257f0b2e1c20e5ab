import numpy as np
import pytest

from gmv.indexing.mixes import altered_copy, draw_sources, mixed
from tests.encoders.pictures import picture

SIDE = 16


@pytest.mark.parametrize("rows", [1, 2, 3, 500])
def test_sources_are_distinct_and_one_to_three(rows: int) -> None:
    drawn = draw_sources(300, rows, seed=1)

    assert {len(each) for each in drawn} == set(range(1, min(3, rows) + 1))
    assert all(len(set(each.tolist())) == len(each) for each in drawn)
    assert set(np.concatenate(drawn).tolist()) <= set(range(rows))


def test_a_mix_depends_on_its_seed_and_number_alone() -> None:
    sources = [picture(1), picture(2)]
    first = mixed(sources, SIDE, seed=1, number=4)

    assert np.array_equal(first, mixed(sources, SIDE, seed=1, number=4))
    assert not np.array_equal(first, mixed(sources, SIDE, seed=1, number=5))
    assert not np.array_equal(first, mixed(sources, SIDE, seed=2, number=4))


@pytest.mark.parametrize("sizes", [(1, 1), (3, 200), (16, 16), (257, 31)])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_sources_of_any_size_are_all_in_it(sizes: tuple[int, int], count: int) -> None:
    """A source that is black instead changes many pixels of each mix."""
    sources = [np.full((*sizes, 3), 120 + 40 * number, np.uint8) for number in range(count)]
    for number in range(20):
        made = mixed(sources, SIDE, seed=1, number=number)
        assert made.shape == (SIDE, SIDE, 3)
        assert made.dtype == np.uint8
        for place in range(count):
            others = [np.zeros_like(each) if at == place else each for at, each in enumerate(sources)]
            changed = (mixed(others, SIDE, seed=1, number=number) != made).any(2)
            assert changed.mean() > 0.9 / count - 0.1


def test_it_is_near_its_source_and_not_equal() -> None:
    source = picture(3)
    apart = [np.abs(mixed([source], SIDE, 1, number).astype(int) - source).mean() for number in range(20)]

    assert min(apart) > 2
    assert np.median(apart) < 40


def test_half_of_the_altered_copies_are_mirrored() -> None:
    """Dark on the left, light on the right."""
    source = np.concatenate(
        [np.full((SIDE, SIDE // 2, 3), 60, np.uint8), np.full((SIDE, SIDE // 2, 3), 190, np.uint8)], 1
    )
    made = [altered_copy(source, SIDE, 1, number) for number in range(400)]
    mirrored = [each[:, 0].mean() > each[:, -1].mean() for each in made]

    assert 170 < sum(mirrored) < 230
    for each in made:
        assert abs(each[:, 0].mean() - each[:, -1].mean()) > 50
        assert each.shape == (SIDE, SIDE, 3)


def test_an_altered_copy_depends_on_its_seed_and_number_alone() -> None:
    first = altered_copy(picture(1), SIDE, seed=1, number=4)

    assert np.array_equal(first, altered_copy(picture(1), SIDE, seed=1, number=4))
    assert not np.array_equal(first, altered_copy(picture(1), SIDE, seed=1, number=5))
    assert not np.array_equal(first, altered_copy(picture(1), SIDE, seed=2, number=4))
