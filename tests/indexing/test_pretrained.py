"""Indexes around pretrained networks: what they keep, and that they open without what they were built from."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest

from gmv.encoders.pretrained import efficientnet_lite0
from gmv.encoders.pretrained.backbones import choose_backbone
from gmv.encoders.pretrained.reduction import ReductionSettings
from gmv.errors import CorpusRefused, IndexRefused, InvalidSettings, PackagesMissing
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.manifest import MANIFEST, Manifest
from gmv.index.opened import open_index
from gmv.indexing.fetch import fetch_index
from gmv.indexing.pretrained import Pretrained
from gmv.indexing.progress import Progress
from tests.corpus.corpora import FILES, rows, write_features, write_folder, write_parquet
from tests.encoders.networks import RECIPE, write_onnx
from tests.encoders.networks import write_folder as write_model
from tests.indexing.index_builds import build, unseen
from tests.indexing.test_build import is_same, with_bad

COUNT = 9
REDUCTION = ReductionSettings(vector_size=6, token_size=8, grid=2)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parquet(tmp_path_factory.mktemp("corpus") / "c.parquet", rows(COUNT))


def build_with(choice: Path | str, corpus: Path, out: Path, **options: Any) -> Manifest:
    return build(corpus, out, pretrained=Pretrained(choose_backbone(str(choice)), REDUCTION), **options)


def test_an_index_keeps_its_network_and_opens_without_the_file_that_was_named(corpus: Path, tmp_path: Path) -> None:
    named = write_onnx(tmp_path / "named.onnx")
    manifest = build_with(named, corpus, tmp_path / "built")
    named.unlink()
    named.with_suffix(".json").unlink()
    (tmp_path / "built").rename(tmp_path / "moved")
    index = open_index(tmp_path / "moved", verify=True)
    ordered = sorted(rows(COUNT), key=lambda row: row["image_id"])
    limits = ImageLimits(10**6, 10**6)
    seen = index.encoder.encode([decode_image(row["image"]["bytes"], limits) for row in ordered])

    assert (index.tokens == seen.tokens).all()
    assert [found[0] for found in index.recall.recall(seen.vectors, 3)] == list(range(COUNT))
    assert index.encoder.tokens_shape == (4, 8)
    assert not manifest.encoder.exact
    assert manifest.encoder.network is not None
    assert manifest.encoder.network.model_dump() | {"sha256": ""} == {
        "name": RECIPE["name"],
        "licence": RECIPE["licence"],
        "sha256": "",
        "files": ("network.onnx",),
    }


@pytest.mark.parametrize("kind", ["onnx", "folder"])
def test_the_same_corpus_and_network_give_the_same_bits_from_anywhere(corpus: Path, tmp_path: Path, kind: str) -> None:
    def write(name: str) -> Path:
        return write_onnx(tmp_path / f"{name}.onnx") if kind == "onnx" else write_model(tmp_path / name / "m", "dinov2")

    build_with(write("a"), corpus, tmp_path / "one")
    build_with(write("b"), write_folder(tmp_path / "folder", rows(COUNT)), tmp_path / "other", threads=3)

    assert is_same(tmp_path / "one", tmp_path / "other")


def test_it_is_fetched_with_its_network(corpus: Path, tmp_path: Path) -> None:
    manifest = build_with(write_model(tmp_path / "m", "siglip"), corpus, tmp_path / "built")
    built = open_index(tmp_path / "built", verify=True)
    fetch_index((tmp_path / "built").as_uri(), built.index_id, tmp_path / "fetched", unseen)
    fetched = open_index(tmp_path / "fetched", verify=True)

    assert fetched.encoder.encoder_id == built.encoder.encoder_id
    assert {"config.json", "model.safetensors", "preprocessor_config.json"} < set(manifest.files)
    (tmp_path / "fetched" / "model.safetensors").unlink()
    with pytest.raises(IndexRefused, match=r"model\.safetensors: No such file"):
        open_index(tmp_path / "fetched", verify=False)


class KilledError(Exception):
    """In the middle of a build."""


def killed_at(step: str) -> Progress:
    def progress(description: str, total: int | None, unit: str) -> Any:
        if description == step:
            raise KilledError
        return unseen(description, total, unit)

    return progress


@pytest.mark.parametrize("step", ["fitting the encoder", "encoding", "training recall", "measuring distances"])
def test_a_killed_build_goes_on_and_another_network_begins_anew(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    named = write_onnx(tmp_path / "n.onnx")
    build_with(named, corpus, tmp_path / "at-once")
    with monkeypatch.context() as patched:
        patched.setattr("tests.indexing.index_builds.unseen", killed_at(step))
        with pytest.raises(KilledError):
            build_with(named, corpus, tmp_path / "index")
    shutil.copytree(tmp_path / "index.partial", tmp_path / "changed.partial")
    build_with(named, corpus, tmp_path / "index")
    assert is_same(tmp_path / "index", tmp_path / "at-once")

    other = write_onnx(tmp_path / "other.onnx", seed=1)
    build_with(other, corpus, tmp_path / "changed")
    build_with(other, corpus, tmp_path / "other")
    assert is_same(tmp_path / "changed", tmp_path / "other")
    assert not is_same_manifest(tmp_path / "changed", tmp_path / "index")


def is_same_manifest(one: Path, other: Path) -> bool:
    return (one / MANIFEST).read_bytes() == (other / MANIFEST).read_bytes()


@pytest.mark.parametrize("count", [1, 2])
def test_a_tiny_corpus_can_be_indexed_and_vectors_have_unit_length(tmp_path: Path, count: int) -> None:
    build_with(write_onnx(tmp_path / "n.onnx"), write_parquet(tmp_path / "c.parquet", rows(count)), tmp_path / "index")
    index = open_index(tmp_path / "index", verify=True)
    found = index.encoder.encode([decode_image(FILES[place], ImageLimits(10**6, 10**6)) for place in range(3)])

    assert np.allclose(np.linalg.norm(found.vectors, axis=1), 1)


def test_an_image_that_overflows_is_left_out_and_named(tmp_path: Path) -> None:
    recipe = RECIPE | {"input": {"size": 32, "mean": [0, 0, 0], "spread": [1, 1, 1]}}
    bright = write_onnx(tmp_path / "n.onnx", recipe=recipe, factor=1e38)
    with pytest.raises(CorpusRefused, match=r"none is a sound PNG, JPEG or WEBP \(.*is not finite"):
        build_with(bright, write_parquet(tmp_path / "c.parquet", rows(COUNT)), tmp_path / "index", bad_share_max=0.9)


def test_damaged_images_are_left_out_and_named(tmp_path: Path) -> None:
    damaged = write_parquet(tmp_path / "c.parquet", with_bad(COUNT, [0, 5]))
    manifest = build_with(write_onnx(tmp_path / "n.onnx"), damaged, tmp_path / "index", bad_share_max=0.25)
    told = [orjson.loads(line) for line in (tmp_path / "index" / "rejected.jsonl").read_bytes().splitlines()]

    assert manifest.corpus.rejected == len(told) == 2


def test_features_of_a_corpus_leave_a_network_nothing_to_see(tmp_path: Path) -> None:
    corpus = write_features(tmp_path / "f.parquet", 4)
    with pytest.raises(InvalidSettings, match="brings features, so --encoder has no images to see"):
        build_with(write_onnx(tmp_path / "n.onnx"), corpus, tmp_path / "index", encoder_id="theirs/1")


def test_weights_of_a_package_are_not_copied_and_have_to_be_installed(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = build_with("efficientnet-lite0", corpus, tmp_path / "index")

    assert manifest.encoder.network is not None
    assert manifest.encoder.network.files == ()
    assert open_index(tmp_path / "index", verify=True).encoder.encoder_id.startswith("efficientnet-lite0/1@")
    monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda _name: None)
    with pytest.raises(PackagesMissing, match=r"pip install 'gmv\[worker,pretrained\]'"):
        open_index(tmp_path / "index", verify=True)
