"""`gmv calibrate` over small indexes, against counting by hand what a worker's attributor gives."""

from pathlib import Path
from statistics import fmean, median
from typing import Any
from xml.etree import ElementTree

import orjson
import pytest
from PIL import Image
from prometheus_client import CollectorRegistry

from gmv.assembly.parts import assemble_attributor
from gmv.calibrate.queries import draw, make_queries
from gmv.index.opened import open_index
from gmv.indexing.calibration import wilson_interval
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.telemetry import StageClock
from gmv.settings import LedgerSettings, Settings, ValuationSettings
from gmv.temporary import TemporaryFolder
from gmv.valuation.owners import Ownership
from gmv.valuation.types import Attribution
from gmv.valuation.utility import effective_contributors
from tests.cli.command import gmv, gmv_json, refused
from tests.corpus.corpora import FILES, rows, write_features, write_folder, write_parquet
from tests.encoders.pictures import picture, png

SIZE = ("--working-size", 16)
QUERIES = ("--queries", 60)


def corpus_of(count: int) -> list[dict[str, Any]]:
    """Weights of 1, but for one image that is worth half."""
    return [row | {"weight": 0.5 if place == 3 else 1.0} for place, row in enumerate(rows(count))]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parquet(tmp_path_factory.mktemp("corpus") / "c.parquet", corpus_of(20))


@pytest.fixture(scope="module")
def index(corpus: Path) -> Path:
    """Beside the corpus; no test changes it."""
    gmv_json(LedgerSettings(), "index", "build", corpus, "--out", corpus.with_name("index"), *SIZE)
    return corpus.with_name("index")


def test_shares_are_those_that_a_worker_would_credit(sqlite: LedgerSettings, index: Path, corpus: Path) -> None:
    before = {path.name: path.read_bytes() for path in index.iterdir()}
    told = gmv_json(sqlite, "calibrate", index, "--corpus", corpus, *QUERIES)
    assert {path.name: path.read_bytes() for path in index.iterdir()} == before

    opened = open_index(index, verify=True)
    sources, images = draw(20, 60), opened.images.images(range(20))
    place_of = {row["image_id"]: place for place, row in enumerate(rows(20))}
    pictures = {row: picture(place_of[images[row].image_id]) for row in sources.rows}
    for kind, asked in zip(told["kinds"], make_queries(sources, pictures).values(), strict=True):
        assert kind["queries"] == 60
        for at in kind["temperatures"]:
            settings = Settings(valuation=ValuationSettings(temperature=at["temperature"]))
            attributor = assemble_attributor(opened, settings, Ownership(), StageClock(), Metrics(CollectorRegistry()))
            on_sources, on_owners, effective = [], [], []
            for query, outcome in zip(asked, attributor.attribute([query.event for query in asked]), strict=True):
                assert isinstance(outcome, Attribution)
                made_of = {images[row] for row in query.sources}
                ids, owners = ({getattr(each, name) for each in made_of} for name in ("image_id", "owner_id"))
                on_sources.append(sum(each.utility for each in outcome.contributors if each.image_id in ids))
                on_owners.append(sum(each.utility for each in outcome.contributors if each.owner_id in owners))
                effective.append(effective_contributors([each.utility for each in outcome.contributors]))
            assert at["on_true_sources"]["mean"] == pytest.approx(fmean(on_sources), abs=1e-4)
            assert at["on_true_owners"]["mean"] == pytest.approx(fmean(on_owners), abs=1e-4)
            assert at["effective_contributors"] == pytest.approx(median(effective), abs=1e-4)
            least, most = wilson_interval(fmean(on_sources), 60)
            assert at["on_true_sources"]["least"] == pytest.approx(least, abs=1e-4)
            assert at["on_true_sources"]["most"] == pytest.approx(most, abs=1e-4)


def test_it_tells_the_temperature_in_use_the_rules_and_one(sqlite: LedgerSettings, index: Path, corpus: Path) -> None:
    manifest = orjson.loads((index / "manifest.json").read_bytes())
    own = manifest["defaults"]["temperature"]
    asked = ("calibrate", index, "--corpus", corpus, *QUERIES)
    told = gmv_json(sqlite, *asked)
    tried = [at["temperature"] for at in told["kinds"][0]["temperatures"]]
    assert told["temperature"] == told["rule"] == own
    assert told["index_id"] == gmv_json(sqlite, "index", "info", index)["index_id"]
    assert {own, 1.0} <= set(tried)
    assert tried == sorted(set(tried))
    assert tried[0] < own / 7 < own * 7 < max(tried)
    assert told["choice"]["own_temperature"] == own
    assert told["choice"]["temperature"] in tried

    other = gmv_json(sqlite, *asked, "--temperature", 0.7)
    assert (other["temperature"], other["rule"]) == (0.7, own)
    assert other["choice"]["own_temperature"] == 0.7
    shown = gmv(sqlite, *asked, "--temperature", 0.7).stdout
    for said in ("in use", "by rule: a third of the spread", "the formula in raw distances", "by chance", "likelihood"):
        assert said in shown


