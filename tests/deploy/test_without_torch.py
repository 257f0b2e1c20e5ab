"""An installation of the extra `worker`: without torch, it builds and attributes, and says what runs networks."""

from pathlib import Path

import orjson
import pytest

from gmv.errors import PackagesMissing
from gmv.settings import LedgerSettings
from tests.cli.command import gmv_json
from tests.cli.test_index_features import write_corpus as write_features
from tests.corpus.corpora import rows, write_parquet
from tests.deploy.installation import PROJECT, installed, run
from tests.encoders.pictures import picture, png

BYTES_MAX = 1_200 * 10**6


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    requirements = PROJECT["dependencies"] + PROJECT["optional-dependencies"]["worker"]
    return installed(tmp_path_factory.mktemp("worker"), requirements)


@pytest.fixture(scope="module")
def corpus(packages: Path) -> Path:
    return write_parquet(packages.parent / "c.parquet", rows(4))


def test_it_is_not_large(packages: Path) -> None:
    size = sum(file.stat().st_size for entry in packages.iterdir() for file in entry.resolve().rglob("*.*"))
    assert not (packages / "torch").exists()
    assert 0 < size < BYTES_MAX


def test_an_index_is_built_and_pictures_are_attributed(packages: Path, corpus: Path, tmp_path: Path) -> None:
    index, image = tmp_path / "index", tmp_path / "picture.png"
    image.write_bytes(png(picture(9)))
    built = run(packages, "index", "build", corpus, "--out", index, "--working-size", 16)
    assert built.returncode == 0, built.stderr
    attributed = run(packages, "attribute", image, "--index", index, "--json")
    assert attributed.returncode == 0, attributed.stderr
    (found,) = orjson.loads(attributed.stdout)["images"]
    assert sum(each["micros"] for each in found["contributors"]) == found["micros"] > 0


def test_an_index_that_reduces_features_is_refused(packages: Path, tmp_path: Path) -> None:
    corpus, index = write_features(tmp_path), tmp_path / "index"
    gmv_json(LedgerSettings(), "index", "build", corpus, "--encoder-id", "e/1", "--out", index, "--pool-tokens", 2)
    ended = run(packages, "index", "verify", index)

    assert ended.returncode == PackagesMissing.exit_code, ended.stderr
    assert ended.stderr.endswith("which is not installed: pip install 'gmv[worker,torch]'\n")


@pytest.mark.parametrize(
    "command",
    [
        "index build {corpus} --out {out} --encoder efficientnet-lite0",
        "index build {corpus} --out {out} --encoder {network}",
        "experiment ra2",
    ],
)
def test_what_runs_networks_says_what_is_missing(packages: Path, corpus: Path, tmp_path: Path, command: str) -> None:
    network = tmp_path / "network.onnx"
    network.touch()
    ended = run(packages, *command.format(corpus=corpus, out=tmp_path / "index", network=network).split())

    assert ended.returncode == PackagesMissing.exit_code, ended.stderr
    assert ended.stderr.endswith("which is not installed: pip install 'gmv[worker,torch]'\n")
