"""Near copies, as commands tell of them: whose they are, and where nobody can say who registered first."""

from pathlib import Path
from typing import Any, Literal

import pytest
from prometheus_client import CollectorRegistry

from gmv.assembly.preparing import prepare_published
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.telemetry import StageClock
from gmv.settings import LedgerSettings, Settings
from gmv.settings.valuation import ValuationSettings
from tests.cli.command import gmv, gmv_json
from tests.corpus.corpora import FILES, rows, write_parquet

COPIES = 25
UNDATED = "of 1 no image has a date, so that the least image id is first"
PARTLY = "of 1 only some images have one, so that the others are last"


def copied(row: dict[str, Any], image_id: str, registered: int | None = None) -> dict[str, Any]:
    return row | {"image_id": image_id, "owner_id": "copyist", "registered": registered}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of the first picture the copyist has 25 undated copies, of the second a dated one, of the third one as dated."""
    folder = tmp_path_factory.mktemp("copies")
    originals = [row | {"registered": 7 if place == 2 else None} for place, row in enumerate(rows(24))]
    copies = [copied(originals[0], f"+{number:02}.png") for number in range(COPIES)]
    copies += [copied(originals[1], "+one.png", 9), copied(originals[2], "+two.png", 9)]
    corpus = write_parquet(folder / "c.parquet", originals + copies)
    gmv_json(LedgerSettings(), "index", "build", corpus, "--out", folder / "index", "--working-size", 16)
    return folder / "index"


def test_duplicates_says_where_the_corpus_does_not_tell_who_was_first(sqlite: LedgerSettings, index: Path) -> None:
    told = gmv_json(sqlite, "index", "duplicates", index)
    assert (len(told["groups"]), told["undated_groups"], told["partly_dated_groups"]) == (3, 1, 1)
    said = gmv(sqlite, "index", "duplicates", index, "--several-owners").stdout
    assert f"{UNDATED}; {PARTLY}." in said


def test_all_owners_of_a_group_are_shown_however_many_copies_come_before_theirs(
    sqlite: LedgerSettings, index: Path
) -> None:
    said = gmv(sqlite, "index", "duplicates", index).stdout
    lines = [line.split() for line in said.splitlines()]
    assert ["+00.png", "+00.png", "copyist", "25"] in lines
    assert lines.index(["00.png", "owner", "0", "1"]) == lines.index(["+00.png", "+00.png", "copyist", "25"]) + 1
    assert sum(line[1:] == ["copyist"] for line in lines) == 18
    assert ["and", "6", "more"] in lines


@pytest.mark.parametrize("copies", ["earliest", "even"])
def test_replay_attribute_and_doctor_warn_of_it(
    sqlite: LedgerSettings, index: Path, tmp_path: Path, copies: str
) -> None:
    is_warned = copies == "earliest"
    picture, events = tmp_path / "picture.png", tmp_path / "events.jsonl"
    picture.write_bytes(FILES[0])
    events.write_bytes(structured(GeneratedImage("/test", "e", ImageBytes(FILES[0]))) + b"\n")
    gmv_json(sqlite, "ledger", "init", "--log", events)
    how = ("--index", index, "--copies", copies)
    for done in (gmv(sqlite, "replay", events, *how, "--json"), gmv(sqlite, "attribute", picture, *how, "--json")):
        assert done.returncode == 0, done.stderr
        assert (UNDATED in done.stderr, done.stderr.count("\n")) == (is_warned, int(is_warned))
    (tmp_path / "gmv.toml").write_text(f'index = "{index}"\n[valuation]\ncopies = "{copies}"\n')
    examined = gmv(sqlite, "doctor", "--only", "index", "--config", tmp_path / "gmv.toml").stdout
    assert (UNDATED in examined.replace("\n", " ")) == is_warned


@pytest.mark.parametrize("copies", ["earliest", "even"])
def test_a_worker_that_takes_an_index_knows_it(index: Path, copies: Literal["earliest", "even"]) -> None:
    settings = Settings(valuation=ValuationSettings(copies=copies))
    prepared = prepare_published(index, settings, StageClock(), Metrics(CollectorRegistry()))
    assert (UNDATED in str(prepared.undated)) == (copies == "earliest")
