"""What the comparison of two commits has to see, and that both are given the same events."""

import io
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
import typer
from PIL import Image
from typer.testing import CliRunner, Result

from gmv.errors import Poison
from gmv.events.cloudevents import decode
from tools import compare_commits
from tools.commit_checkout import CommandFailed, Commit
from tools.folder_comparison import compare_folders
from tools.mixed_events import Material, MixedRecord, correction_lines, mixed_records, owners_lines

PARTITIONS = 4
COUNT = 1_200


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    """Two folders of the same files."""
    for name in ("before", "after"):
        (tmp_path / name / "kafka").mkdir(parents=True)
        (tmp_path / name / "index_id").write_bytes(b"e929")
        (tmp_path / name / "kafka" / "receipts.jsonl").write_bytes(b"first\nsecond\n")
        (tmp_path / name / "rejected.jsonl").write_bytes(b"")
    return tmp_path / "before", tmp_path / "after"


def differing(folders: tuple[Path, Path]) -> list[str]:
    return [file.name for file in compare_folders(*folders) if not file.is_equal]


def test_equal_folders_are_equal_in_every_file(folders: tuple[Path, Path]) -> None:
    files = compare_folders(*folders)
    assert [file.name for file in files] == ["index_id", "kafka/receipts.jsonl", "rejected.jsonl"]
    assert all(file.is_equal for file in files)


def test_one_altered_byte_is_found_and_its_place_named(folders: tuple[Path, Path]) -> None:
    (folders[1] / "kafka" / "receipts.jsonl").write_bytes(b"first\nsecoNd\n")
    assert differing(folders) == ["kafka/receipts.jsonl"]
    (difference,) = (file.difference for file in compare_folders(*folders) if file.difference)
    assert difference.startswith("line 2, byte 10: ")


def test_a_line_that_was_added_at_the_end_is_found(folders: tuple[Path, Path]) -> None:
    (folders[1] / "rejected.jsonl").write_bytes(b"more\n")
    assert differing(folders) == ["rejected.jsonl"]


@pytest.mark.parametrize(("side", "bytes_before", "bytes_after"), [(0, None, 4), (1, 4, None)])
def test_a_file_that_only_one_of_them_has_is_found_though_it_be_empty(
    folders: tuple[Path, Path], side: int, bytes_before: int | None, bytes_after: int | None
) -> None:
    (folders[side] / "index_id").unlink()
    (folders[side] / "rejected.jsonl").unlink()
    assert differing(folders) == ["index_id", "rejected.jsonl"]
    (index_id, *_) = compare_folders(*folders)
    assert (index_id.bytes_before, index_id.bytes_after) == (bytes_before, bytes_after)


def run_main(monkeypatch: pytest.MonkeyPatch, folders: tuple[Path, Path], *arguments: str) -> Result:
    """The command, with the results of commits that ran before."""
    monkeypatch.setattr(compare_commits, "compare_commits", lambda *_: compare_folders(*folders))
    app = typer.Typer()
    app.command()(compare_commits.main)
    return CliRunner().invoke(app, ["one", "other", *arguments])


def test_the_exit_code_says_whether_all_is_equal_but_for_what_is_excepted(
    monkeypatch: pytest.MonkeyPatch, folders: tuple[Path, Path]
) -> None:
    assert run_main(monkeypatch, folders).exit_code == 0
    (folders[1] / "kafka" / "receipts.jsonl").write_bytes(b"first\n")
    assert run_main(monkeypatch, folders).exit_code == 1
    assert run_main(monkeypatch, folders, "--except", "kafka/*").exit_code == 0
    assert run_main(monkeypatch, folders, "--except", "index_id").exit_code == 1


def test_json_names_what_differs_and_both_digests(monkeypatch: pytest.MonkeyPatch, folders: tuple[Path, Path]) -> None:
    (folders[1] / "index_id").write_bytes(b"e92a")
    result = orjson.loads(run_main(monkeypatch, folders, "--json").stdout)
    assert result["differing"] == ["index_id"]
    assert {file["name"]: file["equal"] for file in result["results"]} == {
        "index_id": False,
        "kafka/receipts.jsonl": True,
        "rejected.jsonl": True,
    }
    assert result["results"][0]["sha256_before"] != result["results"][0]["sha256_after"]


def make_commit(folder: Path) -> Commit:
    (folder / "run").mkdir()
    return Commit("before", folder / "checkout", folder / "run", folder / "results")


