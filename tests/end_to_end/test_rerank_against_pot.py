"""The re-rank of real images against POT, pair by pair."""

import numpy as np
import pytest

from gmv.corpus.port import image_files
from gmv.demo.remix import recipes, remixes
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.opened import Index
from gmv.valuation.wasserstein.rerank import ExactReranker
from tests.corpus.corpora import opened
from tests.end_to_end.oracle import w1

QUERIES = 1_000
CANDIDATES = 20  # 20,000 solves by POT, at about 1 ms each
CONTRIBUTORS = 10


@pytest.mark.exhaustive  # in short: tests of the re-rank against POT and all permutations
def test_equals_brute_force_on_a_thousand_real_queries(larger_index: Index) -> None:
    """Ids up to ties within 1e-9, distances within 1e-9 relative."""
    table = larger_index.images.images(range(len(larger_index.images)))
    corpus = opened(larger_index.path.parent / "corpus.parquet")
    limits = ImageLimits(10**6, 10**6)
    pictures = {image.image_id: decode_image(image.content, limits) for image in image_files(corpus)}
    made_of = recipes({image.image_id: image.owner_id for image in table}, QUERIES, seed=7)
    reranker = ExactReranker(larger_index.tokens)
    for number, pixels in enumerate(remixes(made_of, pictures)):
        features = larger_index.encoder.encode([pixels])
        (rows,) = larger_index.recall.recall(features.vectors, CANDIDATES)
        (ranking,) = reranker.nearest([features.tokens[0]], [rows], CONTRIBUTORS)
        query = features.tokens[0].astype(np.float64)
        expected = {int(row): w1(query, larger_index.tokens[row].astype(np.float64)) for row in rows}
        ranked = sorted(expected.items(), key=lambda pair: (pair[1], pair[0]))
        for place, (row, distance) in enumerate(zip(ranking.rows.tolist(), ranking.distances.tolist(), strict=True)):
            truth = ranked[place][1]
            assert distance == pytest.approx(expected[row], rel=1e-9), f"query {number}, place {place}: distance"
            assert row == ranked[place][0] or abs(expected[row] - truth) <= 1e-9, f"query {number}, place {place}: id"
