import csv
import io
import subprocess
import sys
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from gmv.cli.out_file import replacing
from gmv.errors import InvalidSettings
from gmv.settings import LedgerSettings
from tests.cli.command import command, create, credit, environment, gmv, gmv_json, refused

HOSTILE = {
    "ada": 5,
    "Ada": 1_000_000,
    "o:eve": 2,
    "#s:micros": 3,
    'comma, "quote"': 4,
    "two\nlines": 6,
    "=1+1": 7,
    "ж 画家": 2**53 - 2_000_000,
    "[bold]": 0,
    "": 8,
}


def rows(earned: dict[str, int]) -> list[dict[str, object]]:
    return [{"owner_id": owner_id, "credit_micros": earned[owner_id]} for owner_id in sorted(earned)]


class TestTop:
    def test_the_highest_first_and_ties_by_id(self, ledger: LedgerSettings) -> None:
        create(ledger, books=2, partitions=2)
        credit(ledger, {"dan": 1_500_000, "bob": 250_000, "cy": 7})
        credit(ledger, {"bob": 750_000, "ada": 1_000_000}, partition=1)
        assert gmv_json(ledger, "credits", "top", "--limit", 3) == {
            "owners": [
                {"owner_id": "dan", "credit_micros": 1_500_000},
                {"owner_id": "ada", "credit_micros": 1_000_000},
                {"owner_id": "bob", "credit_micros": 1_000_000},
            ],
            "owners_credited": 4,
            "credit_micros": 3_500_007,
            "unattributed_micros": 0,
            "positions": [
                {"topic": "images", "partition": 0, "next_offset": 1},
                {"topic": "images", "partition": 1, "next_offset": 1},
            ],
        }

    def test_what_a_person_sees(self, sqlite: LedgerSettings) -> None:
        create(sqlite)
        credit(sqlite, {"dan": 1_500_000, "[red]ada": 500_000, "bob": 0})
        done = gmv(sqlite, "credits", "top", "--limit", 2)
        lines = [line.split() for line in done.stdout.splitlines()]
        assert done.stdout.startswith("3 owners have earned 2.000000 credits\n")
        assert ["1", "dan", "1.500000", "75.0%"] in lines
        assert ["2", "[red]ada", "0.500000", "25.0%"] in lines
        assert "bob" not in done.stdout

    def test_a_young_ledger_has_nobody(self, ledger: LedgerSettings) -> None:
        create(ledger)
        assert gmv_json(ledger, "credits", "top")["owners"] == []
        credit(ledger, {"ada": 0})
        assert "0.0%" in gmv(ledger, "credits", "top").stdout

    def test_a_limit_of_none_is_a_mistake(self, sqlite: LedgerSettings) -> None:
        assert gmv(sqlite, "credits", "top", "--limit", 0).returncode == 2


class TestShow:
    def test_who_was_never_credited_has_nothing(self, ledger: LedgerSettings) -> None:
        create(ledger, books=2, partitions=2)
        credit(ledger, {"ada": 2_000_000, "zero": 0})
        credit(ledger, {"ada": 1}, partition=1)
        assert gmv_json(ledger, "credits", "show", "nobody", "ada", "zero", "ada") == {
            "owners": [
                {"owner_id": "nobody", "credit_micros": 0, "ever_credited": False},
                {"owner_id": "ada", "credit_micros": 2_000_001, "ever_credited": True},
                {"owner_id": "zero", "credit_micros": 0, "ever_credited": True},
            ]
        }

    def test_nobody_of_them_known_is_a_failure(self, sqlite: LedgerSettings) -> None:
        create(sqlite)
        done = gmv(sqlite, "credits", "show", "nobody", "no one")
        assert done.returncode == 1
        assert done.stdout.count("never credited") == 2


