"""Indexes of real images: parts of the example corpus, built as a user builds them, and once for all processes."""

import fcntl
import os
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


def built_once(tmp_path_factory: pytest.TempPathFactory, images: int) -> Index:
    """Open the index of so many images, which whichever process of this test run comes first has built.

    It is there for all, so nobody may write to it. The others wait for its lock, which ends with its process.
    """
    folder = run_folder(tmp_path_factory) / f"index-of-{images}"
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        index = folder / "index"  # it has this name once it is whole
        return open_index(index if index.exists() else build(folder, images), verify=True)


def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the temporary folder of the whole test run: pytest-xdist gives each of its processes one inside."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def small_index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """40 images."""
    return built_once(tmp_path_factory, 40)


@pytest.fixture(scope="session")
def larger_index(tmp_path_factory: pytest.TempPathFactory) -> Index:
    """1,000 images."""
    return built_once(tmp_path_factory, 1_000)