def test_chance_is_the_part_of_the_corpus_that_is_meant(sqlite: LedgerSettings, index: Path, corpus: Path) -> None:
    """Of 20 images: a copy has one source; owners 0, 1 and 2 have 7, 7 and 6."""
    mixes, copies = gmv_json(sqlite, "calibrate", index, "--corpus", corpus, *QUERIES)["kinds"]
    sources, images = draw(20, 60), open_index(index, verify=False).images.images(range(20))
    owned = {owner: sum(image.owner_id == owner for image in images) for owner in {i.owner_id for i in images}}
    assert sorted(owned.values()) == [6, 7, 7]
    assert copies["sources_by_chance"] == pytest.approx(1 / 20)
    assert copies["owners_by_chance"] == pytest.approx(
        fmean(owned[images[row].owner_id] for row in sources.altered_copies) / 20
    )
    assert mixes["sources_by_chance"] == pytest.approx(fmean(map(len, sources.mixes)) / 20)


@pytest.mark.parametrize("form", [write_parquet, write_folder])
def test_an_index_is_made_of_a_corpus_and_removed(
    sqlite: LedgerSettings, tmp_path: Path, form: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Path] = []
    monkeypatch.setattr(
        TemporaryFolder, "__exit__", lambda self, *_: (made.append(self.path), TemporaryFolder.remove(self))
    )
    corpus = form(tmp_path / "corpus.parquet", corpus_of(20))
    told = gmv_json(sqlite, "calibrate", corpus, *QUERIES)
    assert (told["training_images"], told["owners"]) == (20, 3)
    assert [path for path in made if path.exists()] == []
    assert [path for path in tmp_path.iterdir() if path != corpus] == []


@pytest.mark.parametrize("name", ["a.svg", "b.png", "C.PNG"])
def test_a_picture_is_drawn_the_same_each_time(
    sqlite: LedgerSettings, index: Path, corpus: Path, tmp_path: Path, name: str
) -> None:
    drawn = []
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        gmv(sqlite, "calibrate", index, "--corpus", corpus, *QUERIES, "--plot", tmp_path / folder / name)
        drawn.append((tmp_path / folder / name).read_bytes())
    assert drawn[0] == drawn[1]
    if name.endswith(".svg"):
        assert ElementTree.fromstring(drawn[0]).tag.endswith("svg")
    else:
        with Image.open(tmp_path / "one" / name) as picture_drawn:
            assert (picture_drawn.format, picture_drawn.width) == ("PNG", 1280)


def test_another_corpus_is_refused(sqlite: LedgerSettings, index: Path, tmp_path: Path) -> None:
    asked = ("calibrate", index, *QUERIES, "--corpus")
    few = write_parquet(tmp_path / "few.parquet", corpus_of(20)[1:])
    assert "lacks 1 of the 20 images of the index, such as '00.png'" in refused(sqlite, 10, *asked, few)
    swapped = corpus_of(20)
    swapped[4]["image"] = {"bytes": png(picture(99)), "path": None}
    other = write_parquet(tmp_path / "other.parquet", swapped)
    assert "other files under the ids of the index" in refused(sqlite, 10, *asked, other)
    damaged = corpus_of(20)
    for row in damaged:
        row["image"] = {"bytes": FILES[0][:40], "path": None}
    assert "indexed under other limits, or is another file" in refused(
        sqlite, 10, *asked, write_parquet(tmp_path / "damaged.parquet", damaged)
    )


def test_what_is_more_than_the_index_holds_is_passed_over(sqlite: LedgerSettings, index: Path, tmp_path: Path) -> None:
    more = write_parquet(tmp_path / "more.parquet", corpus_of(24))
    assert gmv_json(sqlite, "calibrate", index, "--corpus", more, *QUERIES)["training_images"] == 20


def test_what_is_meant_has_to_be_clear(sqlite: LedgerSettings, index: Path, corpus: Path, tmp_path: Path) -> None:
    assert "name its corpus by --corpus" in refused(sqlite, 2, "calibrate", index)
    assert "give it alone" in refused(sqlite, 2, "calibrate", index, corpus)
    assert "is no index, so --corpus is not needed" in refused(sqlite, 2, "calibrate", corpus, "--corpus", corpus)
    assert "drawn as .svg or .png" in refused(sqlite, 2, "calibrate", corpus, "--plot", tmp_path / "curve.pdf")
    refused(sqlite, 10, "calibrate", tmp_path / "nothing.parquet")


def test_too_few_queries_choose_no_temperature(sqlite: LedgerSettings, index: Path, corpus: Path) -> None:
    asked = ("calibrate", index, "--corpus", corpus, "--queries", 3)
    assert gmv_json(sqlite, *asked)["choice"] is None
    assert "give more --queries" in gmv(sqlite, *asked).stdout


def test_an_index_of_features_has_no_pictures(sqlite: LedgerSettings, tmp_path: Path) -> None:
    features = write_features(tmp_path / "f.parquet", 12)
    gmv_json(sqlite, "index", "build", features, "--out", tmp_path / "i", "--encoder-id", "theirs/1")
    assert "holds features of theirs/1" in refused(sqlite, 11, "calibrate", tmp_path / "i", "--corpus", features)


def test_a_corpus_without_pictures_is_refused_by_its_column(
    sqlite: LedgerSettings, index: Path, tmp_path: Path
) -> None:
    features = write_features(tmp_path / "f.parquet", 12)
    assert "no column 'image'" in refused(sqlite, 10, "calibrate", index, "--corpus", features)
