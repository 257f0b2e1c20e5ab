"""When images were registered: dates, moments or numbers, in every form of a corpus, and what is refused."""

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gmv.corpus.parquet_files import Columns
from gmv.corpus.registered import Registration
from gmv.errors import CorpusRefused
from tests.corpus.corpora import IMAGE, opened, rows, write_folder, write_metadata, write_parquet

NEW_YEAR = datetime(2024, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("said", "found"),
    [
        (None, None),
        ("", None),
        (float("nan"), None),
        (7, 7),
        (-7, -7),
        (7.0, 7),
        ("20240101", 20240101),
        ("2024-01-01", NEW_YEAR),
        (date(2024, 1, 1), NEW_YEAR),
        (datetime(2024, 1, 1), NEW_YEAR),
        ("2024-01-01T00:00:00Z", NEW_YEAR),
        ("2023-12-31T19:00:00-05:00", NEW_YEAR),
        (datetime(2024, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))), NEW_YEAR),
    ],
)
def test_a_date_is_its_first_moment_in_utc_and_a_number_is_itself(said: object, found: object) -> None:
    assert Registration().read("row 1", said) == found


@pytest.mark.parametrize(
    "said",
    ["yesterday", "2024-13-01", "31/01/2024", 7.5, float("inf"), 2**63, True, b"2024-01-01", ["2024-01-01"], "1e3"],
)
def test_what_is_no_date_and_no_whole_number_is_refused_by_its_row(said: object) -> None:
    with pytest.raises(CorpusRefused, match=r"^row 1: registered is .*should be a date"):
        Registration().read("row 1", said)


def test_a_moment_that_no_year_has_in_utc_is_refused() -> None:
    with pytest.raises(CorpusRefused, match=r"row 1: registered is .* in no year"):
        Registration().read("row 1", "0001-01-01T00:00:00+14:00")


def test_dates_and_numbers_cannot_be_ordered() -> None:
    registration = Registration()
    assert registration.read("row 1", None) is None
    assert registration.read("row 2", "2024-01-01") == NEW_YEAR
    with pytest.raises(CorpusRefused, match="row 3: registered is a number, 5, and in row 2 a date"):
        registration.read("row 3", 5)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([NEW_YEAR, None, NEW_YEAR + timedelta(days=1)], pa.timestamp("ns", "UTC")),
        pa.array([NEW_YEAR, None, NEW_YEAR + timedelta(days=1)], pa.timestamp("us", "Europe/Berlin")),
        pa.array([NEW_YEAR.date(), None, date(2024, 1, 2)], pa.date32()),
        pa.array(["2024-01-01", None, "2024-01-02"]).dictionary_encode(),
    ],
    ids=["nanoseconds", "another zone", "dates", "dictionary"],
)
def test_parquet_says_it_in_a_column_that_may_have_another_name(tmp_path: Path, column: pa.Array) -> None:
    corpus = rows(3)
    table = pa.table(
        {
            "image_id": [row["image_id"] for row in corpus],
            "owner_id": [row["owner_id"] for row in corpus],
            "image": pa.array([row["image"] for row in corpus], IMAGE),
            "filed": column,
        }
    )
    pq.write_table(table, tmp_path / "c.parquet")
    images = opened(tmp_path / "c.parquet", columns=Columns(registered="filed")).catalogue().images
    assert [image.registered for image in images] == [NEW_YEAR, None, NEW_YEAR + timedelta(days=1)]
    without = opened(tmp_path / "c.parquet").catalogue().images
    assert [image.registered for image in without] == [None] * 3


def test_a_folder_says_it_in_its_metadata(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "folder", rows(3))
    lines = [["file_name", "owner_id", "registered"]]
    lines += [[row["image_id"], row["owner_id"], said] for row, said in zip(rows(3), ("3", "", "1"), strict=True)]
    write_metadata(folder, lines)
    assert [image.registered for image in opened(folder).catalogue().images] == [3, None, 1]


def test_a_row_of_another_kind_is_named(tmp_path: Path) -> None:
    corpus: list[dict[str, Any]] = [
        row | {"registered": said} for row, said in zip(rows(3), ("2024-01-01", "2024-01-02", "17"), strict=True)
    ]
    path = write_parquet(tmp_path / "c.parquet", corpus)
    with pytest.raises(CorpusRefused, match=r"c\.parquet, row 2: registered is a number"):
        opened(path).catalogue()
