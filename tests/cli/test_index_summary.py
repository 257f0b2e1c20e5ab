"""`gmv index summary` and `gmv index build --rights`, over the corpus of `gmv rights`."""

from pathlib import Path
from typing import Any

import pytest

from gmv.settings import LedgerSettings
from tests.cli.command import gmv, gmv_json, refused
from tests.cli.test_rights import CC, OUT, corpus_of
from tests.corpus.corpora import write_features, write_folder, write_parquet

SMALL = ("--working-size", 16, "--bad-share-max", 0.1)


def rows_told() -> list[dict[str, Any]]:
    """With a source, unknown for two, and a licence, unknown for most."""
    return [
        row
        | {"source": None if place > 17 else f"source {place % 2}", "licence": "theirs" if place in (4, 10) else None}
        for place, row in enumerate(corpus_of())
    ]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_parquet(tmp_path_factory.mktemp("corpus") / "c.parquet", rows_told())


@pytest.fixture(scope="module")
def index(corpus: Path) -> Path:
    """Beside the corpus, and an owners file of opt-outs beside both; no test changes them."""
    out, opt_outs = corpus.with_name("index"), corpus.with_name("outs.jsonl")
    gmv_json(LedgerSettings(), "index", "build", corpus, "--out", out, *SMALL, "--rights", opt_outs)
    return out


def counted(told: list[dict[str, Any]]) -> dict[str, int]:
    return {each["text"]: each["images"] for each in told}


def test_owners_are_counted_without_a_corpus(sqlite: LedgerSettings, index: Path) -> None:
    """The tenth of 20 images is damaged: owner 0 has 6 of 7 left."""
    told = gmv_json(sqlite, "index", "summary", index)
    assert counted(told["owners"]) == {"owner 1": 7, "owner 0": 6, "owner 2": 6}
    assert (told["images"], told["left_out"]) == (19, 1)
    assert told["without_licence"] is told["without_source"] is told["not_in_corpus"] is None
    assert told["index_id"] == gmv_json(sqlite, "index", "info", index)["index_id"]


def test_licences_and_sources_are_of_columns_and_files(sqlite: LedgerSettings, index: Path, corpus: Path) -> None:
    asked = ("index", "summary", index, "--corpus", corpus)
    stated = gmv_json(sqlite, *asked)
    assert counted(stated["licences"]) == {CC: 2, "(c) ada, all rights reserved": 1}
    assert (stated["without_licence"], stated["without_source"], stated["not_in_corpus"]) == (16, None, 0)

    columns = ("--licence-column", "licence", "--source-column", "source")
    told = gmv_json(sqlite, *asked, *columns)
    assert counted(told["licences"]) == {"theirs": 2, CC: 1, "(c) ada, all rights reserved": 1}
    assert counted(told["sources"]) == {"source 0": 9, "source 1": 8}
    assert (told["without_licence"], told["without_source"]) == (15, 2)
    assert sum(counted(told["sources"]).values()) + told["without_source"] == told["images"] == 19
    shown = gmv(sqlite, *asked, *columns).stdout
    for said in ("By owner", "By licence", "By source", "none stated", "theirs"):
        assert said in shown


def test_another_corpus_is_said_to_be_one(sqlite: LedgerSettings, index: Path, tmp_path: Path) -> None:
    few = write_parquet(tmp_path / "few.parquet", rows_told()[:8])
    asked = ("index", "summary", index, "--corpus", few)
    assert gmv_json(sqlite, *asked)["not_in_corpus"] == 11
    assert "11 images of the index are not in this corpus" in gmv(sqlite, *asked).stdout
    strangers = [row | {"image_id": f"another {row['image_id']}"} for row in rows_told()]
    other = write_parquet(tmp_path / "other.parquet", strangers)
    said = refused(sqlite, 10, "index", "summary", index, "--corpus", other)
    assert "holds none of the 19 images of the index" in said


def test_what_cannot_be_told_is_refused(sqlite: LedgerSettings, index: Path, corpus: Path, tmp_path: Path) -> None:
    asked = ("index", "summary", index)
    assert "name it by --corpus" in refused(sqlite, 2, *asked, "--source-column", "source")
    assert "no column 'where'" in refused(sqlite, 10, *asked, "--corpus", corpus, "--source-column", "where")
    folder = write_folder(tmp_path / "folder", corpus_of())
    told = refused(sqlite, 10, *asked, "--corpus", folder, "--licence-column", "licence")
    assert "holds no Parquet files" in told
    refused(sqlite, 11, "index", "summary", tmp_path / "nothing")


def test_a_licence_column_goes_before_what_files_state(sqlite: LedgerSettings, corpus: Path) -> None:
    told = gmv_json(sqlite, "rights", corpus, "--licence-column", "licence")
    assert counted(told["licences"]) == {"theirs": 2, CC: 1, "(c) ada, all rights reserved": 1}


def test_a_build_writes_the_opt_outs_as_gmv_rights_does(
    sqlite: LedgerSettings, index: Path, corpus: Path, tmp_path: Path
) -> None:
    gmv_json(sqlite, "rights", corpus, "--out", tmp_path / "rights.jsonl")
    written = index.with_name("outs.jsonl").read_bytes()
    assert written == (tmp_path / "rights.jsonl").read_bytes()
    assert written.count(b"\n") == len(OUT)


@pytest.mark.parametrize("force", [(), ("--force",)])
def test_a_build_keeps_opt_outs_that_somebody_reviewed(
    sqlite: LedgerSettings, corpus: Path, tmp_path: Path, force: tuple[str, ...]
) -> None:
    out = tmp_path / "outs.jsonl"
    out.write_bytes(b"reviewed\n")
    asked = ("index", "build", corpus, "--out", tmp_path / "i", *SMALL, *force, "--rights", out)
    assert "--rights" in refused(sqlite, 2, *asked)
    assert out.read_bytes() == b"reviewed\n"
    assert not (tmp_path / "i").exists()


def test_a_build_that_is_run_again_goes_on_with_the_opt_outs_it_wrote(
    sqlite: LedgerSettings, index: Path, corpus: Path, tmp_path: Path
) -> None:
    out = tmp_path / "outs.jsonl"
    out.write_bytes(index.with_name("outs.jsonl").read_bytes())
    gmv_json(sqlite, "index", "build", corpus, "--out", tmp_path / "i", *SMALL, "--rights", out)
    assert out.read_bytes() == index.with_name("outs.jsonl").read_bytes()


def test_a_file_of_opt_outs_that_cannot_be_made_is_refused_by_its_option(
    sqlite: LedgerSettings, corpus: Path, tmp_path: Path
) -> None:
    asked = ("index", "build", corpus, "--out", tmp_path / "i", *SMALL, "--rights", tmp_path / "nowhere" / "r.jsonl")
    said = refused(sqlite, 2, *asked)
    assert f"--rights {tmp_path / 'nowhere' / 'r.jsonl'}: No such file" in said
    assert "--out" not in said


def test_features_have_no_rights_to_read(sqlite: LedgerSettings, tmp_path: Path) -> None:
    features = write_features(tmp_path / "f.parquet", 12)
    asked = (
        "index",
        "build",
        features,
        "--out",
        tmp_path / "i",
        "--encoder-id",
        "theirs/1",
        "--rights",
        tmp_path / "r",
    )
    assert "--rights reads image files" in refused(sqlite, 2, *asked)
    assert not (tmp_path / "i").exists()
