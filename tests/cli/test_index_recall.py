"""`gmv index recall`, over small indexes, against counting by hand."""

from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pyarrow.parquet as pq
import pytest

from gmv.index.opened import Index, open_index
from gmv.settings import LedgerSettings
from gmv.valuation.wasserstein.rerank import ExactReranker
from tests.cli.command import gmv, gmv_json, refused
from tests.corpus.corpora import FILES, rows, write_features, write_parquet
from tests.encoders.pictures import picture, png

SIZE = ("--working-size", 16)


def labelled(count: int) -> list[dict[str, object]]:
    return [row | {"label": int(str(row["owner_id"])[-1])} for row in rows(count)]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    return write_parquet(tmp_path / "c.parquet", labelled(20))


@pytest.fixture
def index(sqlite: LedgerSettings, corpus: Path, tmp_path: Path) -> Path:
    gmv_json(sqlite, "index", "build", corpus, "--out", tmp_path / "index", *SIZE)
    return tmp_path / "index"


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    given = [
        row | {"image": {"bytes": png(picture(100 + place)), "path": None}} for place, row in enumerate(labelled(6))
    ]
    given[2]["label"] = None
    return write_parquet(tmp_path / "q.parquet", given)


def pairs_by_distance(opened: Index, seed: int) -> list[tuple[float, int, bool]]:
    """W1 to all rows, by the nearer of two looks, the mirrored one encoded by itself."""
    reranker = ExactReranker(opened.tokens, scale=opened.token_scale)
    every, looks = np.arange(len(opened.images)), (picture(seed), np.ascontiguousarray(picture(seed)[:, ::-1]))
    nearest: dict[int, tuple[float, int, bool]] = {}
    for is_mirrored, look in enumerate(looks):
        (ranking,) = reranker.nearest([opened.encoder.encode([look]).tokens[0]], [every], len(every))
        for row, distance in zip(ranking.rows.tolist(), ranking.distances.tolist(), strict=True):
            nearest[row] = min(nearest.get(row, (np.inf, row, False)), (distance, row, bool(is_mirrored)))
    return sorted(nearest.values())


def test_recall_is_told_by_number_of_candidates(sqlite: LedgerSettings, index: Path, queries: Path) -> None:
    told = gmv_json(sqlite, "index", "recall", index, queries, "--candidates", 3, "--candidates-max", 12)

    opened = open_index(index, verify=True)
    for point in told["recall"]["curves"][0]["points"]:
        found = []
        for seed in range(100, 106):
            vectors = opened.encoder.encode([picture(seed)]).vectors
            (looks,) = opened.recall.recall_looks(vectors, point["candidates"])
            for _, row, is_mirrored in pairs_by_distance(opened, seed)[:10]:
                found.append(row in looks[is_mirrored].tolist())
        assert point["recall"] == pytest.approx(np.mean(found), abs=1e-4)
    assert [point["candidates"] for point in told["recall"]["curves"][0]["points"]] == [10, 12]
    assert (told["queries"], told["candidates"], told["training_images"]) == (6, 3, 20)
    assert told["labels"] is None
    assert set(told["milliseconds"]) == {"encode", "recall", "re-rank", "rank all"}


def test_labels_are_compared_where_both_sides_have_them(
    sqlite: LedgerSettings, index: Path, queries: Path, corpus: Path
) -> None:
    told = gmv_json(sqlite, "index", "recall", index, queries, "--corpus", corpus, "--candidates", 40)["labels"]

    opened = open_index(index, verify=True)
    label_of = {row["image_id"]: row["label"] for row in labelled(20)}
    shares = []
    for place, query in enumerate(labelled(6)):
        rows_found = [row for _, row, _ in pairs_by_distance(opened, 100 + place)[:10]]
        same = [label_of[image.image_id] == query["label"] for image in opened.images.images(rows_found)]
        shares += [np.mean(same)] * (place != 2)  # which has no label
    assert told["queries"] == 5
    assert told["of_all"] == told["re_ranked"] == pytest.approx(np.mean(shares))
    assert 0 <= told["recalled"] <= 1


