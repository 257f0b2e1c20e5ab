"""What a build has in memory, and gives back."""

from pathlib import Path

import numpy as np
import pytest

from gmv.indexing.memory import let_go
from gmv.indexing.workspace import open_workspace

SMAPS = Path("/proc/self/smaps")


def resident_kilobytes(path: Path) -> int:
    """Of this process's mappings of a file."""
    total, is_of_file = 0, False
    for line in SMAPS.read_text().splitlines():
        name, _, value = line.partition(":")
        if "-" in name.split(" ")[0]:
            is_of_file = line.endswith(str(path))
        elif is_of_file and name == "Rss":
            total += int(value.split()[0])
    return total


@pytest.mark.skipif(not SMAPS.exists(), reason="only Linux says which pages of a file are in memory")
def test_what_is_staged_is_on_disk_and_not_in_this_process(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "index", {}) as workspace:
        staged = workspace.staged("staged.npy", (1_000, 4_096), np.int8)
        path = Path(str(staged.filename))
        staged[:] = np.arange(1_000)[:, np.newaxis] % 100
        assert resident_kilobytes(path) > 3_900
        staged.flush()
        let_go(staged)
        assert resident_kilobytes(path) == 0

        assert (staged[::100, 5] == np.arange(0, 1_000, 100) % 100).all()
        staged[7] = -1
        let_go(staged)  # also of what was not flushed yet
        assert (np.load(path)[7] == -1).all()


def test_an_array_that_is_not_mapped_stays_as_it_is() -> None:
    array = np.ones(3, np.int8).view(np.memmap)
    let_go(array)
    assert array.tolist() == [1, 1, 1]
