"""`gmv replay` stops where the share of poison passes `worker.dead_letters_ratio_max`, and goes on once that is raised."""

from pathlib import Path

import pytest

from gmv.errors import TooManyDeadLetters
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.settings import LedgerSettings
from tests.cli.command import gmv, refused, told
from tests.encoders.pictures import picture, png
from tests.index.corpora import rows, write_parquet

RECORDS = 1_000


@pytest.fixture
def index(sqlite: LedgerSettings, tmp_path: Path) -> Path:
    corpus = write_parquet(tmp_path / "c.parquet", rows(4))
    told(sqlite, "index", "build", corpus, "--out", tmp_path / "index", "--working-size", 16)
    return tmp_path / "index"


def config(folder: Path, ratio_max: float) -> Path:
    file = folder / f"{ratio_max}.toml"
    file.write_text(f"[worker]\ndead_letters_ratio_max = {ratio_max}\n")
    return file


def test_a_share_above_the_limit_stops_it_and_a_higher_limit_lets_it_go_on(
    sqlite: LedgerSettings, index: Path, tmp_path: Path
) -> None:
    """Three of five lines are broken; the others are one event, which is a duplicate from its second line on."""
    good = structured(GeneratedImage("/test", "event-1", ImageBytes(png(picture(9)))))
    log = tmp_path / "events.jsonl"
    log.write_bytes(
        b"".join(line + b"\n" for line in [b"{broken", good, b"{broken", good, b"{broken"] * (RECORDS // 5))
    )
    told(sqlite, "ledger", "init", "--log", log)
    replay = ("replay", log, "--index", index)

    for default_or_lower in ((), ("--config", config(tmp_path, 0.59))):
        sentence = refused(sqlite, TooManyDeadLetters.exit_code, *replay, *default_or_lower)
        assert "60% of the last 1000 records are poison" in sentence
        assert "worker.dead_letters_ratio_max" in sentence
    done = gmv(sqlite, *replay, "--config", config(tmp_path, 0.6))
    assert done.returncode == 0, done.stderr
    assert told(sqlite, "credits", "top")["credit_micros"] == 1_000_000
