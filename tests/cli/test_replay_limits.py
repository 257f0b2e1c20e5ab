"""`gmv replay` stops where the share of poison passes `worker.dead_letters_ratio_max`."""

from pathlib import Path

import pytest

from gmv.errors import TooManyDeadLetters
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.settings import LedgerSettings
from tests.cli.command import gmv, gmv_json
from tests.corpus.corpora import rows, write_parquet
from tests.encoders.pictures import picture, png

RECORDS = 1_000


@pytest.fixture
def index(sqlite: LedgerSettings, tmp_path: Path) -> Path:
    corpus = write_parquet(tmp_path / "c.parquet", rows(4))
    gmv_json(sqlite, "index", "build", corpus, "--out", tmp_path / "index", "--working-size", 16)
    return tmp_path / "index"


@pytest.fixture
def log(sqlite: LedgerSettings, tmp_path: Path) -> Path:
    """Three of five lines are broken; the others are one event, which is a duplicate from its second line on."""
    good = structured(GeneratedImage("/test", "event-1", ImageBytes(png(picture(9)))))
    lines = [b"{broken", good, b"{broken", good, b"{broken"] * (RECORDS // 5)
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"".join(line + b"\n" for line in lines))
    gmv_json(sqlite, "ledger", "init", "--log", file)
    return file


def config(folder: Path, ratio_max: float) -> Path:
    file = folder / "gmv.toml"
    file.write_text(f"[worker]\ndead_letters_ratio_max = {ratio_max}\n")
    return file


def test_a_share_above_the_default_stops_it(sqlite: LedgerSettings, index: Path, log: Path) -> None:
    done = gmv(sqlite, "replay", log, "--index", index)
    assert done.returncode == TooManyDeadLetters.exit_code
    assert "60% of the last 1000 records are poison" in done.stderr


def test_a_share_above_the_setting_stops_it(sqlite: LedgerSettings, index: Path, log: Path, tmp_path: Path) -> None:
    options = ("--index", index, "--config", config(tmp_path, 0.599))
    done = gmv(sqlite, "replay", log, *options)
    assert done.returncode == TooManyDeadLetters.exit_code
    assert "worker.dead_letters_ratio_max is the limit" in done.stderr


def test_a_share_at_the_setting_is_let_through(sqlite: LedgerSettings, index: Path, log: Path, tmp_path: Path) -> None:
    replayed = gmv_json(sqlite, "replay", log, "--index", index, "--config", config(tmp_path, 0.6))
    assert (replayed["credited"], replayed["duplicates"], replayed["dead_letters"]) == (1, 399, 600)
