import multiprocessing
import resource
from pathlib import Path

import numpy as np
import pytest

from gmv.errors import DiskFull, IndexRefused
from gmv.indexing.workspace import open_workspace

INPUTS = {"corpus": "a", "images": 3}


def test_what_is_published_stands_alone_under_its_name(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "out", INPUTS) as workspace:
        workspace.write("kept", b"1")
        workspace.staged("staged.npy", (2, 2), np.float32)
        workspace.publish(tmp_path / "out", frozenset({"kept"}))

    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["kept"]


def test_a_workspace_of_the_same_inputs_is_gone_on_with(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "out", INPUTS) as workspace:
        workspace.staged("rows.npy", (3, 2), np.float32)[1] = 7
        workspace.note({"images": 2})
    with open_workspace(tmp_path / "out", INPUTS) as workspace:
        assert workspace.journal == [{"inputs": INPUTS}, {"images": 2}]
        assert workspace.staged("rows.npy", (3, 2), np.float32).tolist() == [[0, 0], [7, 7], [0, 0]]


def test_a_workspace_of_other_inputs_is_emptied(tmp_path: Path) -> None:
    with open_workspace(tmp_path / "out", INPUTS) as workspace:
        workspace.write("file", b"1")
        workspace.note({"images": 2})
    with open_workspace(tmp_path / "out", INPUTS | {"images": 4}) as workspace:
        assert not (workspace.folder / "file").exists()
        assert len(workspace.journal) == 1


@pytest.mark.parametrize("cut", range(1, 15))
def test_a_line_cut_off_in_writing_counts_as_not_written(tmp_path: Path, cut: int) -> None:
    with open_workspace(tmp_path / "out", INPUTS) as workspace:
        workspace.note({"images": 2})
    journal = tmp_path / "out.partial" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    with open_workspace(tmp_path / "out", INPUTS) as workspace:
        workspace.note({"images": 1})
    with open_workspace(tmp_path / "out", INPUTS) as workspace:
        assert workspace.journal == [{"inputs": INPUTS}, {"images": 1}]


def test_two_builds_at_once_are_refused(tmp_path: Path) -> None:
    with (
        open_workspace(tmp_path / "out", INPUTS),
        pytest.raises(IndexRefused, match=r"another process is building in .*out\.partial"),
        open_workspace(tmp_path / "out", INPUTS),
    ):
        pass


def _fill(out: Path) -> str:
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
    try:
        with open_workspace(out, INPUTS) as workspace:
            workspace.write("small", bytes(9_000))
            workspace.staged("large.npy", (10_000, 2), np.float32)
    except DiskFull as refused:
        return str(refused)
    return "not refused"


def test_a_full_disk_is_told_and_what_was_done_is_kept(tmp_path: Path) -> None:
    """A limit on the size of files ends a write as a full disk does, and needs no file system of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        sentence = pool.apply(_fill, [tmp_path / "out"])

    assert "no space is left" in sentence
    assert "out.partial" in sentence
    assert not (tmp_path / "out").exists()
    with open_workspace(tmp_path / "out", INPUTS) as workspace:
        assert (workspace.folder / "small").stat().st_size == 9_000
        assert workspace.staged("large.npy", (10_000, 2), np.float32).shape == (10_000, 2)
