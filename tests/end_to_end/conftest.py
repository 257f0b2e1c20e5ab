"""Indexes of real images: parts of the example corpus, built as a user builds them."""

from pathlib import Path

import pyarrow.parquet as parquet
import pytest

from gmv.index.opened import Index, open_index
from tests.end_to_end.command import gmv

EXAMPLE_CORPUS = Path(__file__).parents[2] / "worker" / "gmv" / "demo" / "corpus.parquet"


def build(folder: Path, images: int) -> Path:
    """Build an index of the first images of the example corpus."""
    corpus = folder / "corpus.parquet"
    parquet.write_table(parquet.read_table(EXAMPLE_CORPUS).slice(0, images), corpus)
    gmv("index", "build", corpus, "--out", folder / "index")
    return folder / "index"


@pytest.fixture(scope="session")
def small_index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """40 images."""
    return open_index(build(tmp_path_factory.mktemp("small"), 40), verify=True)


@pytest.fixture(scope="session")
def larger_index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """1,000 images."""
    return open_index(build(tmp_path_factory.mktemp("larger"), 1_000), verify=True)
