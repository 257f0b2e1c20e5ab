"""`gmv experiment owners` in short, on the code that credits: it prints what was stored, and refuses what it should."""

from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pytest
from safetensors.numpy import load_file
from scipy import stats

from gmv.experiments.report.sections import section_of
from gmv.experiments.splits import split
from tests.cli.command import Done
from tests.experiments.test_command import run
from tests.experiments.world import shapes, write_parquet

pytestmark = pytest.mark.slow

FLAGS = ("--seeds", "4", "--owners", "3", "--divisions", "sizes", "--drawn", "12")


class World(NamedTuple):
    parquet: Path
    out: Path
    told: dict[str, Any]

    @property
    def folder(self) -> Path:
        return self.out / "shapes" / "owners-sizes-4"

    def run(self, *flags: str) -> Done:
        return run("owners", self.parquet, self.out, *FLAGS, *flags, training=())


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    place = tmp_path_factory.mktemp("owners")
    parquet = write_parquet(shapes(), place / "shapes.parquet")
    done = World(parquet, place / "out", {}).run("--json")
    assert done.returncode == 0, done.stderr
    return World(parquet, place / "out", orjson.loads(done.stdout))


def test_owners_are_worth_what_they_add_to_others(world):
    """The mean over all orders in which three owners may come."""
    (division,) = world.told["divisions"]
    utilities = load_file(world.folder / "utilities.safetensors")["utilities"].mean(0)
    assert utilities.shape == (8,)
    assert division["distance"]["mean"] == pytest.approx(-utilities[7])
    assert division["distance_of_noise"]["mean"] == pytest.approx(-utilities[0])
    for owner, told in enumerate(division["owners"]):
        one, other = (each for each in range(3) if each != owner)
        added = {
            size: np.mean(
                [
                    utilities[sum(1 << each for each in members) + (1 << owner)]
                    - utilities[sum(1 << each for each in members)]
                    for members in combinations((one, other), size)
                ]
            )
            for size in range(3)
        }
        assert told["shapley"] == pytest.approx(np.mean(list(added.values())))
        assert told["banzhaf"] == pytest.approx((added[0] + 2 * added[1] + added[2]) / 4)
        assert told["leave_one_out"] == pytest.approx(added[2])


def test_all_that_is_credited_is_the_owners(world):
    """Twelve events at most, one credit each, to images that the owners file gives to an owner."""
    (division,) = world.told["divisions"]
    assert [each["images"] for each in division["owners"]] == [3, 6, 9]
    assert len(split(shapes(), 4).used) == world.told["images"] == 18
    assert sum(each["credit"] for each in division["owners"]) == pytest.approx(1)
    at_poster, at_own, hits = load_file(world.folder / "credits.safetensors")["of_owners"]
    assert at_own.sum() == at_poster.sum() == 12_000_000
    assert hits.sum() >= 12
    statements = [orjson.loads(line) for line in (world.folder / "owners.jsonl").read_bytes().splitlines()]
    assert len({each["image_id"] for each in statements}) == 18
    assert {each["owner_id"] for each in statements} == {"owner-0", "owner-1", "owner-2"}


def test_measures_are_compared_by_rank(world):
    (division,) = world.told["divisions"]
    told = {each["measure"]: each for each in division["agreements"]}
    shapley = [each["shapley"] for each in division["owners"]]
    for measure, figures in (
        ("gmv's credits at the index's own tau", [each["credit"] for each in division["owners"]]),
        ("number of images", [3, 6, 9]),
    ):
        correlations = told[measure]["shapley"]
        assert correlations["spearman"]["mean"] == pytest.approx(stats.spearmanr(figures, shapley).statistic)
        assert correlations["kendall"]["mean"] == pytest.approx(stats.kendalltau(figures, shapley).statistic)
    assert told["leave one out"]["leave_one_out"]["spearman"]["mean"] == pytest.approx(1)


def test_a_second_run_trains_nothing_and_prints_the_same(world):
    before = {path: path.stat().st_mtime_ns for path in world.folder.glob("*.safetensors")}
    done = world.run()
    assert done.returncode == 0, done.stderr
    assert orjson.loads((world.out / "shapes" / "owners.json").read_bytes()) == world.told
    assert {path: path.stat().st_mtime_ns for path in before} == before
    section = section_of(world.told)
    assert section.title in done.stdout
    assert all(sentence in done.stdout for sentence in section.text)
    assert section.picture is not None
    assert section.picture()[0].startswith("data:image/svg+xml;base64,")
    told = [each["credit"] for each in world.told["divisions"][0]["owners"]]
    assert [row[-1] for row in section.tables[1].rows] == [f"{credit:.1%}" for credit in told]


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--owners", "1"), "--owners 1: a generator is trained on every subset of owners; give 2 to 12"),
        (("--owners", "13"), "--owners 13: a generator is trained on every subset"),
        (("--owners", "2"), "made with another configuration (owners is 3 there, now 2)"),
        (("--drawn", "5"), "5 drawn images are too few to compare 3 classes by; give --drawn 6"),
        (("--drawn", "15"), "made with another configuration (drawn is 12 there, now 15)"),
        (("--divisions", "sizes,writers"), "there is no division 'writers'"),
        (("--divisions", "spoiled"), "3 owners are too few; give --owners 5 or more"),
    ],
)
def test_what_does_not_fit_is_refused(world, flags, sentence):
    done = world.run(*flags)
    assert (done.returncode, done.stdout) == (65, "")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1
