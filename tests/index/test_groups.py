"""The groups of an index: their order by registration, their file, and what is refused."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from gmv.corpus.port import TrainingImage
from gmv.errors import IndexRefused
from gmv.index.groups import no_groups, open_groups, write_groups
from gmv.index.images import ArrowImages, open_images, write_images

MOMENTS = [datetime(2024, month, 1, tzinfo=UTC) for month in range(1, 5)]


def table(folder: Path, registered: list[datetime | int | None]) -> ArrowImages:
    images = [TrainingImage(f"i{row}", "o", 1.0, said) for row, said in enumerate(registered)]
    write_images(folder / "images.arrow", images)
    opened = open_images(folder / "images.arrow")
    assert opened.images(range(len(images))) == images
    return opened


@pytest.mark.parametrize(
    ("registered", "order"),
    [
        ([None] * 5, [0, 2, 4]),
        ([9, 9, 3, 9, 9], [2, 0, 4]),
        ([5, 1, None, 1, -5], [4, 0, 2]),
        ([MOMENTS[2], None, MOMENTS[2], None, MOMENTS[0]], [4, 0, 2]),
        ([None, MOMENTS[0], None, None, MOMENTS[3]], [4, 0, 2]),
    ],
)
def test_members_are_in_order_of_registration_then_those_without_by_image_id(
    tmp_path: Path, registered: list[datetime | int | None], order: list[int]
) -> None:
    images = table(tmp_path, registered)
    write_groups(tmp_path / "groups.npy", np.array([0, 1, 0, 3, 0], np.int32))
    groups = open_groups(tmp_path / "groups.npy", images)
    assert len(groups) == 1
    assert [groups.members(row).tolist() for row in range(5)] == [order, [], order, [], order]
    assert [rows.tolist() for rows in groups.groups()] == [order]


def test_an_index_may_be_without_groups(tmp_path: Path) -> None:
    groups = no_groups(table(tmp_path, [None] * 3))
    assert len(groups) == 0
    assert groups.groups() == []
    assert groups.members(2).tolist() == []


@pytest.mark.parametrize(
    "content",
    [
        np.zeros(4, np.int32),
        np.zeros(5, np.int64),
        np.array([0, 2, 2, 3, 4], np.int32),
        np.array([0, 0, 1, 3, 4], np.int32),
        np.array([0, 0, -1, 3, 4], np.int32),
    ],
    ids=["too short", "another type", "a higher row", "not the lowest", "below 0"],
)
def test_a_file_of_anything_else_is_refused(tmp_path: Path, content: np.ndarray) -> None:
    images = table(tmp_path, [None] * 5)
    np.save(tmp_path / "groups.npy", content)
    with pytest.raises(IndexRefused, match=r"groups\.npy"):
        open_groups(tmp_path / "groups.npy", images)


def test_a_missing_file_and_one_of_another_kind_are_refused(tmp_path: Path) -> None:
    images = table(tmp_path, [None])
    for content in (None, b"no array"):
        if content is not None:
            (tmp_path / "groups.npy").write_bytes(content)
        with pytest.raises(IndexRefused, match=r"groups\.npy cannot be mapped"):
            open_groups(tmp_path / "groups.npy", images)
