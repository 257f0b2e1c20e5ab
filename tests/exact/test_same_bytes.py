"""Index and receipts are the same, byte for byte, on processors of other kinds, in runs of any size, by two threads."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from gmv.index.manifest import GROUPS_FILE, read_manifest
from tests.exact.pipeline import RUNS, attributed, receipts
from tests.instruction_sets import INSTRUCTION_SETS, NATIVE

pytestmark = pytest.mark.slow

OTHERS = [each.name for each in INSTRUCTION_SETS if each is not NATIVE]

OF_THE_RUN = {"batch", "batch_receipts", "previous_batch"}


def read(path: Path) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in path.read_bytes().splitlines()]


def differing(some: Path, others: Path) -> list[str]:
    """Ids of the events whose receipts are not alike, for a message; whole files would say nothing."""
    pairs = zip(read(some), read(others), strict=True)
    return [one["event"]["id"] for one, other in pairs if one["contributors"] != other["contributors"]]


@pytest.mark.parametrize("name", OTHERS)
def test_an_index_is_the_same(made: dict[str, Path], name: str) -> None:
    native, other = made[NATIVE.name] / "index", made[name] / "index"
    files = {path.name for path in native.iterdir()}
    assert {path.name for path in other.iterdir()} == files
    assert {file for file in files if (native / file).read_bytes() != (other / file).read_bytes()} == set()
    assert read_manifest(native)[1] == read_manifest(other)[1]


@pytest.mark.parametrize("records", RUNS)
@pytest.mark.parametrize("name", OTHERS)
def test_receipts_are_the_same(made: dict[str, Path], name: str, records: int) -> None:
    native, other = receipts(made[NATIVE.name], records), receipts(made[name], records)
    assert differing(native, other) == []
    assert native.read_bytes() == other.read_bytes()


@pytest.mark.parametrize("name", OTHERS)
def test_pictures_are_attributed_alike(made: dict[str, Path], name: str) -> None:
    assert attributed(made[NATIVE.name]).read_bytes() == attributed(made[name]).read_bytes()


def test_how_a_log_is_cut_into_runs_changes_nothing(made: dict[str, Path]) -> None:
    """On each processor: all but which batch a receipt is in."""
    for out in made.values():
        whole, single = (
            [{key: value for key, value in each.items() if key not in OF_THE_RUN} for each in read(receipts(out, run))]
            for run in RUNS
        )
        assert len(whole) > 100
        assert whole == single


def test_several_processors_are_played() -> None:
    """On a machine with AVX2, three at least; else the tests above would have nothing to compare."""
    assert len(INSTRUCTION_SETS) >= 3


def test_near_copies_are_among_what_is_compared(made: dict[str, Path]) -> None:
    """Groups are a file of the index, and events are credited to some of their owners together."""
    for out in made.values():
        assert (out / "index" / GROUPS_FILE).is_file()
        paid = [share for each in read(receipts(out, RUNS[0])) for share in each["contributors"] if "group" in share]
        of_several = {share["group"] for share in paid if share["image_id"].startswith("twice-")}
        assert of_several & {share["group"] for share in paid if share["image_id"].startswith("train/")}
