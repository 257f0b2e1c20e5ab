import filecmp
import shutil
from pathlib import Path

import numpy as np
import orjson
import pytest

from gmv.assembly.index import open_index
from gmv.encoders.fitting import FittingSettings
from gmv.errors import CorpusRefused, IndexRefused, InvalidSettings, Poison
from gmv.imaging import ImageLimits, decode_image
from gmv.index.corpora import open_corpus
from gmv.index.manifest import MANIFEST, Manifest
from gmv.index.workspace import open_workspace
from tests.assembly.builds import build, build_killed_at
from tests.encoders.pictures import picture
from tests.index.corpora import FILES, rows, write_features, write_folder, write_parquet

COUNT = 9


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parquet(tmp_path_factory.mktemp("corpus") / "c.parquet", rows(COUNT))


@pytest.fixture(scope="module")
def built(corpus: Path) -> Path:
    build(corpus, corpus.parent / "index")
    return corpus.parent / "index"


@pytest.fixture
def copy(built: Path, tmp_path: Path) -> Path:
    return shutil.copytree(built, tmp_path / "copy")


def is_same(one: Path, other: Path) -> bool:
    names = sorted(path.name for path in one.iterdir())
    assert names == sorted(path.name for path in other.iterdir())
    return filecmp.cmpfiles(one, other, names, shallow=False) == (names, [], [])


def with_bad(count: int, bad: list[int]) -> list[dict[str, object]]:
    corpus = rows(count)
    for place in bad:
        corpus[place]["image"] = {"bytes": FILES[place][:40], "path": None}
    return corpus


def test_rows_are_in_order_of_image_id_and_hold_what_the_encoder_sees(built: Path) -> None:
    index = open_index(built, verify=True)
    ordered = sorted(rows(COUNT), key=lambda row: row["image_id"])
    limits = ImageLimits(10**6, 10**6)
    features = index.encoder.encode([decode_image(row["image"]["bytes"], limits) for row in ordered])
    everything = np.arange(COUNT)

    assert [(image.image_id, image.owner_id, image.weight) for image in index.images.images(everything)] == [
        (row["image_id"], row["owner_id"], row["weight"]) for row in ordered
    ]
    assert (index.tokens.tokens(everything) == features.tokens).all()
    assert [nearest[0] for nearest in index.recall.recall(features.vectors, 3)] == everything.tolist()


def test_the_same_corpus_gives_the_same_bits_in_any_form_and_order(built: Path, tmp_path: Path) -> None:
    build(write_folder(tmp_path / "folder", rows(COUNT)), tmp_path / "from-folder", threads=2)
    build(write_parquet(tmp_path / "turned.parquet", rows(COUNT)[::-1]), tmp_path / "from-turned")

    assert is_same(built, tmp_path / "from-folder")
    assert is_same(built, tmp_path / "from-turned")


def test_another_owner_weight_or_picture_gives_another_index(built: Path, tmp_path: Path) -> None:
    changes = {"owner_id": "someone else", "weight": 0.125, "image": {"bytes": FILES[20], "path": None}}
    digests = {Manifest.model_validate_json((built / MANIFEST).read_bytes()).corpus.digest}
    for name, value in changes.items():
        changed = rows(COUNT)
        changed[4] |= {name: value}
        out = tmp_path / name
        digests.add(build(write_parquet(tmp_path / "c.parquet", changed), out).corpus.digest)

    assert len(digests) == 4


def test_bad_images_are_left_out_and_named(tmp_path: Path) -> None:
    corpus = write_parquet(tmp_path / "c.parquet", with_bad(COUNT, [0, 5]))
    manifest = build(corpus, tmp_path / "index", bad_share_max=0.25)
    index = open_index(tmp_path / "index", verify=True)
    told = [orjson.loads(line) for line in (tmp_path / "index" / "rejected.jsonl").read_bytes().splitlines()]

    bad = [rows(COUNT)[place]["image_id"] for place in (0, 5)]
    assert [each["image_id"] for each in told] == bad
    assert all("damaged or cut off" in each["why"] for each in told)
    assert (manifest.corpus.images, manifest.corpus.rejected) == (COUNT - 2, 2)
    kept = [image.image_id for image in index.images.images(range(COUNT - 2))]
    assert kept == sorted({row["image_id"] for row in rows(COUNT)} - set(bad))
    image = rows(COUNT)[7]
    seen = index.encoder.encode([decode_image(image["image"]["bytes"], ImageLimits(10**6, 10**6))])
    assert (index.tokens.tokens(np.array([kept.index(image["image_id"])]))[0] == seen.tokens[0]).all()
    assert index.recall.recall(seen.vectors, 1)[0].tolist() == [kept.index(image["image_id"])]


def test_too_many_bad_images_are_refused_and_may_be_allowed_afterwards(tmp_path: Path) -> None:
    corpus = write_parquet(tmp_path / "c.parquet", with_bad(COUNT, [0, 5]))
    named = rows(COUNT)[5]["image_id"]
    with pytest.raises(CorpusRefused, match=rf"2 of 9 images .* more than 20.0% .*{named}: .*--bad-share-max"):
        build(corpus, tmp_path / "index", bad_share_max=0.2)
    assert not (tmp_path / "index").exists()

    build(corpus, tmp_path / "index", bad_share_max=0.25)
    build(corpus, tmp_path / "at-once", bad_share_max=0.25)
    assert is_same(tmp_path / "index", tmp_path / "at-once")


