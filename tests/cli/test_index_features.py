"""Indexes of features: sounds of the example, tokens reduced at the build and in events alike, and their scale."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from safetensors.torch import load, save

from gmv.errors import CorpusRefused, IndexRefused, InvalidSettings
from gmv.events.encoding import structured
from gmv.events.model import EventFeatures, GeneratedImage
from gmv.index.manifest import ENCODER_FILE
from gmv.index.opened import open_index
from gmv.settings import LedgerSettings
from tests.cli.command import gmv, gmv_json, refused
from tests.services.patience import patience

EXAMPLE = Path(__file__).parents[2] / "examples" / "sound"
ENCODER_ID = "theirs/1"
ROWS, TOKENS, SIZE = 30, 16, 6
CONTENTS = np.random.default_rng(5).normal(size=(ROWS, TOKENS, SIZE)).astype(np.float32)
VECTORS = np.random.default_rng(6).normal(size=(ROWS, 8))
VECTORS = (VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)).astype(np.float32)

Floats = NDArray[np.float32]


def write_corpus(folder: Path, tokens: Floats = CONTENTS) -> Path:
    path = folder / "features.parquet"
    columns = {
        "image_id": [f"i{row:02}" for row in range(ROWS)],
        "owner_id": [f"o{row % 3}" for row in range(ROWS)],
        "vector": VECTORS.tolist(),
        "tokens": tokens.tolist(),
    }
    pq.write_table(pa.table(columns), path)
    return path


def build(ledger: LedgerSettings, folder: Path, tokens: Floats = CONTENTS, *options: object) -> Any:
    corpus = write_corpus(folder, tokens)
    return gmv_json(
        ledger, "index", "build", corpus, "--encoder-id", ENCODER_ID, "--out", folder / "index", "--force", *options
    )


def build_refused(
    ledger: LedgerSettings, error: type[InvalidSettings | CorpusRefused], folder: Path, tokens: Floats, *options: object
) -> str:
    corpus = write_corpus(folder, tokens)
    build = ("index", "build", corpus, "--encoder-id", ENCODER_ID, "--out", folder / "index", "--bad-share-max", 1)
    return refused(ledger, error.exit_code, *build, *options)


def replayed(ledger: LedgerSettings, folder: Path, events: Sequence[tuple[Floats, Floats]]) -> list[dict[str, Any]]:
    """Return the outcomes of events that bring these vectors and tokens: receipts, or dead letters."""
    path = folder / "events.jsonl"
    lines = [
        structured(GeneratedImage("/t", f"e{number}", EventFeatures(ENCODER_ID, *each))) + b"\n"
        for number, each in enumerate(events)
    ]
    path.write_bytes(b"".join(lines))
    gmv_json(ledger, "ledger", "init", "--log", path)
    gmv(ledger, "replay", path, "--index", folder / "index")
    written = (folder / f"events.{kind}.jsonl" for kind in ("receipts", "dlq"))
    return [orjson.loads(line) for file in written if file.exists() for line in file.read_bytes().splitlines()]


def test_sounds_are_credited_to_who_made_what_they_were_made_of(sqlite: LedgerSettings, tmp_path: Path) -> None:
    made = subprocess.run(
        [sys.executable, EXAMPLE / "make.py", tmp_path], capture_output=True, text=True, timeout=patience(60)
    )
    assert made.returncode == 0, made.stderr
    corpus, index, events = tmp_path / "corpus.parquet", tmp_path / "index", tmp_path / "events.jsonl"
    named = ("--encoder-id", "log-spectrogram/1")
    built = gmv_json(sqlite, "index", "build", corpus, *named, "--out", index)
    gmv_json(sqlite, "ledger", "init", "--log", events)
    gmv_json(sqlite, "replay", events, "--index", index)
    receipts = [orjson.loads(line) for line in (tmp_path / "events.receipts.jsonl").read_bytes().splitlines()]

    assert built["features"]["tokens_shape"] == built["encoder"]["tokens_shape"] == [64, 32]
    assert built["advice"] == []
    assert len(receipts) == 12
    for receipt in receipts:
        source = receipt["event"]["id"].removeprefix("of ")
        micros: dict[str, int] = defaultdict(int)
        for each in receipt["contributors"]:
            micros[each["owner_id"]] += each["micros"]
        assert receipt["contributors"][0]["image_id"] == source
        assert max(micros, key=micros.__getitem__) == source.split("-")[0]


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        (("--pool-tokens", 4), (4, SIZE)),
        (("--pool-tokens", "2x2"), (4, SIZE)),
        (("--token-size", 3), (TOKENS, 3)),
        (("--pool-tokens", 8, "--token-size", 4), (8, 4)),
        (("--pool-tokens", "3x1"), (3, SIZE)),
        (("--pool-tokens", 9_999, "--token-size", 1_024), (TOKENS, SIZE)),
    ],
    ids=str,
)
def test_events_are_reduced_as_the_corpus_was(
    sqlite: LedgerSettings, tmp_path: Path, options: tuple[object, ...], kept: tuple[int, int]
) -> None:
    built = build(sqlite, tmp_path, CONTENTS, *options)
    outcomes = replayed(sqlite, tmp_path, list(zip(VECTORS[:3], CONTENTS[:3], strict=True)))

    assert tuple(built["encoder"]["tokens_shape"]) == kept
    assert built["features"]["tokens_shape"] == [TOKENS, SIZE]
    assert built["encoder"]["id"] == ENCODER_ID
    for number, receipt in enumerate(outcomes):  # an exact copy of a training image is at no distance from it
        assert receipt["contributors"][0]["image_id"] == f"i{number:02}"
        assert receipt["contributors"][0]["distance"] == 0.0
        assert len(receipt["features"]) == 64
    assert open_index(tmp_path / "index", verify=True).tokens.shape == (ROWS, *kept)


def test_tokens_are_averaged_in_their_order_or_by_their_places(sqlite: LedgerSettings, tmp_path: Path) -> None:
    halves = CONTENTS.astype(np.float64)
    places = halves.reshape(ROWS, 2, 2, 2, 2, SIZE).mean(axis=(2, 4)).reshape(ROWS, 4, SIZE)

    build(sqlite, tmp_path, CONTENTS, "--pool-tokens", 4)
    in_order = np.array(open_index(tmp_path / "index", verify=True).tokens)
    build(sqlite, tmp_path, CONTENTS, "--pool-tokens", "2x2")
    by_places = np.array(open_index(tmp_path / "index", verify=True).tokens)

    assert np.allclose(in_order, halves.reshape(ROWS, 4, 4, SIZE).mean(axis=2), atol=1e-3)
    assert np.allclose(by_places, places, atol=1e-3)


def test_a_projection_that_keeps_all_that_tokens_span_keeps_distances(sqlite: LedgerSettings, tmp_path: Path) -> None:
    """Tokens of 24 numbers that span 6: no W1 is another with 6 of them, nor is any share."""
    turned, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(24, 24)))
    large = (CONTENTS.astype(np.float64) @ turned[:SIZE]).astype(np.float32)
    whole = build(sqlite, tmp_path, large)
    small = build(sqlite, tmp_path, large, "--token-size", SIZE)

    assert small["encoder"]["tokens_shape"] == [TOKENS, SIZE]
    for name in ("nearest_1", "nearest_10"):
        assert small["neighbours"][name] == pytest.approx(whole["neighbours"][name], abs=2e-3)


def test_an_event_that_cannot_be_reduced_is_a_dead_letter(sqlite: LedgerSettings, tmp_path: Path) -> None:
    build(sqlite, tmp_path, CONTENTS, "--pool-tokens", "2x2", "--token-size", 3)
    parameters = load((tmp_path / "index" / ENCODER_FILE).read_bytes())
    along = np.sign(parameters["token.matrix"].numpy()[:, 0])  # the first component adds up its numbers
    events = [CONTENTS[0, :4], CONTENTS[0, :7], CONTENTS[0, :, :5], np.tile(65_000 * along, (TOKENS, 1))]
    credited, *dead = replayed(sqlite, tmp_path, [(VECTORS[0], each) for each in events])

    assert credited["event"]["id"] == "e0"  # four tokens are as many as are wanted
    assert [each["reason"] for each in dead] == ["invalid_features"] * 3
    assert "7 tokens are no square of places that could be averaged to 2 x 2" in dead[0]["detail"]
    assert "makes (8,) and (n, 6)" in dead[1]["detail"]
    assert "beyond ±65,504 once they are projected" in dead[2]["detail"]


@pytest.mark.parametrize("factor", [2.0**-10, 0.1, 10.0, 1_000.0])
def test_another_scale_changes_no_share(sqlite: LedgerSettings, tmp_path: Path, factor: float) -> None:
    here = build(sqlite, tmp_path)["neighbours"]
    there = build(sqlite, tmp_path, (CONTENTS * factor).astype(np.float32))

    assert there["neighbours"]["top_share"] == pytest.approx(here["top_share"], abs=0.02)
    assert there["neighbours"]["nearest_1"] == pytest.approx(here["nearest_1"] * factor, rel=0.01)
    assert there["advice"] == []


@pytest.mark.parametrize(
    ("factor", "outcome"), [(30.0, "nearly all to the nearest"), (0.01, "nearly evenly among ten")]
)
def test_a_temperature_of_another_scale_is_said(
    sqlite: LedgerSettings, tmp_path: Path, factor: float, outcome: str
) -> None:
    settings = tmp_path / "gmv.toml"
    own = build(sqlite, tmp_path)["defaults"]["temperature"]
    settings.write_text(f"[valuation]\ntemperature = {own}\n")
    scaled = (CONTENTS * factor).astype(np.float32)

    assert build(sqlite, tmp_path, CONTENTS, "--config", settings)["advice"] == []
    (said,) = build(sqlite, tmp_path, scaled, "--config", settings)["advice"]
    assert f"an event's credit goes {outcome}" in said
    assert outcome in " ".join(gmv(sqlite, "index", "info", tmp_path / "index").stdout.split())


def test_the_doctor_says_where_a_temperature_is_of_another_scale(sqlite: LedgerSettings, tmp_path: Path) -> None:
    settings = tmp_path / "gmv.toml"
    own = build(sqlite, tmp_path)["defaults"]["temperature"]
    for factor, states in ((1, []), (3, []), (50, ["warning"]), (0.02, ["warning"])):
        settings.write_text(f'index = "{tmp_path / "index"}"\n[valuation]\ntemperature = {own * factor}\n')
        found = gmv_json(sqlite, "doctor", "--only", "index", "--config", settings)["findings"]
        assert [each["state"] for each in found if each["check"] == "temperature"] == states


LOST = {
    "too small": (CONTENTS * 1e-8, "multiply all of them by one factor"),
    "so small that all are nothing": (CONTENTS * 1e-12, "multiply all of them by one factor"),
    "far from the origin": (CONTENTS * 1e-3 + 100, "take their mean off"),
    "farther": (CONTENTS + 30_000, "take their mean off"),
}


@pytest.mark.parametrize(("tokens", "advised"), LOST.values(), ids=LOST)
def test_a_scale_that_float16_does_not_hold_is_refused(
    sqlite: LedgerSettings, tmp_path: Path, tokens: NDArray[np.float64], advised: str
) -> None:
    sentence = build_refused(sqlite, CorpusRefused, tmp_path, tokens.astype(np.float32))

    assert "rounds off" in sentence
    assert advised in sentence
    assert not (tmp_path / "index").exists()


def test_what_projected_tokens_are_far_from_is_no_matter(sqlite: LedgerSettings, tmp_path: Path) -> None:
    """A projection takes their mean off."""
    built = build(sqlite, tmp_path, CONTENTS + np.float32(1_000), "--token-size", 4)

    assert built["features"]["rounding"] < 1e-3


def test_many_and_large_tokens_are_advised_against_once(sqlite: LedgerSettings, tmp_path: Path) -> None:
    many = np.random.default_rng(3).normal(size=(ROWS, 144, 160)).astype(np.float32)
    (said,) = build(sqlite, tmp_path, many, "--candidates-max", 5)["advice"]
    reduced = build(sqlite, tmp_path, many, "--pool-tokens", 64, "--token-size", 64)

    assert said.startswith("144 tokens of 160 numbers take 46 kB an image")
    assert "--pool-tokens 64 and --token-size 64 would keep 8 kB" in said
    assert reduced["advice"] == []
    assert reduced["bytes_per_image"] < 10_000


REFUSED: dict[str, tuple[tuple[int, int], tuple[object, ...], str]] = {
    "too many": ((1_025, 1), (), "1,025 tokens an image, and 1,024 can be compared"),
    "too many left": ((1_300, 1), ("--pool-tokens", 1_200), "1,200 tokens an image"),
    "too large": ((1, 4_097), (), "have 4,097 numbers, and 4,096 can be compared"),
    "no square": ((12, 2), ("--pool-tokens", "2x2"), "12 tokens are no square"),
    "a side too short": ((9, 2), ("--pool-tokens", "4x1"), "9 tokens are no square of places"),
}


@pytest.mark.parametrize(("shape", "options", "says"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_compared_is_refused(
    sqlite: LedgerSettings, tmp_path: Path, shape: tuple[int, int], options: tuple[object, ...], says: str
) -> None:
    tokens = np.ones((ROWS, *shape), np.float32)

    assert says in build_refused(sqlite, InvalidSettings, tmp_path, tokens, *options)


@pytest.mark.parametrize("wrong", ["0", "-4", "8x", "x8", "8x8x8", "8*8", "08", "many", "12345", "4.5"])
def test_a_number_of_tokens_that_is_none_is_refused(sqlite: LedgerSettings, tmp_path: Path, wrong: str) -> None:
    sentence = build_refused(sqlite, InvalidSettings, tmp_path, CONTENTS, f"--pool-tokens={wrong}")

    assert sentence.startswith("gmv: --pool-tokens ")
    assert "such as 8x8" in sentence


def test_rows_without_features_leave_nothing_to_measure(sqlite: LedgerSettings, tmp_path: Path) -> None:
    tokens = CONTENTS.copy()
    tokens[:] = np.nan

    assert "none has sound features" in build_refused(sqlite, CorpusRefused, tmp_path, tokens)


def _altered(change: Callable[[dict[str, Any]], None]) -> Callable[[Path], None]:
    def alter(path: Path) -> None:
        tensors = load(path.read_bytes())
        change(tensors)
        path.write_bytes(save(tensors))

    return alter


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "no safetensors": lambda path: path.with_name("rejected.jsonl").rename(path),
    "no projection": _altered(lambda tensors: tensors.__delitem__("token.matrix")),
    "other tokens": _altered(lambda tensors: tensors.update({"brought_shape": tensors["brought_shape"] + 1})),
    "not finite": _altered(lambda tensors: tensors.update({"token.mean": tensors["token.mean"] * float("nan")})),
    "another pool": _altered(lambda tensors: tensors.update({"pool": tensors["pool"] * 2})),
    "a pool of nothing": _altered(lambda tensors: tensors.update({"pool": tensors["pool"] * 0})),
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_damaged_parameters_are_refused(
    sqlite: LedgerSettings, tmp_path: Path, damage: Callable[[Path], object]
) -> None:
    build(sqlite, tmp_path, CONTENTS, "--pool-tokens", 4, "--token-size", 3)
    damage(tmp_path / "index" / ENCODER_FILE)

    assert "build" in refused(sqlite, IndexRefused.exit_code, "index", "verify", tmp_path / "index")
    with pytest.raises(IndexRefused, match="build"):
        open_index(tmp_path / "index", verify=False)
