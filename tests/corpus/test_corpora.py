import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from gmv.corpus.parquet_files import Columns
from gmv.corpus.port import ImageFile, MissingImage, TrainingImage, image_files
from gmv.errors import CorpusRefused
from tests.corpus.corpora import FILES, IMAGE, opened, rows, write_folder, write_metadata, write_parquet

COUNT = 12
CATALOGUE = [TrainingImage(row["image_id"], row["owner_id"], row["weight"]) for row in rows(COUNT)]
IMAGES = [ImageFile(row["image_id"], row["image"]["bytes"]) for row in rows(COUNT)]


def as_binary(path: Path) -> Path:
    return write_parquet(
        path / "c.parquet", [row | {"image": row["image"]["bytes"]} for row in rows(COUNT)], pa.large_binary()
    )


def as_shards(path: Path) -> Path:
    for number, start in enumerate(range(0, COUNT, 5)):
        write_parquet(path / f"train-{number:05}.parquet", rows(COUNT)[start : start + 5])
    return path


FORMS: dict[str, Callable[[Path], Path]] = {
    "struct": lambda path: write_parquet(path / "c.parquet", rows(COUNT)),
    "binary": as_binary,
    "shards": as_shards,
    "folder": lambda path: write_folder(path / "folder", rows(COUNT)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_corpus_reads_the_same(tmp_path: Path, form: str) -> None:
    corpus = opened(FORMS[form](tmp_path))

    assert corpus.catalogue().images == CATALOGUE
    assert list(corpus.images()) == IMAGES


def test_columns_may_have_other_names_and_weights_be_missing(tmp_path: Path) -> None:
    names = {"image_id": "key", "owner_id": "author", "image": "picture"}
    renamed = [{new: row[old] for old, new in names.items()} for row in rows(3)]
    for number, row in enumerate(renamed):
        row["key"] = number
    table = pa.table({name: pa.array([row[name] for row in renamed]) for name in names.values()})
    pa.parquet.write_table(table, tmp_path / "c.parquet")
    corpus = opened(tmp_path / "c.parquet", columns=Columns(**names))

    assert corpus.catalogue().images == [TrainingImage(str(number), f"owner {number}", 1.0) for number in range(3)]
    assert [image.image_id for image in corpus.images()] == ["0", "1", "2"]


def test_an_empty_weight_is_one_and_an_image_id_may_differ_from_its_file(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(FILES[0])
    write_metadata(
        tmp_path,
        [["file_name", "image_id", "owner_id", "weight"], ["a.png", "first", "o", ""], ["b.png", "", "o", "0.5"]],
    )

    assert opened(tmp_path).catalogue().images == [TrainingImage("first", "o", 1.0), TrainingImage("b.png", "o", 0.5)]


def test_an_image_that_is_not_there_comes_empty_and_says_why(tmp_path: Path) -> None:
    nothing = rows(2)
    nothing[1]["image"] = {"bytes": None, "path": "elsewhere.png"}
    parquet = opened(write_parquet(tmp_path / "c.parquet", nothing))
    nothing[1]["image"] = {"bytes": None, "path": None}
    empty = opened(write_parquet(tmp_path / "empty.parquet", nothing))
    folder = write_folder(tmp_path / "folder", rows(2))
    (folder / nothing[1]["image_id"]).unlink()

    for corpus, why in (
        (parquet, f"{tmp_path / 'elsewhere.png'}: No such file or directory"),
        (empty, "its row holds no image file"),
        (opened(folder), f"{folder / nothing[1]['image_id']}: No such file or directory"),
    ):
        first, second = (row["image_id"] for row in nothing)
        assert list(corpus.images()) == [ImageFile(first, FILES[0]), MissingImage(second, why)]


def test_no_more_of_a_file_is_read_than_allowed(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder", rows(1))

    (image,) = image_files(opened(folder, bytes_max=10))
    assert image.content == FILES[0][:11]  # one more than allowed, for the decoder to refuse


BAD_ROWS: dict[str, tuple[dict[str, Any], str]] = {
    "image id twice": ({"image_id": "00.png"}, "row 2: image_id '00.png' is that of .*row 0"),
    "image id missing": ({"image_id": None}, "row 2: image_id is missing"),
    "owner missing": ({"owner_id": None}, "row 2: owner_id is missing"),
    "owner empty": ({"owner_id": ""}, "row 2: owner_id is missing"),
    "owner too long": ({"owner_id": "x" * 257}, "row 2: owner_id 'xxx.*256 characters"),
    "owner with a line break": ({"owner_id": "a\nb"}, r"row 2: owner_id 'a\\nb' should .* visible"),
    "owner with blanks around": ({"owner_id": " ann"}, "row 2: owner_id ' ann' should .* no blanks around"),
    "weight above one": ({"weight": 1.01}, "row 2: weight 1.01 should be in"),
    "weight below zero": ({"weight": -0.1}, "row 2: weight -0.1 should be in"),
    "weight not a number": ({"weight": float("nan")}, "row 2: weight nan should be in"),
}


@pytest.mark.parametrize(("change", "sentence"), BAD_ROWS.values(), ids=BAD_ROWS)
def test_a_bad_row_is_refused_by_name(tmp_path: Path, change: dict[str, Any], sentence: str) -> None:
    corpus = rows(4)
    corpus[2] |= change

    with pytest.raises(CorpusRefused, match=rf"c\.parquet, {sentence}"):
        opened(write_parquet(tmp_path / "c.parquet", corpus)).catalogue()


BAD_LINES: dict[str, tuple[list[list[str]], str]] = {
    "no owner column": ([["file_name"], ["a.png"]], r"metadata\.csv has no column 'owner_id'"),
    "empty file": ([], "has no column 'file_name'"),
    "no images": ([["file_name", "owner_id"]], "holds no image"),
    "owner cut off": ([["file_name", "owner_id"], ["a.png"]], "line 2: 1 fields, where the first line has 2"),
    "file outside": ([["file_name", "owner_id"], ["../a.png", "o"]], "line 2: file_name '../a.png' .* inside"),
    "absolute file": ([["file_name", "owner_id"], ["/a.png", "o"]], "line 2: file_name '/a.png' .* inside"),
    "zero byte": ([["file_name", "owner_id"], ["a\0", "o"]], "line 2: file_name .* inside|cannot be read"),
    "no file": ([["file_name", "owner_id"], ["", "o"]], "line 2: file_name '' .* inside"),
    "weight": ([["file_name", "owner_id", "weight"], ["a", "o", "much"]], "line 2: weight 'much' is not a number"),
    "twice": ([["file_name", "owner_id"], ["a", "o"], ["a", "p"]], "line 3: image_id 'a' is that of .*line 2"),
}


@pytest.mark.parametrize(("lines", "sentence"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_bad_line_is_refused_by_name(tmp_path: Path, lines: list[list[str]], sentence: str) -> None:
    with pytest.raises(CorpusRefused, match=sentence):
        opened(write_metadata(tmp_path, lines)).catalogue()


def test_metadata_in_another_encoding_is_refused(tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_bytes("file_name,owner_id\na.png,J\u00fcrgen\n".encode("latin-1"))

    with pytest.raises(CorpusRefused, match="UTF-8"):
        opened(tmp_path).catalogue()


def test_an_empty_parquet_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusRefused, match="holds no image"):
        opened(write_parquet(tmp_path / "c.parquet", [])).catalogue()


@pytest.mark.parametrize("column", ["image_id", "owner_id", "image"])
def test_a_missing_column_is_refused_with_those_that_are_there(tmp_path: Path, column: str) -> None:
    without = [{name: value for name, value in row.items() if name != column} for row in rows(2)]

    with pytest.raises(CorpusRefused, match=rf"no column '{column}', but .*weight.*-column"):
        opened(write_parquet(tmp_path / "c.parquet", without)).catalogue()


@pytest.mark.parametrize("image", [pa.int64(), pa.struct([("path", pa.binary())]), pa.list_(pa.uint8())])
def test_a_column_without_image_files_is_refused(tmp_path: Path, image: pa.DataType) -> None:
    wrong = [row | {"image": None} for row in rows(2)]

    with pytest.raises(CorpusRefused, match=r"column 'image' is .* should be image files"):
        opened(write_parquet(tmp_path / "c.parquet", wrong, image)).catalogue()


def test_what_is_no_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusRefused, match="is not there"):
        opened(tmp_path / "nowhere")
    with pytest.raises(CorpusRefused, match="holds neither Parquet files nor"):
        opened(tmp_path)
    (tmp_path / "text.parquet").write_text("no Parquet")
    with pytest.raises(CorpusRefused, match="cannot be read as Parquet"):
        opened(tmp_path / "text.parquet").catalogue()


def test_a_fingerprint_tells_files_and_reading_apart(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "c.parquet", rows(3))
    first = opened(path).fingerprint()
    assert opened(path).fingerprint() == first
    assert opened(path, columns=Columns(owner_id="weight")).fingerprint() != first

    write_parquet(path, rows(4))
    assert opened(path).fingerprint() != first
    folder = write_folder(tmp_path / "folder", rows(3))
    before = opened(folder).fingerprint()
    shutil.copy(folder / "07.png", folder / "00.png")
    assert opened(folder).fingerprint() != before


def test_the_struct_is_what_hugging_face_writes() -> None:
    assert [field.name for field in IMAGE] == ["bytes", "path"]