def test_a_corpus_of_bad_images_only_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusRefused, match="none is a sound PNG, JPEG or WEBP"):
        build(write_parquet(tmp_path / "c.parquet", with_bad(2, [0, 1])), tmp_path / "index", bad_share_max=1.0)


@pytest.mark.parametrize("count", [1, 2])
def test_a_tiny_corpus_can_be_indexed(tmp_path: Path, count: int) -> None:
    build(write_parquet(tmp_path / "c.parquet", rows(count)), tmp_path / "index")
    index = open_index(tmp_path / "index", verify=True)
    found = index.recall.recall(index.encoder.encode([picture(99)]).vectors, 100)

    assert sorted(found[0].tolist()) == list(range(count))


def test_features_can_be_indexed_and_name_their_encoder(tmp_path: Path) -> None:
    corpus = write_features(tmp_path / "f.parquet", 4)
    build(corpus, tmp_path / "index", encoder_id="theirs/1")
    index = open_index(tmp_path / "index", verify=True)

    assert (index.encoder.encoder_id, index.encoder.vector_size, index.encoder.tokens_shape) == ("theirs/1", 4, (3, 2))
    assert index.tokens.tokens(np.array([3]))[0].tolist() == [[3.5, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert index.recall.recall(np.eye(4, dtype=np.float32), 1)[2].tolist() == [2]
    with pytest.raises(Poison):
        index.encoder.encode([picture(0)])


def test_an_index_gives_way_only_when_asked(corpus: Path, copy: Path) -> None:
    before = (copy / MANIFEST).read_bytes()
    with pytest.raises(IndexRefused, match="replace it by --force"):
        build(corpus, copy, fitting=FittingSettings(working_size=20))
    assert (copy / MANIFEST).read_bytes() == before

    build(corpus, copy, fitting=FittingSettings(working_size=20), replace=True)
    assert (copy / MANIFEST).read_bytes() != before
    assert [path.name for path in copy.parent.iterdir()] == ["copy"]
    open_index(copy, verify=True)


def test_what_is_no_index_never_gives_way(corpus: Path, tmp_path: Path) -> None:
    (tmp_path / "photographs").mkdir()
    with pytest.raises(IndexRefused, match="is no index"):
        build(corpus, tmp_path / "photographs", replace=True)


def test_a_factory_that_fails_can_be_changed_without_encoding_again(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings):
        build(corpus, tmp_path / "index", factory="PQ7x12")
    staged = tmp_path / "index.partial" / "staged-tokens.npy"
    before = staged.stat().st_mtime_ns
    manifest = build(corpus, tmp_path / "index", factory="Flat")

    assert manifest.recall.factory == "Flat"
    assert before <= (tmp_path / "index" / "tokens.npy").stat().st_mtime_ns == before


def test_an_index_in_the_making_is_not_touched_by_another_process(corpus: Path, tmp_path: Path) -> None:
    with open_workspace(tmp_path / "index", {"someone": "else"}) as workspace:
        workspace.write("theirs", b"1")
        with pytest.raises(IndexRefused, match="another process is building"):
            build(corpus, tmp_path / "index")
    assert (tmp_path / "index.partial" / "theirs").exists()


@pytest.mark.parametrize("bad", [[], [2]], ids=["all sound", "one bad"])
def test_a_build_killed_anywhere_goes_on_to_the_same_bits(
    tmp_path: Path, bad: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed once before each change of the file system in turn, each build on the remains of the last."""
    monkeypatch.setattr("gmv.assembly.index_features._AT_ONCE", 2)
    corpus = write_parquet(tmp_path / "c.parquet", with_bad(5, bad))
    build(corpus, tmp_path / "whole", bad_share_max=0.5)
    out, step = tmp_path / "index", 1
    while build_killed_at(step, corpus, out, bad_share_max=0.5):
        assert not out.exists() or is_same(tmp_path / "whole", out)
        shutil.copytree(tmp_path, tmp_path.parent / "remains", dirs_exist_ok=True)
        if not out.exists():
            build(corpus, out, bad_share_max=0.5)
        assert is_same(tmp_path / "whole", out)
        shutil.rmtree(out)
        step += 1
    assert step > 20


def test_a_replacement_killed_anywhere_leaves_one_of_both(corpus: Path, built: Path, tmp_path: Path) -> None:
    other = write_parquet(tmp_path / "other.parquet", rows(3))
    build(other, tmp_path / "new")
    out, replaced, step = tmp_path / "index", tmp_path / "index.replaced", 1
    shutil.copytree(built, out)
    while build_killed_at(step, other, out, replace=True):
        left = out if out.exists() else replaced
        assert is_same(left, built) or is_same(left, tmp_path / "new")
        for path in (out, replaced, tmp_path / "index.partial"):
            shutil.rmtree(path, ignore_errors=True)
        shutil.copytree(built, out)
        step += 1
    assert step > 20
    assert is_same(out, tmp_path / "new")
    assert not replaced.exists()


def test_a_corpus_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "c.parquet", rows(4))
    corpus = open_corpus(path, 10**6)
    corpus.catalogue()
    write_parquet(path, rows(5)[1:])
    changed = [image.image_id for image in corpus.images()]

    assert changed != [row["image_id"] for row in rows(4)]
