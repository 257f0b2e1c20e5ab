"""What `gmv replay` says of what it did: always, also where it stops in the middle, and nothing that is not so."""

import gzip
from pathlib import Path
from typing import Any

import orjson
import pytest

from gmv.errors import DiskFull, EventsRefused, LedgerMissing, TooManyDeadLetters
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.files import lines as lines_module
from gmv.files.outbox import FileOutbox
from gmv.settings import LedgerSettings
from tests.cli.command import Done, gmv, gmv_json, refused
from tests.corpus.corpora import rows, write_parquet
from tests.encoders.pictures import picture, png

COUNTS = ("events", "credited", "duplicates", "dead_letters", "already_done")


@pytest.fixture
def index(sqlite: LedgerSettings, tmp_path: Path) -> Path:
    corpus = write_parquet(tmp_path / "c.parquet", rows(4))
    gmv_json(sqlite, "index", "build", corpus, "--out", tmp_path / "index", "--working-size", 16)
    return tmp_path / "index"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Runs of two records."""
    file = tmp_path / "gmv.toml"
    file.write_text("[kafka]\nrun_records_max = 2\n")
    return file


def good(number: int) -> bytes:
    return structured(GeneratedImage("/test", f"event-{number}", ImageBytes(png(picture(9)))))


def written(sqlite: LedgerSettings, tmp_path: Path, *lines: bytes) -> Path:
    """A file that a ledger is ready for; its last line has the end that is given."""
    file = tmp_path / "events.jsonl"
    file.write_bytes(b"\n".join(lines))
    gmv_json(sqlite, "ledger", "init", "--log", file)
    return file


def told(done: Done) -> dict[str, Any]:
    summary: dict[str, Any] = orjson.loads(done.stdout)
    return summary


def counts(done: Done) -> tuple[int, ...]:
    return tuple(told(done)[name] for name in COUNTS)


def credited(sqlite: LedgerSettings) -> int:
    return int(gmv_json(sqlite, "ledger", "verify")["credited"])


@pytest.mark.parametrize("end", [b'{"specversion": "1.0"', good(9)])
def test_a_last_line_without_its_end_leaves_a_summary_of_the_others(
    end: bytes, sqlite: LedgerSettings, index: Path, tmp_path: Path
) -> None:
    file = written(sqlite, tmp_path, good(0), b"{broken", good(1), end)

    done = gmv(sqlite, "replay", file, "--index", index, "--json")

    assert done.returncode == EventsRefused.exit_code
    assert counts(done) == (3, 2, 0, 1, 0)
    assert "line 4" in told(done)["stopped"]
    assert done.stderr == f"gmv: {told(done)['stopped']}\n"
    assert credited(sqlite) == 2


def test_a_file_of_nothing_but_dead_letters_and_a_line_without_end_says_that_none_was_credited(
    sqlite: LedgerSettings, index: Path, tmp_path: Path
) -> None:
    file = written(sqlite, tmp_path, b"[]", b"{broken", b"{")

    done = gmv(sqlite, "replay", file, "--index", index)

    assert done.returncode == EventsRefused.exit_code
    assert "credited\n" not in done.stderr
    facts = [" ".join(row.split()) for row in done.stdout.splitlines()]
    assert {"events credited 0", "dead letters 2"} <= set(facts)
    assert any(row.startswith("stopped before the end line 3") for row in facts)


def test_a_line_that_is_too_long_leaves_a_summary_of_what_was_committed_before(
    sqlite: LedgerSettings, index: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(sqlite, tmp_path, good(0), good(1), b"{broken", b"x" * 9_000, good(2), b"")
    monkeypatch.setattr(lines_module, "LINE_BYTES_MAX", 8_000)

    done = gmv(sqlite, "replay", file, "--index", index, "--config", config, "--json")

    assert done.returncode == EventsRefused.exit_code
    assert counts(done) == (2, 2, 0, 0, 0)
    assert told(done)["first_dead_letters"] == [], "line 3 was read, and is not committed"
    assert credited(sqlite) == 2


def test_what_was_published_and_not_committed_is_not_in_the_summary(
    sqlite: LedgerSettings, index: Path, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = written(sqlite, tmp_path, good(0), b"{broken", good(1), b"{broken", b"")
    publish, runs = FileOutbox.publish, []

    async def fails_at_the_second(*arguments: Any) -> None:
        runs.append(arguments)
        await publish(*arguments)
        if len(runs) == 2:
            raise DiskFull("no space")

    monkeypatch.setattr(FileOutbox, "publish", fails_at_the_second)
    done = gmv(sqlite, "replay", file, "--index", index, "--config", config, "--json")

    assert done.returncode == DiskFull.exit_code
    assert counts(done) == (2, 1, 0, 1, 0)
    assert [each["line"] for each in told(done)["first_dead_letters"]] == [2]
    assert credited(sqlite) == 1
    again = gmv(sqlite, "replay", file, "--index", index, "--config", config, "--json")
    assert (again.returncode, counts(again), told(again)["stopped"]) == (0, (2, 1, 0, 1, 2), None)
    assert [each["line"] for each in told(again)["first_dead_letters"]] == [4]


@pytest.mark.parametrize("bad", [(b"[]", b"{broken"), (b"{",), (b'"a"', b"1", b"null")])
def test_where_all_are_dead_letters_the_command_fails_and_says_so(
    bad: tuple[bytes, ...], sqlite: LedgerSettings, index: Path, tmp_path: Path
) -> None:
    file = written(sqlite, tmp_path, *bad, b"")

    done = gmv(sqlite, "replay", file, "--index", index, "--json")

    assert done.returncode == TooManyDeadLetters.exit_code
    assert counts(done) == (len(bad), 0, 0, len(bad), 0)
    assert f"nothing was credited, all {len(bad)} records are dead letters" in done.stderr
    assert gmv_json(sqlite, "replay", file, "--index", index)["already_done"] == len(bad)


def test_a_duplicate_was_credited_so_dead_letters_beside_it_are_no_failure(
    sqlite: LedgerSettings, index: Path, tmp_path: Path
) -> None:
    file = written(sqlite, tmp_path, good(0), b"")
    gmv_json(sqlite, "replay", file, "--index", index)
    with file.open("ab") as more:
        more.write(good(0) + b"\n{broken\n")

    replayed = gmv_json(sqlite, "replay", file, "--index", index)

    assert (replayed["credited"], replayed["duplicates"], replayed["dead_letters"]) == (0, 1, 1)


def test_before_a_replay_begins_there_is_nothing_to_sum_up(sqlite: LedgerSettings, index: Path, tmp_path: Path) -> None:
    file = tmp_path / "events.jsonl"
    file.write_bytes(good(0) + b"\n")
    refused(sqlite, LedgerMissing.exit_code, "replay", file, "--index", index)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (gzip.compress(good(0)), "gunzip"),
        (good(0).decode().encode("utf-16"), "iconv -f UTF-16 -t UTF-8"),
        (b"[" + good(0) + b"," + good(1) + b"]\n", "one event per line"),
        (orjson.dumps(orjson.loads(good(0)), option=orjson.OPT_INDENT_2), "one event per line"),
    ],
    ids=["gzip", "utf-16", "array", "pretty"],
)
def test_a_file_of_another_format_is_refused_before_anything_moves(
    content: bytes, says: str, sqlite: LedgerSettings, index: Path, tmp_path: Path
) -> None:
    file = written(sqlite, tmp_path, good(0), b"")
    file.write_bytes(content)

    assert says in refused(sqlite, EventsRefused.exit_code, "replay", file, "--index", index)
    assert says in refused(sqlite, EventsRefused.exit_code, "ledger", "init", "--log", file)
    assert credited(sqlite) == 0
    assert {path.name for path in tmp_path.iterdir() if path.name.startswith("events")} == {"events.jsonl"}