def test_a_folder_is_measured_by_and_drawn(sqlite: LedgerSettings, index: Path, tmp_path: Path) -> None:
    folder = tmp_path / "given"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.png").write_bytes(FILES[number] if number else FILES[0][:40])
    told = gmv(sqlite, "index", "recall", index, folder, "--plot", tmp_path / "curve.svg").stdout

    assert "nearest of 20 training images to each of 2 images given" in told
    assert "left out: 0.png: " in told
    drawn = (tmp_path / "curve.svg").read_text()
    assert ElementTree.fromstring(drawn).tag.endswith("svg")
    gmv(sqlite, "index", "recall", index, folder, "--plot", tmp_path / "again.svg")
    assert (tmp_path / "again.svg").read_text() == drawn


def test_only_the_first_images_are_taken(sqlite: LedgerSettings, index: Path, queries: Path) -> None:
    assert gmv_json(sqlite, "index", "recall", index, queries, "--queries-max", 2)["queries"] == 2


def test_a_build_tells_how_many_candidates_are_enough(sqlite: LedgerSettings, index: Path, tmp_path: Path) -> None:
    measured = gmv_json(sqlite, "index", "info", index)["candidates"]

    assert [curve["kind"] for curve in measured["curves"]] == ["training images", "mixes of training images"]
    assert [curve["queries"] for curve in measured["curves"]] == [20, 20]
    assert (measured["target"], measured["candidates_max"]) == (0.95, 150)
    assert measured["candidates"] in (10, 20, 30)
    assert f"{measured['candidates']} candidates hold 95.0%" in gmv(sqlite, "index", "info", index).stdout

    again = ("index", "build", tmp_path / "c.parquet", "--out", tmp_path / "other", *SIZE, "--candidates-max", 5)
    assert gmv_json(sqlite, *again)["candidates"]["candidates"] is None
    assert "are not reached by 5 candidates" in gmv(sqlite, "index", "info", tmp_path / "other").stdout


def test_what_cannot_be_measured_by_is_refused(sqlite: LedgerSettings, index: Path, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing.png"
    assert "No such file" in refused(sqlite, 13, "index", "recall", index, nothing)
    nothing.write_bytes(FILES[0][:40])
    assert "none of 1 images can be decoded" in refused(sqlite, 13, "index", "recall", index, nothing)
    (tmp_path / "folder").mkdir()
    assert "no image in it" in refused(sqlite, 13, "index", "recall", index, tmp_path / "folder")
    (tmp_path / "one.png").write_bytes(FILES[0])
    column = ("--corpus", tmp_path / "c.parquet", "--label-column", "class")
    assert "no column 'class'" in refused(sqlite, 10, "index", "recall", index, tmp_path / "one.png", *column)
    pq.write_table(pq.read_table(tmp_path / "c.parquet").drop_columns(["image_id"]), tmp_path / "d.parquet")
    told = refused(sqlite, 10, "index", "recall", index, tmp_path / "one.png", "--corpus", tmp_path / "d.parquet")
    assert "no column 'image_id'" in told


def test_an_index_of_features_has_no_encoder_to_measure_by(sqlite: LedgerSettings, tmp_path: Path) -> None:
    corpus = write_features(tmp_path / "f.parquet", 12)
    built = gmv_json(sqlite, "index", "build", corpus, "--out", tmp_path / "i", "--encoder-id", "theirs/1")
    assert [curve["kind"] for curve in built["candidates"]["curves"]] == ["training images"]

    (tmp_path / "one.png").write_bytes(FILES[0])
    assert "holds features of theirs/1" in refused(sqlite, 11, "index", "recall", tmp_path / "i", tmp_path / "one.png")
