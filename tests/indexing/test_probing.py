"""How many lists of an inverted file are probed: by its true nearest, as a pass over all pairs finds them."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from gmv.errors import IndexRefused
from gmv.index.manifest import MANIFEST, RECALL_FILE, Manifest
from gmv.index.opened import open_index
from gmv.index.recall import FaissRecall, open_recall
from gmv.indexing.calibrating import Truth
from gmv.indexing.calibration import Query, keys_of
from gmv.indexing.probing import calibrate_lists, tried_of
from tests.indexing.index_builds import build

ROWS, SIZE, LISTS = 800, 6, 32
CANDIDATES = 40
DRAW = np.random.default_rng(0)
DRAWN = DRAW.normal(size=(ROWS, SIZE))
VECTORS: NDArray[np.float32] = (DRAWN / np.linalg.norm(DRAWN, axis=1, keepdims=True)).astype(np.float32)


def inverted(factory: str = f"IVF{LISTS},Flat") -> FaissRecall:
    index = faiss.index_factory(SIZE, factory, faiss.METRIC_L2)
    index.train(VECTORS)
    index.add(VECTORS)
    return FaissRecall(index)


def nearest(row: int, count: int) -> NDArray[np.int64]:
    """By vector, all pairs, itself left out."""
    distances = np.square(VECTORS.astype(np.float64) - VECTORS[row]).sum(1)
    return np.argsort(distances, kind="stable")[1 : count + 1]


def truth(rows: range, count: int = 10) -> Truth:
    nothing = np.zeros((1, 1), np.float32)
    queries = [Query(VECTORS[row], nothing, None, row) for row in rows]
    return Truth("some", queries, [keys_of(nearest(row, count)) for row in rows])


@pytest.mark.parametrize("lists", [1, 2, 3, 5, 8, 100, 4_096])
def test_numbers_that_are_tried_grow_by_a_half_up_to_all(lists: int) -> None:
    tried = tried_of(lists)

    assert tried[0] == 1
    assert tried[-1] == lists
    assert all(one < other <= 2 * one for one, other in pairwise(tried))
    assert len(tried) <= 2 * lists.bit_length()


@pytest.mark.parametrize("target", [0.5, 0.9, 0.95, 0.99, 1.0])
def test_it_is_the_least_that_loses_no_more_than_half_of_what_may_be_lost(target: float) -> None:
    recall, asked = inverted(), truth(range(0, ROWS, 20))
    found = calibrate_lists(recall, [asked], target, CANDIDATES)

    assert found is not None
    shares = {}
    for probes in tried_of(LISTS):
        recall.probe(probes)
        answers = [recall.recall(VECTORS[row : row + 1], CANDIDATES + 1)[0] for row in range(0, ROWS, 20)]
        held = [
            np.isin(nearest(row, 10), rows[rows != row][:CANDIDATES]).mean()
            for row, rows in zip(range(0, ROWS, 20), answers, strict=True)
        ]
        shares[probes] = round(float(np.mean(held)), 4)
    enough = [probes for probes, share in shares.items() if share >= shares[LISTS] - (1 - target) / 2]
    assert {point.probes: point.recall for point in found.points} == shares
    assert found.probes == min(enough)
    assert (found.lists, found.target, found.candidates) == (LISTS, target, CANDIDATES)
    assert all(point.least <= point.recall <= point.most for point in found.points)


def test_more_is_wanted_the_higher_the_target() -> None:
    probes = []
    for target in (0.2, 0.9, 1.0):
        found = calibrate_lists(inverted(), [truth(range(0, ROWS, 20))], target, CANDIDATES)
        assert found is not None
        probes.append(found.probes)

    assert probes[0] < probes[1] < probes[2]


def test_recall_probes_as_many_as_were_chosen() -> None:
    recall, by_hand = inverted(), inverted()
    found = calibrate_lists(recall, [truth(range(40))], 0.9, CANDIDATES)
    assert found is not None
    by_hand.probe(found.probes)

    for one, other in zip(recall.recall(VECTORS, 5), by_hand.recall(VECTORS, 5), strict=True):
        assert one.tolist() == other.tolist()


@pytest.mark.parametrize("factory", ["Flat", "PQ3x4fs,Refine(SQfp16)"])
def test_without_lists_nothing_is_chosen(factory: str) -> None:
    assert calibrate_lists(inverted(factory), [truth(range(20))], 0.9, CANDIDATES) is None


def test_a_target_that_no_number_of_lists_reaches_is_said() -> None:
    """Codes of four bits for six numbers tell few rows apart."""
    found = calibrate_lists(inverted(f"IVF{LISTS},PQ1x4"), [truth(range(40))], 0.99, 10)

    assert found is not None
    assert "no number of lists reaches 99.0%" in found.sentence()


def test_lists_that_are_of_no_use_are_said() -> None:
    found = calibrate_lists(inverted(), [truth(range(40), count=300)], 1.0, 300)

    assert found is not None
    assert 2 * found.probes > LISTS
    assert "a --factory without IVF is as quick" in found.sentence()


def test_nothing_to_find_is_found_by_one_list() -> None:
    found = calibrate_lists(inverted(), [Truth("none", [], [])], 0.95, CANDIDATES)

    assert found is not None
    assert found.probes == 1


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Manifest]:
    folder = tmp_path_factory.mktemp("inverted")
    columns: dict[str, Any] = {
        "image_id": [f"i{row:03}" for row in range(ROWS)],
        "owner_id": ["o"] * ROWS,
        "vector": VECTORS.tolist(),
        "tokens": VECTORS[:, np.newaxis].tolist(),
    }
    pq.write_table(pa.table(columns), folder / "c.parquet")
    factory = f"IVF{LISTS},PQ3x4fs,Refine(SQfp16)"
    return folder / "index", build(folder / "c.parquet", folder / "index", encoder_id="e", factory=factory)


def test_an_index_opens_with_the_lists_that_its_manifest_names(built: tuple[Path, Manifest]) -> None:
    path, manifest = built
    lists, index = manifest.recall.lists, open_index(path, verify=True)
    assert lists is not None
    by_file = open_recall(path / RECALL_FILE)
    before = by_file.recall(VECTORS, 20)
    by_file.probe(lists.probes)

    opened = [rows.tolist() for rows in index.recall.recall(VECTORS, 20)]
    assert opened == [rows.tolist() for rows in by_file.recall(VECTORS, 20)]
    assert lists.probes != LISTS // 8  # what the file itself says, so that the two differ
    assert opened != [rows.tolist() for rows in before]


def test_lists_are_enough_for_the_true_nearest(built: tuple[Path, Manifest]) -> None:
    """Of one token each, so W1 is the distance of vectors: what M of the manifest recalls is counted by all pairs."""
    path, manifest = built
    index = open_index(path, verify=False)
    assert manifest.candidates is not None
    assert manifest.candidates.candidates is not None
    asked = range(7, ROWS, 11)  # others than the build asked
    recalled = index.recall.recall(VECTORS[list(asked)], manifest.candidates.candidates + 1)

    shares = [np.isin(nearest(row, 10), rows).mean() for row, rows in zip(asked, recalled, strict=True)]
    assert np.mean(shares) > 0.9  # .95 by 60 queries


def test_a_manifest_of_other_lists_is_refused(built: tuple[Path, Manifest], tmp_path: Path) -> None:
    path, _ = built
    for file in path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    said = orjson.loads((tmp_path / MANIFEST).read_bytes())
    said["recall"]["lists"]["lists"] = LISTS + 1
    (tmp_path / MANIFEST).write_bytes(orjson.dumps(said))

    with pytest.raises(IndexRefused, match="has 32 lists, its manifest says 33; build the index again"):
        open_index(tmp_path, verify=False)


def test_an_index_that_says_nothing_of_lists_opens_as_it_was(built: tuple[Path, Manifest], tmp_path: Path) -> None:
    path, _ = built
    for file in path.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    said = orjson.loads((tmp_path / MANIFEST).read_bytes())
    del said["recall"]["lists"]
    (tmp_path / MANIFEST).write_bytes(orjson.dumps(said))
    before = open_recall(path / RECALL_FILE).recall(VECTORS, 20)

    opened = open_index(tmp_path, verify=False).recall.recall(VECTORS, 20)
    assert [rows.tolist() for rows in opened] == [rows.tolist() for rows in before]
