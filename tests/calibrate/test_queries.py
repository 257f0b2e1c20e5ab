import numpy as np
import pytest

from gmv.calibrate.queries import ALTERED_COPIES, draw, make_queries
from gmv.events.model import ImageBytes
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.indexing.calibrating import MIXES
from tests.encoders.pictures import picture


@pytest.mark.parametrize(("rows", "count"), [(1, 3), (2, 40), (500, 60)])
def test_sources_are_rows_of_the_index_and_the_same_each_time(rows: int, count: int) -> None:
    sources = draw(rows, count)
    assert len(sources.mixes) == len(sources.altered_copies) == count
    assert sources.rows <= set(range(rows))
    assert sources == draw(rows, count)
    assert sources.mixes == draw(rows, count + 0).mixes
    assert max(map(len, sources.mixes)) == min(rows, 3)


def test_each_query_is_an_image_file_of_the_size_of_its_first_source() -> None:
    sources = draw(6, 20)
    pictures = {row: picture(row, side, side) for row, side in zip(range(6), (16, 24, 32, 40, 48, 56), strict=True)}
    made = make_queries(sources, {row: pictures[row] for row in sources.rows})
    assert set(made) == {MIXES, ALTERED_COPIES}
    assert [query.sources for query in made[MIXES]] == list(sources.mixes)
    assert [query.sources for query in made[ALTERED_COPIES]] == [(row,) for row in sources.altered_copies]
    files = []
    for query in (*made[MIXES], *made[ALTERED_COPIES]):
        assert isinstance(query.event.content, ImageBytes)
        pixels = decode_image(query.event.content.content, ImageLimits(2**20, 10**6))
        assert pixels.shape == pictures[query.sources[0]].shape
        files.append(query.event.content.content)
    assert len(set(files)) == 40
    assert len({query.event.event_id for kind in made.values() for query in kind}) == 40
    assert np.array_equal(pictures[0], picture(0))
