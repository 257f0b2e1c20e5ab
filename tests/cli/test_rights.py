"""`gmv rights` over corpora of every form, and the owners file that it writes."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from gmv.rights import c2pa_reader
from gmv.settings import LedgerSettings
from tests.cli.command import gmv, gmv_json, refused
from tests.corpus.corpora import rows, write_features, write_folder, write_parquet
from tests.rights.files import image_file, mining, packet, signed

HOSTILE = b"<!DOCTYPE x [<!ENTITY a 'a'>]>" + packet("<dc:rights>&a;</dc:rights>")
CC = "http://creativecommons.org/licenses/by/4.0/"


def said_by() -> list[bytes]:
    """Image files of 20 rows: ten of them say something, and one is damaged."""
    licence = packet(f'<cc:license rdf:resource="{CC}"/>', 'plus:DataMining="DMI-ALLOWED"')
    files = [
        image_file("JPEG", mining("DMI-PROHIBITED"), 0),
        image_file("PNG", mining("DMI-PROHIBITED-AIMLTRAINING"), 1),
        image_file("PNG", mining("DMI-PROHIBITED-GENAIMLTRAINING"), 2, zipped=True),
        image_file("WEBP", mining("DMI-PROHIBITED-EXCEPTSEARCHENGINEINDEXING"), 3),
        image_file("JPEG", licence, 4),
        image_file("JPEG", b"", 5, copyright_notice="(c) ada, all rights reserved"),
        image_file("JPEG", HOSTILE, 6),
        signed("JPEG", "cawg.training-mining", {"cawg.ai_training": {"use": "notAllowed"}}, image_file("JPEG", seed=7)),
        image_file("WEBP", licence, 8),
        image_file("PNG", b"", 9)[:60],
    ]
    return files + [image_file("PNG", seed=seed) for seed in range(10, 20)]


def corpus_of() -> list[dict[str, Any]]:
    files = said_by()
    return [row | {"image": {"bytes": files[place], "path": None}} for place, row in enumerate(rows(20))]


OUT = [rows(20)[place]["image_id"] for place in (0, 1, 2, 3, 7)]


@pytest.mark.parametrize("form", [write_parquet, write_folder])
def test_opt_outs_of_a_corpus_are_counted_and_written(sqlite: LedgerSettings, tmp_path: Path, form: Any) -> None:
    corpus, out = form(tmp_path / "c.parquet", corpus_of()), tmp_path / "owners.jsonl"
    told = gmv_json(sqlite, "rights", corpus, "--out", out)

    assert (told["images"], told["opted_out"]) == (20, 5)
    lines = [orjson.loads(line) for line in out.read_bytes().splitlines()]
    assert {line["image_id"] for line in lines} == set(OUT)
    assert all(line["opted_out"] is True and line["note"] for line in lines)
    notes = {line["image_id"]: line["note"] for line in lines}
    assert notes[OUT[1]] == "XMP plus:DataMining: prohibited for AI/ML training"
    assert notes[OUT[4]] == "C2PA cawg.training-mining: cawg.ai_training not allowed"
    assert told["said"][0] == {"text": "XMP plus:DataMining: allowed", "images": 2}
    assert told["licences"] == [{"text": CC, "images": 2}, {"text": "(c) ada, all rights reserved", "images": 1}]
    assert told["without_licence"] == 17
    assert {each["owner_id"]: (each["images"], each["opted_out"]) for each in told["owners"]} == {
        "owner 0": (7, 2),
        "owner 1": (7, 2),
        "owner 2": (6, 1),
    }
    assert [each["image_id"] for each in told["unread"]] == [rows(20)[6]["image_id"]]
    assert "document type" in told["unread"][0]["why"]


def test_the_owners_file_is_one_that_gmv_reads_and_applies(sqlite: LedgerSettings, tmp_path: Path) -> None:
    corpus, out = write_parquet(tmp_path / "c.parquet", corpus_of()), tmp_path / "owners.jsonl"
    built = ("index", "build", corpus, "--out", tmp_path / "index", "--working-size", 16, "--bad-share-max", 0.1)
    assert gmv_json(sqlite, *built)["corpus"]["rejected"] == 1
    gmv_json(sqlite, "rights", corpus, "--out", out)
    (tmp_path / "query.jpg").write_bytes(said_by()[0])

    asked = ("attribute", "--index", tmp_path / "index", tmp_path / "query.jpg")
    before = gmv_json(sqlite, *asked)["images"][0]["contributors"]
    after = gmv_json(sqlite, *asked, "--owners", out)["images"][0]["contributors"]
    assert before[0]["image_id"] == OUT[0]
    assert before[0]["micros"] > 0
    assert {each["image_id"]: each["micros"] for each in after if each["image_id"] in OUT} == {
        each["image_id"]: 0 for each in before if each["image_id"] in OUT
    }


def test_people_are_told_that_nothing_is_applied(sqlite: LedgerSettings, tmp_path: Path) -> None:
    corpus, out = write_parquet(tmp_path / "c.parquet", corpus_of()), tmp_path / "owners.jsonl"
    told = gmv(sqlite, "rights", corpus, "--out", out).stdout
    assert "5 of 20 images of" in told
    assert "nothing is applied until --owners names it" in told
    assert f"not read whole: {rows(20)[6]['image_id']}: the XMP has a document type" in told
    assert "none stated" in told


def test_without_the_library_manifests_are_named(
    sqlite: LedgerSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(c2pa_reader, "find_spec", lambda _: None)
    told = gmv_json(sqlite, "rights", write_parquet(tmp_path / "c.parquet", corpus_of()))
    assert told["opted_out"] == 4
    assert told["out"] is None
    whys = {each["image_id"]: each["why"] for each in told["unread"]}
    assert "pip install 'gmv[rights]'" in whys[OUT[4]]


def test_images_that_are_not_there_are_named(sqlite: LedgerSettings, tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder", corpus_of())
    (folder / OUT[0]).unlink()
    (folder / OUT[1]).write_bytes(b"GIF89a and so on")
    told = gmv_json(sqlite, "rights", folder)
    assert (told["images"], told["opted_out"]) == (20, 3)
    whys = {each["image_id"]: each["why"] for each in told["unread"]}
    assert {OUT[0], OUT[1]} < set(whys)
    assert "GIF" in whys[OUT[1]]


def test_a_corpus_of_features_has_no_files_to_read(sqlite: LedgerSettings, tmp_path: Path) -> None:
    features = write_features(tmp_path / "f.parquet", 12)
    assert "no column 'image'" in refused(sqlite, 10, "rights", features)
    refused(sqlite, 10, "rights", tmp_path / "nothing")


def test_the_file_is_kept_where_the_corpus_cannot_be_read(sqlite: LedgerSettings, tmp_path: Path) -> None:
    out = tmp_path / "owners.jsonl"
    out.write_bytes(b"reviewed\n")
    refused(sqlite, 10, "rights", tmp_path / "nothing", "--out", out, "--force")
    assert out.read_bytes() == b"reviewed\n"


def test_a_file_that_somebody_reviewed_is_replaced_by_force_alone(sqlite: LedgerSettings, tmp_path: Path) -> None:
    corpus, out = write_parquet(tmp_path / "c.parquet", corpus_of()), tmp_path / "owners.jsonl"
    out.write_bytes(b"reviewed\n")
    assert "owners.jsonl is there already" in refused(sqlite, 2, "rights", corpus, "--out", out)
    assert out.read_bytes() == b"reviewed\n"
    gmv_json(sqlite, "rights", corpus, "--out", out, "--force")
    assert out.read_bytes().count(b"\n") == len(OUT)