class TestExport:
    def exported(self, ledger: LedgerSettings, *arguments: object) -> str:
        done = gmv(ledger, "credits", "export", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_every_format_holds_every_owner_to_the_micro_credit(self, ledger: LedgerSettings, tmp_path: Path) -> None:
        create(ledger)
        credit(ledger, HOSTILE)
        text = self.exported(ledger)
        path = tmp_path / "credits.parquet"

        found = [dict(row) for row in csv.DictReader(io.StringIO(text, newline=""))]
        assert [row | {"credit_micros": int(row["credit_micros"])} for row in found] == rows(HOSTILE)
        assert orjson.loads(self.exported(ledger, "--format", "json")) == rows(HOSTILE)
        assert "10 owners" in self.exported(ledger, "--format", "parquet", "--out", path)
        table = parquet.read_table(path)
        assert table.to_pylist() == rows(HOSTILE)
        assert table.schema.types == [pa.string(), pa.int64()]

    def test_a_process_of_its_own_prints_the_same(self, ledger: LedgerSettings) -> None:
        create(ledger)
        credit(ledger, HOSTILE)
        done = subprocess.run(command("credits", "export"), env=environment(ledger), capture_output=True, check=True)
        assert done.stdout.decode() == self.exported(ledger)

    def test_a_file_is_what_stdout_would_be(self, sqlite: LedgerSettings, tmp_path: Path) -> None:
        create(sqlite)
        credit(sqlite, HOSTILE)
        for name in ("csv", "json"):
            (tmp_path / name).write_text("of yesterday")
            self.exported(sqlite, "--format", name, "--out", tmp_path / name)
            assert (tmp_path / name).read_text() == self.exported(sqlite, "--format", name)
        assert {path.name for path in tmp_path.iterdir()} == {"csv", "json", "ledger.db"}

    def test_no_owners_are_a_header(self, sqlite: LedgerSettings) -> None:
        create(sqlite)
        assert self.exported(sqlite) == "owner_id,credit_micros\n"
        assert self.exported(sqlite, "--format", "json") == "[]\n"

    def test_a_file_of_yesterday_stays_where_there_is_no_ledger(self, sqlite: LedgerSettings, tmp_path: Path) -> None:
        path = tmp_path / "credits.csv"
        path.write_text("of yesterday")
        assert "gmv ledger init" in refused(sqlite, 21, "credits", "export", "--out", path)
        assert path.read_text() == "of yesterday"

    def test_where_it_cannot_go(self, sqlite: LedgerSettings, tmp_path: Path) -> None:
        create(sqlite)
        assert "--out FILE" in refused(sqlite, 2, "credits", "export", "--format", "parquet")
        assert "No such file" in refused(sqlite, 2, "credits", "export", "--out", tmp_path / "no" / "file")
        assert "is no file" in refused(sqlite, 2, "credits", "export", "--out", tmp_path)

    def test_a_write_that_fails_leaves_what_was_there(self, tmp_path: Path) -> None:
        path = tmp_path / "credits.csv"
        path.write_text("of yesterday")
        with pytest.raises(TypeError), replacing(path) as file:
            file.writelines([b"half", "a text"])  # type: ignore[list-item]
        assert path.read_text() == "of yesterday"
        assert list(tmp_path.iterdir()) == [path]

    def test_a_link_stays_a_link(self, tmp_path: Path) -> None:
        (tmp_path / "link").symlink_to(tmp_path / "real")
        with replacing(tmp_path / "link") as file:
            file.write(b"new")
        assert (tmp_path / "real").read_bytes() == b"new"
        assert (tmp_path / "link").is_symlink()

    def test_a_device_is_no_place_for_a_file(self) -> None:
        with pytest.raises(InvalidSettings, match="is no file"), replacing(Path("/dev/null")):
            pass


@pytest.mark.parametrize("arguments", [["top"], ["show", "ada"], ["export"]])
def test_reading_credits_loads_nothing_heavy(ledger: LedgerSettings, arguments: list[str]) -> None:
    create(ledger)
    credit(ledger, {"ada": 1})
    code = (
        f"import sys; sys.argv = ['gmv', 'credits', *{arguments}]\n"
        "from gmv.cli import main\n"
        "try: main()\nfinally: sys.stderr.write(' '.join(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment(ledger), capture_output=True, text=True)
    loaded = {name.split(".")[0] for name in done.stderr.split()}
    assert "ada" in done.stdout
    assert not loaded & {"torch", "faiss", "faust", "scipy", "numpy", "pyarrow", "kafka", "aiokafka"}
