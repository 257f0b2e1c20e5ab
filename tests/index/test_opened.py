import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from gmv.corpus.port import TrainingImage
from gmv.errors import IndexRefused
from gmv.index.digests import file_entry
from gmv.index.images import write_images
from gmv.index.manifest import (
    ENCODER_FILE,
    IMAGES_FILE,
    INTEGER_FILES,
    MANIFEST,
    REJECTED_FILE,
    TOKENS_FILE,
    Manifest,
    read_manifest,
)
from gmv.index.opened import open_index
from tests.corpus.corpora import FILES, rows, write_parquet
from tests.indexing.index_builds import build

HASHED = [ENCODER_FILE, IMAGES_FILE, *INTEGER_FILES, REJECTED_FILE, TOKENS_FILE]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that left one image out, so that no file of it is empty."""
    folder = tmp_path_factory.mktemp("built")
    corpus = rows(6)
    corpus[1]["image"] = {"bytes": FILES[1][:30], "path": None}
    build(write_parquet(folder / "c.parquet", corpus), folder / "index", bad_share_max=0.5)
    return folder / "index"


@pytest.fixture
def index(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "index")


def vouch(index: Path, change: Callable[[dict[str, Any]], None] = lambda _: None) -> None:
    """Make the manifest vouch for the files as they are now, and change it."""
    manifest = orjson.loads((index / MANIFEST).read_bytes())
    manifest["files"] = {name: file_entry(index / name).model_dump() for name in manifest["files"]}
    change(manifest)
    (index / MANIFEST).write_bytes(orjson.dumps(manifest))


def test_the_manifest_vouches_for_all_files(built: Path) -> None:
    manifest, index_id = read_manifest(built)

    assert sorted(manifest.files) == sorted(HASHED)
    assert sorted(path.name for path in built.iterdir()) == sorted([*HASHED, MANIFEST])
    assert open_index(built, verify=True).index_id == index_id
    assert Manifest.model_validate_json(manifest.to_bytes()) == manifest


@pytest.mark.parametrize("name", HASHED)
@pytest.mark.parametrize("place", ["first", "middle", "last"])
def test_a_flipped_bit_is_refused_by_the_name_of_its_file(index: Path, name: str, place: str) -> None:
    content = bytearray((index / name).read_bytes())
    content[{"first": 0, "middle": len(content) // 2, "last": -1}[place]] ^= 1
    (index / name).write_bytes(content)

    with pytest.raises(IndexRefused, match=f"{name} was altered"):
        open_index(index, verify=True)


@pytest.mark.parametrize("verify", [True, False])
@pytest.mark.parametrize("name", HASHED)
@pytest.mark.parametrize("change", ["missing", "shorter", "longer"])
def test_a_file_that_is_missing_or_of_another_size_is_refused(
    index: Path, name: str, change: str, verify: bool
) -> None:
    path = index / name
    match change:
        case "missing":
            path.unlink()
        case "shorter":
            path.write_bytes(path.read_bytes()[:-1])
        case "longer":
            path.write_bytes(path.read_bytes() + b"\0")

    with pytest.raises(IndexRefused, match=f"{name}.*(No such file|bytes, it was built with)"):
        open_index(index, verify)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (["format"], "other"),
        (["format_version"], 2),
        (["unheard_of"], 1),
        (["encoder", "vector_size"], 0),
        (["corpus", "digest"], "short"),
        (["recall", "factory"], None),
        (["neighbours", "top_share"], 1.5),
    ],
)
def test_a_manifest_of_another_kind_is_refused(index: Path, path: list[str], value: object) -> None:
    def change(manifest: dict[str, Any]) -> None:
        for part in path[:-1]:
            manifest = manifest[part]
        manifest[path[-1]] = value

    vouch(index, change)
    with pytest.raises(IndexRefused, match=rf"manifest\.json cannot be used: {'.'.join(path)}"):
        open_index(index, verify=True)


@pytest.mark.parametrize(
    ("change", "advice"),
    [
        ({"format_version": 2}, "of format 2, and this gmv reads 1: install a newer one, or build the index again"),
        ({"format_version": 10**15}, "and this gmv reads 1: install a newer one"),
        ({"format_version": 0}, "of format 0, and this gmv reads 1: build the index again"),
        ({"format_version": "1"}, "of format '1', and this gmv reads 1: build the index again"),
        ({"groups": {}}, "a newer gmv may have built it: install that one, or build the index again"),
        ({"format_version": 3, "groups": {}, "encoder": None}, "of format 3, and this gmv reads 1: install a newer"),
        ({"corpus": None}, "build the index again with this gmv"),
    ],
)
def test_an_older_or_newer_format_is_said(index: Path, change: dict[str, Any], advice: str) -> None:
    vouch(index, lambda manifest: manifest.update(change))

    with pytest.raises(IndexRefused, match=advice) as refused:
        open_index(index, verify=True)
    assert "\n" not in str(refused.value)


def test_a_folder_without_a_manifest_is_refused(index: Path, tmp_path: Path) -> None:
    (index / MANIFEST).write_bytes(b"{")
    with pytest.raises(IndexRefused, match="cannot be used"):
        open_index(index, verify=True)
    (index / MANIFEST).unlink()
    for folder in (index, tmp_path / "nowhere"):
        with pytest.raises(IndexRefused, match=r"is no index.*gmv index build"):
            open_index(folder, verify=True)


def test_another_encoder_is_refused(index: Path, tmp_path: Path) -> None:
    build(write_parquet(tmp_path / "c.parquet", rows(9)), tmp_path / "other")
    shutil.copy(tmp_path / "other" / ENCODER_FILE, index)
    vouch(index)

    with pytest.raises(IndexRefused, match=r"is exact-descriptor/1@\w+, but the index was built by exact"):
        open_index(index, verify=True)


def test_files_that_do_not_fit_each_other_are_refused(index: Path) -> None:
    tokens = np.load(index / TOKENS_FILE)
    np.save(index / TOKENS_FILE, tokens[:-1])
    vouch(index)
    with pytest.raises(IndexRefused, match=r"tokens\.npy holds \(4, 64, (\d+)\), its manifest says \(5, 64, \1\)"):
        open_index(index, verify=True)

    np.save(index / TOKENS_FILE, tokens)
    write_images(index / IMAGES_FILE, [TrainingImage("one", "o", 1.0)])
    vouch(index)
    with pytest.raises(IndexRefused, match=r"images\.arrow holds \(1,\), its manifest says \(5,\)"):
        open_index(index, verify=True)


def test_the_index_id_changes_with_any_bit_of_the_manifest(index: Path, built: Path) -> None:
    vouch(index, lambda manifest: manifest["defaults"].update(temperature=2.0))

    assert read_manifest(index)[1] != read_manifest(built)[1]
