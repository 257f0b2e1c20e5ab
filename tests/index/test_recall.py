from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gmv.errors import IndexRefused, InvalidSettings
from gmv.index.recall import FaissRecall, open_recall, write_recall
from gmv.indexing.factory import FLAT_IMAGES_MAX, SCANNED_IMAGES_MAX, default_factory, train_index
from gmv.indexing.quality import measure_recall, nearest_rows

Vectors = NDArray[np.float32]
REFINED = "RR16,PQ8x4fs,Refine(SQfp16)"
REFINED_LISTS = "RR16,IVF16,PQ8x4fs,Refine(SQfp16)"


def clusters(rows: int, size: int, seed: int = 0) -> Vectors:
    draw = np.random.default_rng(seed)
    vectors = draw.normal(size=(20, size))[draw.integers(0, 20, rows)] + 0.6 * draw.normal(size=(rows, size))
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)


VECTORS = clusters(2_500, 16)
QUERIES = clusters(2_600, 16)[2_500:]


@pytest.fixture(scope="module", params=["Flat", "RR16,PQ4", REFINED, "RR16,IVF16,PQ8", "IVF32,Flat"])
def recall(request: pytest.FixtureRequest) -> FaissRecall:
    return FaissRecall(train_index(request.param, VECTORS, seed=0))


def brute_force(vectors: Vectors, query: Vectors, candidates: int) -> NDArray[np.int64]:
    distances = np.square(vectors.astype(np.float64) - query).sum(1)
    return np.lexsort((np.arange(len(vectors)), distances))[:candidates]


def test_exact_recall_is_brute_force() -> None:
    found = FaissRecall(train_index("Flat", VECTORS, seed=0)).recall(QUERIES, 50)

    for query, rows in zip(QUERIES, found, strict=True):
        assert rows.tolist() == brute_force(VECTORS, query, 50).tolist()


def test_an_answer_depends_on_its_own_vector_alone(recall: FaissRecall) -> None:
    together = recall.recall(QUERIES, 30)
    alone = [recall.recall(query[np.newaxis], 30)[0] for query in QUERIES[::-1]][::-1]

    for one, other in zip(together, alone, strict=True):
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize("candidates", [1, 7, 2_499, 2_500, 9_999])
def test_rows_are_real_and_each_once(recall: FaissRecall, candidates: int) -> None:
    for rows in recall.recall(QUERIES[:5], candidates):
        assert rows.dtype == np.int64
        assert len(set(rows.tolist())) == len(rows) <= min(candidates, 2_500)
        assert rows.min() >= 0
        assert rows.max() < 2_500


def test_fewer_candidates_are_the_first_of_more(recall: FaissRecall) -> None:
    for few, many in zip(recall.recall(QUERIES, 10), recall.recall(QUERIES, 60), strict=True):
        assert few.tolist() == many[:10].tolist()


@settings(max_examples=30)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=120), st.integers(1, 130))
def test_equal_distances_are_in_order_of_row_also_where_they_are_cut(kinds: list[int], candidates: int) -> None:
    vectors = np.eye(4, dtype=np.float32)[kinds]
    query = np.array([[4.0, 3.0, 2.0, 1.0]], np.float32)
    (rows,) = FaissRecall(train_index("Flat", vectors, seed=0)).recall(query, candidates)

    expected = sorted(range(len(kinds)), key=lambda row: (kinds[row], row))
    assert rows.tolist() == expected[:candidates]


@pytest.mark.parametrize("factory", ["PQ4", REFINED])
@pytest.mark.parametrize("times", [10, 700])
def test_equal_codes_are_in_order_of_row(factory: str, times: int) -> None:
    copies = np.repeat(VECTORS[:300], times, axis=0)
    (rows,) = FaissRecall(train_index(factory, copies, seed=0)).recall(copies[1_234:1_235], 10)

    assert rows.tolist() == sorted(rows.tolist())


