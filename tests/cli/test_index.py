"""`gmv index`, on corpora of a few small pictures."""

import resource
import subprocess
from pathlib import Path

import numpy as np
import orjson
import pytest

from gmv.index.opened import open_index
from gmv.settings import LedgerSettings
from tests.cli.command import command, gmv, gmv_json, refused
from tests.corpus.corpora import FILES, rows, write_features, write_folder, write_metadata, write_parquet
from tests.encoders.pictures import png

SIZE = ("--working-size", 16)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_parquet(tmp_path / "c.parquet", rows(4))


def test_what_is_built_is_told_and_can_be_looked_at_and_verified(
    sqlite: LedgerSettings, corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "new" / "index"
    built = gmv_json(sqlite, "index", "build", corpus, "--out", out, *SIZE)

    assert built["path"] == str(out)
    assert built["corpus"] | {"digest": ""} == {"images": 4, "owners": 3, "rejected": 0, "digest": ""}
    assert built["recall"] == {"factory": "integers", "measured": None, "lists": None}
    assert built["encoder"]["exact"]
    assert built["index_id"] == open_index(out, verify=True).index_id
    assert gmv_json(sqlite, "index", "info", out) == built | {"reading": None}
    assert gmv_json(sqlite, "index", "verify", out) == {"index_id": built["index_id"], "files": 7, "verified": True}


def test_a_published_index_is_fetched_by_its_id(sqlite: LedgerSettings, corpus: Path, tmp_path: Path) -> None:
    published, out = tmp_path / "published", tmp_path / "index"
    built = gmv_json(sqlite, "index", "build", corpus, "--out", published, *SIZE)
    fetch = ("index", "fetch", published.as_uri(), "--out", out, "--digest")

    assert "has the id" in refused(sqlite, 11, *fetch, "0" * 32)
    assert gmv_json(sqlite, *fetch, built["index_id"]) == built | {"path": str(out), "reading": None}


def test_what_was_read_and_passed_over_is_told(sqlite: LedgerSettings, tmp_path: Path) -> None:
    repository = tmp_path / "[art]"
    repository.mkdir()
    for split in ("train", "test"):
        write_parquet(repository / f"{split}-00000-of-00001.parquet", rows(4))
    build = ("index", "build", repository, "--out", tmp_path / "index", *SIZE)

    told = gmv(sqlite, *build).stdout
    assert f"read 4 rows of the split train from {repository}/train-00000-of-00001.parquet\n" in told
    assert "passed over 1 (split test): test-00000-of-00001.parquet\n" in told
    assert gmv_json(sqlite, *build, "--force", "--split", "test")["reading"] == {
        "tables": [f"{repository}/test-00000-of-00001.parquet"],
        "rows": 4,
        "splits": ["test"],
        "passed_over": [{"why": "split train", "files": 1, "first": ["train-00000-of-00001.parquet"]}],
        "owners_alike": [],
    }
    pattern = f"{tmp_path}/?art?/t*.parquet"
    assert "is that of" in refused(sqlite, 10, "index", "build", pattern, "--out", tmp_path / "both", *SIZE)


def test_people_see_a_table(sqlite: LedgerSettings, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    for done in (gmv(sqlite, "index", "build", corpus, "--out", out, *SIZE), gmv(sqlite, "index", "info", out)):
        assert done.returncode == 0, done.stderr
        assert "training images" in done.stdout
        assert "exact-descriptor/1@" in done.stdout
    assert "7 files are as they were built" in gmv(sqlite, "index", "verify", out).stdout


def test_flat_pictures_are_warned_of_when_they_are_built_or_added(
    sqlite: LedgerSettings, corpus: Path, tmp_path: Path
) -> None:
    out, flat = tmp_path / "index", png(np.zeros((32, 32, 3), np.uint8))
    build = ("index", "build", corpus, "--out", out, *SIZE)
    assert "flat pictures are near" not in gmv(sqlite, *build).stdout
    black = write_parquet(tmp_path / "b.parquet", [rows(1)[0] | {"image_id": "black", "image": {"bytes": flat}}])
    added = gmv(sqlite, "index", "add", out, black, "--out", tmp_path / "more")
    assert added.returncode == 0, added.stderr
    assert (
        "and are paid for it: 1 training image (black). Take them out by "
        f"`gmv index remove {tmp_path / 'more'} --images FILE`, or credit with `--evidence`"
    ) in added.stdout
    built = gmv(sqlite, "index", "build", corpus, black, "--out", tmp_path / "both", *SIZE).stdout
    assert "and are paid for it: 1 training image (black). Take them out by" in built


def test_columns_can_be_named(sqlite: LedgerSettings, tmp_path: Path) -> None:
    names = {"image_id": "key", "owner_id": "author", "image": "photo", "weight": "share"}
    renamed = [{new: row[old] for old, new in names.items()} for row in rows(3)]
    corpus = write_parquet(tmp_path / "c.parquet", renamed)
    options = [part for old, new in names.items() for part in (f"--{old.replace('_', '-')}-column", new)]
    gmv_json(sqlite, "index", "build", corpus, "--out", tmp_path / "i", *SIZE, *options)

    image = open_index(tmp_path / "i", verify=True).images.images([1])[0]
    row = next(row for row in rows(3) if row["image_id"] == image.image_id)
    assert (image.owner_id, image.weight) == (row["owner_id"], row["weight"])


def test_features_name_the_encoder_they_are_of(sqlite: LedgerSettings, tmp_path: Path) -> None:
    corpus = write_features(tmp_path / "f.parquet", 3)
    build = ("index", "build", corpus, "--out", tmp_path / "i", "--encoder-id", "theirs/1", "--factory", "RR2,Flat")
    built = gmv_json(sqlite, *build)

    assert built["recall"]["factory"] == "RR2,Flat"
    assert built["recall"]["measured"]["nearest_1"] == 1.0
    assert built["encoder"] == {
        "kind": "precomputed",
        "id": "theirs/1",
        "has_parameters": False,
        "vector_size": 4,
        "tokens_shape": [3, 2],
        "exact": False,
        "network": None,
    }


def test_an_index_grows_and_shrinks_and_says_of_what_it_was_made(
    sqlite: LedgerSettings, corpus: Path, tmp_path: Path
) -> None:
    parent, grown = tmp_path / "parent", tmp_path / "grown"
    built = gmv_json(sqlite, "index", "build", corpus, "--out", parent, *SIZE)
    more = write_parquet(tmp_path / "more.parquet", [{**row, "created": 5} for row in rows(6)[4:]])

    added = gmv_json(sqlite, "index", "add", parent, more, "--out", grown, "--registered-column", "created")
    assert [image.registered for image in open_index(grown, verify=True).images.all()].count(5) == 2
    parents = {"index_id": built["index_id"], "measured_index_id": built["index_id"]}
    assert added["parent"] == parents | {"added": 2, "removed": 0, "neighbours_kept": True}
    assert added["corpus"]["images"] == 6
    assert added["reading"]["rows"] == 2
    assert "2 images added, 0 removed" in gmv(sqlite, "index", "info", grown).stdout
    one = write_parquet(tmp_path / "one.parquet", rows(6)[4:5])
    gmv_json(sqlite, "index", "add", parent, one, "--out", tmp_path / "one")
    assert "1 image added, 0 removed" in gmv(sqlite, "index", "info", tmp_path / "one").stdout

    (tmp_path / "gone.txt").write_text("".join(f"{row['image_id']}\n" for row in rows(6)[4:]))
    remove = ("index", "remove", grown, "--out", tmp_path / "back")
    removed = gmv_json(sqlite, *remove, "--images", tmp_path / "gone.txt")
    assert removed["files"] == built["files"]
    assert "is no index" in refused(sqlite, 11, "index", "remove", tmp_path, "--owner", "x", "--out", tmp_path / "x")
    assert "No such file" in refused(sqlite, 2, *remove, "--images", tmp_path / "none.txt")
    assert "no owners 'nobody'" in refused(sqlite, 2, "index", "remove", grown, "--owner", "nobody", "--out", "x")
    assert "in the index already" in refused(sqlite, 10, "index", "add", grown, more, "--out", tmp_path / "x")


def test_an_altered_index_is_not_copied_from(sqlite: LedgerSettings, corpus: Path, tmp_path: Path) -> None:
    parent = tmp_path / "parent"
    gmv_json(sqlite, "index", "build", corpus, "--out", parent, *SIZE)
    (parent / "tokens.npy").write_bytes((parent / "tokens.npy").read_bytes()[:-1] + b"\xff")

    more = write_parquet(tmp_path / "more.parquet", rows(6)[4:])
    assert "was altered" in refused(sqlite, 11, "index", "add", parent, more, "--out", tmp_path / "grown")


def test_features_are_added_as_those_of_the_encoder_that_the_index_names(
    sqlite: LedgerSettings, tmp_path: Path
) -> None:
    parent = tmp_path / "parent"
    built = write_features(tmp_path / "f.parquet", 3)
    gmv_json(sqlite, "index", "build", built, "--out", parent, "--encoder-id", "theirs/1")
    more = write_features(tmp_path / "more.parquet", 3, image_id=["a", "i1x", "z"])

    added = gmv_json(sqlite, "index", "add", parent, more, "--out", tmp_path / "grown")
    assert added["encoder"]["id"] == "theirs/1"
    names = open_index(tmp_path / "grown", verify=True).images.image_ids.to_pylist()
    assert names == ["a", "i0", "i1", "i1x", "i2", "z"]
    calibrated = ("index", "add", parent, more, "--out", tmp_path / "c", "--calibrate")
    assert "--calibrate needs vectors" in refused(sqlite, 2, *calibrated)


def test_too_many_bad_images_end_a_build_by_name(sqlite: LedgerSettings, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder", rows(4))
    bad = rows(4)[2]["image_id"]
    (folder / bad).write_bytes(FILES[2][:50])
    arguments = ["index", "build", folder, "--out", tmp_path / "index", *SIZE]

    sentence = refused(sqlite, 10, *arguments)
    assert "1 of 4 images" in sentence
    assert bad in sentence
    assert gmv_json(sqlite, *arguments, "--bad-share-max", 0.25)["corpus"]["rejected"] == 1
    assert orjson.loads((tmp_path / "index" / "rejected.jsonl").read_bytes())["image_id"] == bad


def test_refusals_have_their_exit_codes(sqlite: LedgerSettings, corpus: Path, tmp_path: Path) -> None:
    out = tmp_path / "index"
    assert "is not there" in refused(sqlite, 10, "index", "build", tmp_path / "none", "--out", out)
    (tmp_path / "empty").mkdir()
    write_metadata(tmp_path / "empty", [["file_name", "owner_id"]])
    assert "holds no image" in refused(sqlite, 10, "index", "build", tmp_path / "empty", "--out", out)
    assert "--factory" in refused(sqlite, 2, "index", "build", corpus, "--out", out, *SIZE, "--factory", "Flat")
    gmv_json(sqlite, "index", "build", corpus, "--out", out, *SIZE)
    assert "--force" in refused(sqlite, 11, "index", "build", corpus, "--out", out, *SIZE)
    gmv_json(sqlite, "index", "build", corpus, "--out", out, *SIZE, "--force")
    (out / "tokens.npy").write_bytes((out / "tokens.npy").read_bytes()[:-1] + b"\xff")
    assert "tokens.npy was altered" in refused(sqlite, 11, "index", "verify", out)
    assert "is no index" in refused(sqlite, 11, "index", "info", tmp_path)


@pytest.mark.slow
def test_a_full_disk_has_its_exit_code(corpus: Path, tmp_path: Path) -> None:
    """A limit on the size of files ends a write as a full disk does."""
    done = subprocess.run(
        command("index", "build", corpus, "--out", tmp_path / "index", "--working-size", 16),
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )

    assert done.returncode == 12, done.stderr
    assert done.stderr.startswith("gmv: no space is left for the index in")
    assert done.stderr.count("\n") == 1
    assert not (tmp_path / "index").exists()