def test_commands_import_the_gmv_of_the_checkout(tmp_path: Path) -> None:
    (tmp_path / "checkout" / "worker" / "gmv").mkdir(parents=True)
    (tmp_path / "checkout" / "worker" / "gmv" / "__init__.py").touch()
    make_commit(tmp_path).check_import()


def test_a_checkout_in_whose_place_the_installed_gmv_is_imported_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandFailed, match=r"gmv was imported from .*, not from "):
        make_commit(tmp_path).check_import()


@pytest.fixture(scope="module")
def material() -> Material:
    numbers = np.random.default_rng(7)
    files = []
    for _ in range(5):
        file = io.BytesIO()
        Image.fromarray(numbers.integers(0, 256, (16, 16, 3), np.uint8)).save(file, "PNG")
        files.append(file.getvalue())
    return Material(files, "encoder/1@00", 8, numbers.standard_normal((6, 4, 4)).astype(np.float16))


@pytest.fixture(scope="module")
def records(material: Material) -> list[MixedRecord]:
    return mixed_records(material, COUNT, PARTITIONS, seed=1)


def test_a_seed_gives_the_same_events_twice_and_another_gives_others(
    material: Material, records: list[MixedRecord]
) -> None:
    assert mixed_records(material, COUNT, PARTITIONS, seed=1) == records
    assert mixed_records(material, COUNT, PARTITIONS, seed=2) != records


def test_every_partition_has_as_many_records(material: Material, records: list[MixedRecord]) -> None:
    assert Counter(record.partition for record in records) == dict.fromkeys(range(PARTITIONS), COUNT // PARTITIONS)
    with pytest.raises(ValueError, match="do not fill 4 partitions evenly"):
        mixed_records(material, 10, PARTITIONS, seed=1)


def test_what_is_marked_as_an_event_is_one_in_a_file_and_in_kafka(records: list[MixedRecord]) -> None:
    for record in records:
        if record.is_event:
            assert decode(record.value, record.headers).payload == decode(record.line).payload
    modes = Counter(record.line == record.value for record in records if record.is_event)
    assert min(modes[True], modes[False]) > COUNT // 5


def test_there_are_duplicates_conflicts_and_poison_and_no_identity_in_two_partitions(
    records: list[MixedRecord],
) -> None:
    payloads: defaultdict[bytes, set[bytes]] = defaultdict(set)
    partitions: defaultdict[bytes, set[int]] = defaultdict(set)
    repeats = 0
    for record in records:
        if record.is_event:
            event = decode(record.line)
            repeats += event.payload in payloads[event.identity]
            payloads[event.identity].add(event.payload)
            partitions[event.identity].add(record.partition)
    assert repeats > COUNT // 50
    assert sum(len(each) > 1 for each in payloads.values()) > COUNT // 100
    assert all(len(each) == 1 for each in partitions.values())


def test_poison_is_of_many_kinds(records: list[MixedRecord]) -> None:
    """Some images are refused only where they are decoded; these are events here."""
    reasons: Counter[str] = Counter()
    for record in records:
        if not record.is_event:
            try:
                decode(record.value, record.headers)
            except Poison as poison:
                reasons[poison.reason] += 1
            else:
                reasons["in the image or the encoder"] += 1
    assert reasons.keys() == {
        "malformed_json",
        "invalid_event",
        "unsupported_type",
        "invalid_features",
        "in the image or the encoder",
    }


def test_corrections_take_no_more_than_their_event_gave_to_who_is_paid() -> None:
    receipts: list[dict[str, Any]] = [
        {
            "event": {"source": "/s", "id": f"event-{number}"},
            "position": {"topic": "t", "partition": number % 3, "offset": number},
            "contributors": [
                {"image_id": f"image-{number}", "owner_id": f"owner-{number % 9}", "micros": 1_000 + number},
            ],
        }
        for number in range(200)
    ]
    lines = correction_lines(receipts, frozenset({"owner-0"}), seed=1)
    assert lines == correction_lines(receipts, frozenset({"owner-0"}), seed=1)
    given = {each["event"]["id"]: each for each in receipts}
    for correction in map(orjson.loads, lines):
        receipt = given.pop(correction["event"]["id"])  # once each
        assert correction["from_owner"] == receipt["contributors"][0]["owner_id"] != "owner-0"
        assert 0 < correction["micros"] <= receipt["contributors"][0]["micros"]
        assert correction["partition"] == receipt["position"]["partition"]
    assert owners_lines(receipts, seed=1) == owners_lines(receipts, seed=1)