@pytest.mark.parametrize(
    ("factory", "least"), [("Flat", 1.0), ("RR16,PQ8", 0.9), (REFINED, 0.99), ("RR16,IVF16,PQ8", 0.5)]
)
def test_measured_recall_is_that_of_brute_force(factory: str, least: float) -> None:
    recall = FaissRecall(train_index(factory, VECTORS, seed=0))
    measured = measure_recall(recall, VECTORS, candidates=100, seed=0)

    queries = np.sort(np.random.default_rng(0).choice(2_500, 500, replace=False))
    shares = []
    for query in queries:
        nearest = [row for row in brute_force(VECTORS, VECTORS[query], 11) if row != query][:10]
        recalled = recall.recall(VECTORS[query][np.newaxis], 101)[0]
        shares.append(np.isin(nearest, recalled).mean())
    assert measured.nearest_10 == pytest.approx(np.mean(shares), abs=1e-3)
    assert measured.nearest_10 >= least
    assert (measured.queries, measured.candidates) == (500, 100)


@pytest.mark.parametrize("rows", [1, 2, 5, 8_192, 8_193, 16_400])
def test_brute_force_by_chunks_is_brute_force(rows: int) -> None:
    vectors = clusters(rows, 4, seed=1)
    queries = np.unique(np.array([0, rows // 2, rows - 1]))
    found = nearest_rows(vectors, queries, 20)

    for query, nearest in zip(queries, found, strict=True):
        expected = [row for row in brute_force(vectors, vectors[query], 21) if row != query][:20]
        assert nearest.tolist() == expected


def test_one_image_has_nothing_to_miss() -> None:
    recall = FaissRecall(train_index("Flat", VECTORS[:1], seed=0))

    assert measure_recall(recall, VECTORS[:1], 100, 0).nearest_10 == 1.0


@pytest.mark.parametrize("factory", ["Flat", "RR16,PQ4", REFINED, REFINED_LISTS, "RR16,IVF16,PQ8"])
def test_an_index_written_and_opened_answers_the_same(tmp_path: Path, factory: str) -> None:
    index = train_index(factory, VECTORS, seed=0)
    write_recall(tmp_path / "one", index)
    write_recall(tmp_path / "other", train_index(factory, VECTORS, seed=0))
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()

    opened = open_recall(tmp_path / "one")
    assert (opened.rows, opened.vector_size) == (2_500, 16)
    for one, other in zip(opened.recall(QUERIES, 50), FaissRecall(index).recall(QUERIES, 50), strict=True):
        assert one.tolist() == other.tolist()


def test_what_is_no_such_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "recall.faiss"
    path.write_bytes(b"no index of faiss")
    with pytest.raises(IndexRefused, match="cannot be read by faiss"):
        open_recall(path)
    write_recall(path, faiss.IndexFlatIP(4))
    with pytest.raises(IndexRefused, match="Euclidean"):
        open_recall(path)


@pytest.mark.parametrize(("images", "vector_size"), [(1, 1), (2_000, 1), (2_000, 3), (2_000, 50), (2_500, 16)])
def test_the_rule_gives_an_index_that_can_be_trained(images: int, vector_size: int) -> None:
    vectors = np.random.default_rng(0).normal(size=(images, vector_size)).astype(np.float32)
    recall = FaissRecall(train_index(default_factory(images, vector_size), vectors, seed=0))

    assert recall.rows == images


def test_the_rule_goes_from_exact_to_codes_to_lists() -> None:
    assert default_factory(FLAT_IMAGES_MAX - 1, 256) == "Flat"
    assert default_factory(FLAT_IMAGES_MAX, 256) == "RR256,PQ128x4fs,Refine(SQfp16)"
    assert default_factory(SCANNED_IMAGES_MAX, 256) == "RR256,PQ128x4fs,Refine(SQfp16)"
    assert default_factory(SCANNED_IMAGES_MAX + 1, 256) == "RR256,IVF2048,PQ128x4fs,Refine(SQfp16)"
    assert default_factory(10_000_000, 770) == "RR768,IVF16384,PQ128x4fs,Refine(SQfp16)"


def test_an_eighth_of_the_lists_is_probed_and_four_times_the_rows_are_refined() -> None:
    """Faiss reaches the lists through refinement and rotation; where it did not, one list of 16 would be probed."""
    index: Any = train_index(REFINED_LISTS, VECTORS, seed=0)
    lists: Any = faiss.try_extract_index_ivf(index)
    assert (index.k_factor, lists.nprobe) == (4, 2)


@pytest.mark.parametrize("factory", ["nonsense", "PQ5", "IVF9999,Flat", "IDMap,Flat"])
def test_a_factory_that_does_not_fit_is_refused(factory: str) -> None:
    with pytest.raises(InvalidSettings, match="give another --factory"):
        train_index(factory, VECTORS, seed=0)
