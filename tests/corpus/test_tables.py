"""Which files of a folder are a corpus: all others are counted, with the reason."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from gmv.corpus.port import ImageFile, MissingImage
from gmv.errors import CorpusRefused
from gmv.passed_over import PassedOver
from tests.corpus.corpora import FILES, opened, rows, write_folder, write_metadata, write_parquet


def repository(root: Path, *files: str) -> Path:
    """Two rows in each file, by names that differ."""
    for number, file in enumerate(files):
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        write_parquet(path, [row | {"image_id": f"{number}-{row['image_id']}"} for row in rows(2)])
    return root


def read(*paths: Path, **how: Any) -> tuple[list[str], tuple[str, ...], dict[str, tuple[str, ...]]]:
    """Return names of the files read, splits, and what was passed over by reason."""
    reading = opened(*paths, **how).catalogue().reading
    assert reading.rows == 2 * len(reading.tables)
    return (
        [Path(table).name for table in reading.tables],
        reading.splits,
        {each.why: each.first for each in reading.passed_over},
    )


TRAIN, TEST, DEV = (f"data/{split}-00000-of-00001.parquet" for split in ("train", "test", "dev"))


def test_of_a_repository_the_training_split_is_read_and_the_others_are_told(tmp_path: Path) -> None:
    repository(tmp_path, TRAIN, TEST, DEV, "data/train-00001-of-00002.parquet")
    (tmp_path / "README.md").write_text("---\nconfigs: []\n---")

    assert read(tmp_path) == (
        [Path(TRAIN).name, "train-00001-of-00002.parquet"],
        ("train",),
        {"split test": (TEST,), "split validation": (DEV,)},
    )


@pytest.mark.parametrize(
    ("wanted", "files"), [(["test"], 1), (["test", "validation"], 2), (["all"], 3)], ids=lambda value: str(value)
)
def test_other_splits_are_read_where_they_are_wanted(tmp_path: Path, wanted: list[str], files: int) -> None:
    repository(tmp_path, TRAIN, TEST, DEV)

    assert len(read(tmp_path, splits=wanted)[0]) == files


LAYOUTS: dict[str, tuple[list[str], str, int]] = {
    "files by name": (["train.parquet", "test.parquet"], "train", 1),
    "folders": (["train/0.parquet", "validation/0.parquet"], "train", 1),
    "configurations": (["default/train/0000.parquet", "default/test/0000.parquet"], "train", 1),
    "split columns": (["split=train/0.parquet", "split=held_out/0.parquet"], "train", 1),
    "one split of any name": (["holdout-00000-of-00001.parquet"], "holdout", 1),
    "words within names": (["art_training_1.parquet", "art_eval_1.parquet"], "train", 1),
}


@pytest.mark.parametrize(("files", "split", "read_"), LAYOUTS.values(), ids=LAYOUTS)
def test_splits_are_known_by_files_and_folders(tmp_path: Path, files: list[str], split: str, read_: int) -> None:
    tables, splits, others = read(repository(tmp_path, *files))

    assert (len(tables), splits) == (read_, (split,))
    assert sum(map(len, others.values())) == len(files) - read_


@pytest.mark.parametrize("files", [["brain.parquet", "testament.parquet"], ["a/devon.parquet", "trained/b.parquet"]])
def test_words_that_only_begin_like_a_split_are_none(tmp_path: Path, files: list[str]) -> None:
    assert read(repository(tmp_path, *files)) == ([Path(file).name for file in files], (), {})


@pytest.mark.parametrize(
    ("files", "splits", "sentence"),
    [
        (["test.parquet", "valid.parquet"], [], "which split holds the training images.*--split all"),
        (["train.parquet", "more.parquet"], [], "others none, such as more.parquet; choose by --split"),
        ([TRAIN, TEST], ["dev"], "no split 'dev', but test: 1 files, such as data/test.*; train"),
        (["a.parquet"], ["train"], "no split 'train', but none that files name"),
    ],
)
def test_where_the_split_cannot_be_told_it_is_asked_for(
    tmp_path: Path, files: list[str], splits: list[str], sentence: str
) -> None:
    with pytest.raises(CorpusRefused, match=sentence):
        opened(repository(tmp_path, *files), splits=splits)


def test_several_files_and_patterns_are_read_in_the_order_given_and_once(tmp_path: Path) -> None:
    repository(tmp_path, TRAIN, TEST, "b.parquet", "a.parquet")

    tables, splits, _ = read(tmp_path / "b.parquet", tmp_path / "?.parquet", tmp_path / "data" / "t*-*.parquet")

    assert tables == ["b.parquet", "a.parquet", Path(TEST).name, Path(TRAIN).name]
    assert splits == ("test", "train")
    with pytest.raises(CorpusRefused, match=r"no file is named like .*x\*"):
        opened(tmp_path / "x*")


def test_hidden_files_and_folders_below_are_passed_over(tmp_path: Path) -> None:
    repository(tmp_path, "c.parquet", "index/images.parquet")
    (tmp_path / "._c.parquet").write_bytes(b"\0\5\x16\7")
    (tmp_path / ".cache").mkdir()
    shutil.copy(tmp_path / "c.parquet", tmp_path / ".cache" / "d.parquet")

    (tmp_path / "_temporary").mkdir()
    shutil.copy(tmp_path / "c.parquet", tmp_path / "_temporary" / "e.parquet")

    tables, _, others = read(tmp_path)

    assert tables == ["c.parquet"]
    assert others == {
        "hidden": ("._c.parquet", ".cache/d.parquet", "_temporary/e.parquet"),
        "in folders below": ("index/images.parquet",),
    }


def test_folders_named_after_columns_give_them(tmp_path: Path) -> None:
    for owner in ("ada", "ben%20b"):
        folder = tmp_path / f"owner_id={owner}"
        folder.mkdir()
        write_parquet(folder / "part-0.parquet", [{"image_id": owner, "image": rows(1)[0]["image"]}])

    assert [image.owner_id for image in opened(tmp_path).catalogue().images] == ["ada", "ben b"]

    write_parquet(tmp_path / "owner_id=ada" / "part-0.parquet", rows(1))
    with pytest.raises(CorpusRefused, match=r"part-0.parquet, row 0: owner_id is 'owner 0', and its folder says 'ada'"):
        opened(tmp_path).catalogue()


def test_a_row_without_an_owner_is_refused_in_folders_too(tmp_path: Path) -> None:
    folder = tmp_path / "owner_id=__HIVE_DEFAULT_PARTITION__"
    folder.mkdir()
    write_parquet(folder / "p.parquet", [{"image_id": "a", "image": rows(1)[0]["image"]}])

    with pytest.raises(CorpusRefused, match="row 0: owner_id is missing"):
        opened(tmp_path).catalogue()


def test_splits_of_image_folders(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write_folder(tmp_path / split, rows(2))

    reading = opened(tmp_path).catalogue().reading
    assert (reading.splits, reading.rows) == (("train",), 2)
    with pytest.raises(CorpusRefused, match=r"image_id '00\.png' is that of"):
        opened(tmp_path, splits=["all"]).catalogue()


def test_what_rows_and_files_do_not_agree_on_is_counted_and_named(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "c", rows(3))
    (folder / "07.png").unlink()
    (folder / "deep").mkdir()
    for name in ("unnamed.png", "deep/more.png", ".hidden.png"):
        (folder / name).write_bytes(FILES[0])

    assert opened(folder).catalogue().reading.passed_over == (
        PassedOver("named, and not there", 1, (str(folder / "07.png"),)),
        PassedOver("no row names them", 2, (str(folder / "deep/more.png"), str(folder / "unnamed.png"))),
    )


def test_a_download_cache_of_links_is_read(tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "blobs", tmp_path / "snapshots" / "abc"
    blobs.mkdir()
    snapshot.mkdir(parents=True)
    (blobs / "m").write_text("file_name,owner_id\na.png,ann\nimages/b.png,ben\n")
    (blobs / "deep").mkdir()
    for blob, content in (("1", FILES[0]), ("deep/b.png", FILES[1])):
        (blobs / blob).write_bytes(content)
    for link, target in (("metadata.csv", "m"), ("a.png", "1"), ("images", "deep")):
        (snapshot / link).symlink_to(os.path.relpath(blobs / target, snapshot))

    corpus = opened(snapshot)

    assert corpus.catalogue().reading.passed_over == ()
    assert list(corpus.images()) == [ImageFile("a.png", FILES[0]), ImageFile("images/b.png", FILES[1])]


def test_backslashes_are_named_where_a_file_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "odd\\name.png").write_bytes(FILES[0])
    write_metadata(tmp_path, [["file_name", "owner_id"], ["odd\\name.png", "ann"]])
    assert len(opened(tmp_path).catalogue().images) == 1

    write_metadata(tmp_path, [["file_name", "owner_id"], ["train\\00.png", "ann"]])
    with pytest.raises(CorpusRefused, match=r"line 2: file_name 'train\\\\00.png' has backslashes"):
        opened(tmp_path).catalogue()


@pytest.mark.parametrize("other", ["metadata.jsonl", "c.parquet"])
def test_two_kinds_in_one_folder_are_asked_about(tmp_path: Path, other: str) -> None:
    write_metadata(tmp_path, [["file_name", "owner_id"]])
    (tmp_path / other).touch()

    with pytest.raises(CorpusRefused, match=r"holds .*metadata.csv.*; name the one that is meant"):
        opened(tmp_path)
    assert opened(tmp_path / "metadata.csv")
    if other == "c.parquet":
        with pytest.raises(CorpusRefused, match="give one kind"):
            opened(tmp_path / other, tmp_path / "metadata.csv")


def test_columns_of_metadata_may_have_other_names(tmp_path: Path) -> None:
    from gmv.corpus.parquet_files import Columns

    (tmp_path / "a.png").write_bytes(FILES[0])
    (tmp_path / "list.csv").write_text("file_name,key,artist,share\na.png,k,ann,0.25\nb.png,l,ben,\n")

    corpus = opened(tmp_path / "list.csv", columns=Columns(image_id="key", owner_id="artist", weight="share"))

    assert [tuple(vars_of(image)) for image in corpus.catalogue().images] == [("k", "ann", 0.25), ("l", "ben", 1.0)]
    assert [type(image) for image in corpus.images()] == [ImageFile, MissingImage]


def test_a_name_that_no_file_can_have_is_a_file_that_is_not_there(tmp_path: Path) -> None:
    name = "data:image/png;base64;" + "A" * 50_000
    (tmp_path / "metadata.csv").write_text(f"file_name,owner_id\na.png,ann\n{name},ben\n")
    (tmp_path / "a.png").write_bytes(FILES[0])

    with pytest.raises(CorpusRefused, match=r"line 3: image_id .* at most 256 characters"):
        opened(tmp_path).catalogue()
    (tmp_path / "metadata.csv").write_text(f"file_name,image_id,owner_id\n{name},b,ben\n")
    (missing,) = opened(tmp_path).images()
    assert isinstance(missing, MissingImage)
    assert len(missing.why) < 300
    assert [each.files for each in opened(tmp_path).catalogue().reading.passed_over] == [1, 1]
    assert all(len(name) < 300 for each in opened(tmp_path).catalogue().reading.passed_over for name in each.first)


def vars_of(image: Any) -> list[Any]:
    return [image.image_id, image.owner_id, image.weight]
