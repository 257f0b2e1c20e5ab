from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from safetensors.numpy import load, save

from gmv.encoders.mirror import mirror_of_grid
from gmv.errors import IndexRefused
from gmv.index.codes import open_coder
from gmv.index.integer_recall import PAIRS_PER_CANDIDATE, IntegerRecall, open_integer_recall
from gmv.index.manifest import CODER_FILE, CODES_FILE, VECTORS_FILE
from gmv.indexing.coding import fit_coder, write_codes
from tests.encoders.exact.descriptors import ENCODER, PICTURES
from tests.index.relaxed import relaxed_apart

PLACES = 4
SIGNS = np.array([1, -1, 1, 1, -1, -1], np.int8)
MIRROR = mirror_of_grid(2, SIGNS)
VECTORS = np.random.default_rng(0).integers(-127, 128, (400, PLACES * len(SIGNS))).astype(np.int8)
VECTORS[200:210] = VECTORS[:10]  # equal images, which rows part
CODER = fit_coder(VECTORS, MIRROR, seed=0)
RECALL = IntegerRecall(CODER, CODER.codes(VECTORS), VECTORS, MIRROR, PLACES)


def apart(query: NDArray[np.int8]) -> list[float]:
    return [relaxed_apart(row, query.ravel(), 2) for row in VECTORS]


def by_brute_force(query: NDArray[np.int8]) -> list[tuple[float, bool, int]]:
    looks: tuple[list[float], ...] = (apart(query), apart(MIRROR.apply(query)))
    return sorted((each, bool(look), row) for look in (0, 1) for row, each in enumerate(looks[look]))


@given(seed=st.integers(0, 2**32 - 1), candidates=st.integers(80, 900))
def test_what_the_scan_takes_is_in_the_order_of_brute_force(seed: int, candidates: int) -> None:
    """With so many candidates the scan takes all 800 pairs, so that the order is the vectors' alone."""
    assert candidates * PAIRS_PER_CANDIDATE >= 2 * len(VECTORS)
    query = np.random.default_rng(seed).integers(-127, 128, (1, VECTORS.shape[1])).astype(np.int8)
    expected = by_brute_force(query)[:candidates]
    (found,) = RECALL.recall_looks(query, candidates)

    assert found.rows.tolist() == [row for _, mirrored, row in expected if not mirrored]
    assert found.mirrored_rows.tolist() == [row for _, mirrored, row in expected if mirrored]


def test_one_look_is_the_order_of_the_image_as_it_is() -> None:
    (found,) = RECALL.recall(VECTORS[:1], 50)
    from_first = apart(VECTORS[:1])
    order = sorted(range(len(VECTORS)), key=lambda row: (from_first[row], row))

    assert found.tolist() == order[:50]
    assert found.tolist()[:2] == [0, 200]


def test_a_mirrored_copy_is_found_by_its_mirrored_look() -> None:
    found = RECALL.recall_looks(MIRROR.apply(VECTORS[:150]), 5)

    assert [looks.mirrored_rows[0] for looks in found] == list(range(150))


def test_an_answer_depends_on_its_own_vector_alone() -> None:
    together = RECALL.recall_looks(VECTORS[:100], 7)

    for row, expected in enumerate(together):
        (alone,) = RECALL.recall_looks(VECTORS[row : row + 1], 7)
        assert [each.tolist() for each in alone] == [each.tolist() for each in expected]


def test_codes_turn_by_signs_alone_where_vectors_are_mirrored() -> None:
    codes = CODER.codes(VECTORS)

    assert (CODER.codes(MIRROR.apply(VECTORS)) == codes * CODER.projection.signs).all()
    assert (np.sort(CODER.projection.signs)[::-1] == CODER.projection.signs).all()
    assert np.abs(codes.astype(int)).max() == 127


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    vectors = ENCODER.encode(PICTURES).vectors
    coder = fit_coder(vectors, ENCODER.vector_mirror, seed=0)
    (tmp_path / CODER_FILE).write_bytes(coder.to_bytes())
    write_codes(tmp_path / CODES_FILE, coder, vectors)
    np.save(tmp_path / VECTORS_FILE, vectors)
    return tmp_path


def test_files_open_as_they_were_written(folder: Path) -> None:
    opened = open_integer_recall(folder, ENCODER)
    vectors = ENCODER.encode(PICTURES).vectors

    assert (opened.rows, opened.vector_size) == (len(PICTURES), ENCODER.vector_size)
    assert [rows[0] for rows in opened.recall(vectors, 3)] == list(range(len(PICTURES)))
    assert open_coder(folder / CODER_FILE, ENCODER.vector_size).to_bytes() == (folder / CODER_FILE).read_bytes()


def damaged_coder(change: Callable[[dict[str, NDArray[np.generic]]], object]) -> Callable[[Path], object]:
    def damage(folder: Path) -> None:
        arrays = load((folder / CODER_FILE).read_bytes())
        change(arrays)
        (folder / CODER_FILE).write_bytes(save(arrays))

    return damage


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / CODER_FILE).unlink(),
        lambda folder: (folder / CODER_FILE).write_bytes(b"{}"),
        lambda folder: (folder / CODES_FILE).unlink(),
        lambda folder: np.save(folder / CODES_FILE, np.zeros((3, 2), np.int8)),
        lambda folder: np.save(folder / VECTORS_FILE, np.zeros((3, ENCODER.vector_size), np.float32)),
        lambda folder: (folder / VECTORS_FILE).write_bytes(b"x"),
        lambda folder: (folder / VECTORS_FILE).write_bytes(b""),
        damaged_coder(lambda arrays: arrays.pop("mean")),
        damaged_coder(lambda arrays: arrays.update(signs=0 * arrays["signs"])),
        damaged_coder(lambda arrays: arrays.update(factor=np.array(np.nan))),
        damaged_coder(lambda arrays: arrays.update(matrix=arrays["matrix"].astype(np.int32))),
    ],
)
def test_a_damaged_file_is_named(folder: Path, damage: Callable[[Path], object]) -> None:
    damage(folder)

    with pytest.raises(IndexRefused, match="build the index again"):
        open_integer_recall(folder, ENCODER)
