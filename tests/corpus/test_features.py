from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gmv.corpus.features import FeaturesCorpus, FeaturesShape, check_features
from gmv.corpus.tables import find_tables
from gmv.errors import CorpusRefused, Poison, Reason
from tests.corpus.corpora import write_features

SHAPE = FeaturesShape(4, 3, 2)
VECTOR = [1.0, 0.0, 0.0, 0.0]
TOKENS = [[0.5, 1.0], [2.0, 3.0], [4.0, 5.0]]


def corpus(path: Path, **changed: Any) -> FeaturesCorpus:
    return FeaturesCorpus(find_tables([write_features(path / "f.parquet", 2, **changed)]), "theirs/1")


def test_features_come_as_they_were_written(tmp_path: Path) -> None:
    features = corpus(tmp_path)
    first = next(features.images())
    check_features(first, features.shape)
    vector, tokens = first.vector, first.tokens

    assert features.shape == SHAPE
    assert vector.tolist() == VECTOR
    assert tokens.tolist() == TOKENS
    assert vector.dtype == tokens.dtype == np.float32
    assert [image.image_id for image in features.catalogue().images] == ["i0", "i1"]


@pytest.mark.parametrize("type_", [pa.list_(pa.float64(), 4), pa.large_list(pa.float16()), pa.list_(pa.int32())])
def test_any_list_of_numbers_is_a_vector(tmp_path: Path, type_: pa.DataType) -> None:
    features = corpus(tmp_path, vector=pa.array([np.array(VECTOR, np.float16)] * 2, pa.list_(pa.float16())).cast(type_))
    features.catalogue()

    assert next(features.images()).vector.tolist() == VECTOR


BAD: dict[str, dict[str, Any]] = {
    "no vector": {"vector": [VECTOR, None]},
    "another size": {"vector": [VECTOR, [1.0]]},
    "no tokens": {"tokens": [TOKENS, None]},
    "fewer tokens": {"tokens": [TOKENS, TOKENS[:2]]},
    "ragged tokens": {"tokens": [TOKENS, [[1.0], [1.0, 2.0], [3.0, 4.0]]]},
    "as many numbers in another shape": {"tokens": [TOKENS, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]]},
    "not a number": {"vector": [VECTOR, [float("nan"), 0.0, 0.0, 0.0]]},
    "a number missing": {"vector": [VECTOR, [None, 0.0, 0.0, 0.0]]},
    "infinite": {"tokens": [TOKENS, [[float("inf"), 0.0]] * 3]},
    "beyond float16": {"tokens": [TOKENS, [[70_000.0, 0.0]] * 3]},
}


@pytest.mark.parametrize("changed", BAD.values(), ids=BAD)
def test_bad_features_are_poison(tmp_path: Path, changed: dict[str, Any]) -> None:
    features = corpus(tmp_path, **changed)
    good, bad = features.images()
    check_features(good, features.shape)

    with pytest.raises(Poison) as refused:
        check_features(bad, features.shape)
    assert refused.value.reason is Reason.INVALID_FEATURES


@pytest.mark.parametrize("changed", [{"vector": ["a", "b"]}, {"tokens": [VECTOR] * 2}, {"vector": [["a"], ["b"]]}])
def test_columns_of_another_type_are_refused(tmp_path: Path, changed: dict[str, Any]) -> None:
    with pytest.raises(CorpusRefused, match=f"column '{next(iter(changed))}' is .*; it should be a list"):
        corpus(tmp_path, **changed).catalogue()


def test_a_first_row_without_features_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusRefused, match="row 0"):
        _ = corpus(tmp_path, vector=pa.array([None, VECTOR], pa.list_(pa.float32()))).shape
