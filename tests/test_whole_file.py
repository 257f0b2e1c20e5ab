"""A file is under its name whole, or as it was before."""

from pathlib import Path

import pytest

from gmv.whole_file import whole_file, write_whole


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "report"
    write_whole(path, b"old")
    with pytest.raises(TypeError), whole_file(path) as file:
        file.writelines([b"half of the new", None])  # type: ignore[list-item]
    assert list(tmp_path.iterdir()) == [path]
    assert path.read_bytes() == b"old"
    write_whole(path, b"new")
    assert (path.read_bytes(), list(tmp_path.iterdir())) == (b"new", [path])
