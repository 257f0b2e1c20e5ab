import filecmp
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest

from gmv.corpus.parquet import ParquetCorpus
from gmv.corpus.parquet_files import COLUMNS
from gmv.corpus.port import ImageFile, MissingImage
from gmv.corpus.tables import find_tables
from gmv.encoders.exact.fitting import FittingSettings
from gmv.errors import CorpusRefused, IndexRefused, InvalidSettings, Poison
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.manifest import MANIFEST, Manifest
from gmv.index.opened import open_index
from gmv.indexing.build import BuildOptions, build_index
from gmv.indexing.workspace import open_workspace
from gmv.settings import Settings
from tests.corpus.corpora import FILES, rows, write_features, write_folder, write_parquet
from tests.encoders.pictures import picture
from tests.indexing.index_builds import FITTING, build, unseen

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
    assert (index.tokens == features.tokens).all()
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
    assert (index.tokens[kept.index(image["image_id"])] == seen.tokens[0]).all()
    assert index.recall.recall(seen.vectors, 1)[0].tolist() == [kept.index(image["image_id"])]


def test_a_file_that_is_missing_or_empty_is_called_that(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder", rows(COUNT))
    (folder / "07.png").unlink()
    (folder / "14.png").write_bytes(b"")
    with pytest.raises(CorpusRefused, match=r"07.png: .*/07.png: No such file or directory; 14.png: the image is empt"):
        build(folder, tmp_path / "index")
    for file in folder.glob("*.png"):
        file.unlink()
    with pytest.raises(CorpusRefused, match=r"9 images drawn, none is a sound .* No such file or directory"):
        build(folder, tmp_path / "index")


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
    assert index.tokens[3].tolist() == [[3.5, 1.0], [2.0, 3.0], [4.0, 5.0]]
    assert index.recall.recall(np.eye(4, dtype=np.float32), 1)[2].tolist() == [2]
    with pytest.raises(Poison):
        index.encoder.encode([picture(0)])


def test_features_whose_vector_has_another_length_than_1_are_left_out_and_named(tmp_path: Path) -> None:
    vectors = np.eye(4, dtype=np.float32) * [[1], [2], [0], [1]]
    corpus = write_features(tmp_path / "f.parquet", 4, vector=vectors.tolist())
    build(corpus, tmp_path / "index", encoder_id="theirs/1", bad_share_max=0.5)
    told = [orjson.loads(line) for line in (tmp_path / "index" / "rejected.jsonl").read_bytes().splitlines()]

    assert [each["image_id"] for each in told] == ["i1", "i2"]
    assert "has length 2" in told[0]["why"]
    assert "is zero" in told[1]["why"]


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


def test_a_factory_that_fails_can_be_changed_without_encoding_again(tmp_path: Path) -> None:
    corpus = write_features(tmp_path / "f.parquet", 4, vector=np.eye(4, dtype=np.float32).tolist())
    with pytest.raises(InvalidSettings):
        build(corpus, tmp_path / "index", encoder_id="theirs/1", factory="PQ7x12")
    staged = tmp_path / "index.partial" / "staged-tokens.npy"
    before = staged.stat().st_mtime_ns
    manifest = build(corpus, tmp_path / "index", encoder_id="theirs/1", factory="Flat")

    assert manifest.recall.factory == "Flat"
    assert before <= (tmp_path / "index" / "tokens.npy").stat().st_mtime_ns == before


def test_a_factory_has_no_part_in_integers(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="leave out --factory"):
        build(corpus, tmp_path / "index", factory="Flat")


def test_an_index_in_the_making_is_not_touched_by_another_process(corpus: Path, tmp_path: Path) -> None:
    with open_workspace(tmp_path / "index", {"someone": "else"}) as workspace:
        workspace.write("theirs", b"1")
        with pytest.raises(IndexRefused, match="another process is building"):
            build(corpus, tmp_path / "index")
    assert (tmp_path / "index.partial" / "theirs").exists()


class ChangingCorpus(ParquetCorpus):
    """Somebody writes to it between the catalogue and the images."""

    def __init__(self, path: Path, later: list[dict[str, object]]) -> None:
        super().__init__(find_tables([path]), COLUMNS, 10**6)
        self._path, self._later = path, later

    def images(self) -> Iterator[ImageFile | MissingImage]:
        write_parquet(self._path, self._later)
        return super().images()


@pytest.mark.parametrize("later", [rows(5)[1:], rows(3), rows(4)[::-1]], ids=["others", "fewer", "turned"])
def test_a_corpus_that_changes_while_it_is_read_is_refused(tmp_path: Path, later: list[dict[str, object]]) -> None:
    corpus = ChangingCorpus(write_parquet(tmp_path / "c.parquet", rows(4)), later)

    with pytest.raises(CorpusRefused, match="changed while it was read"):
        build_index(corpus, tmp_path / "index", Settings(), BuildOptions(fitting=FITTING), unseen)
    assert not (tmp_path / "index").exists()
