"""`gmv experiment` in short, over the code that credits, judged by brute force and by what it stored."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pytest
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_weights
from scipy.optimize import linear_sum_assignment

from gmv.cli.experiment.asked import Asked
from gmv.experiments.datasets import labelled_parquet
from gmv.experiments.folder import Folder
from gmv.experiments.generators.presets import family
from gmv.experiments.quality.recogniser import Recogniser, RecogniserNetwork
from gmv.experiments.quality.run import measure
from gmv.experiments.report.sections import section_of
from gmv.experiments.splits import split
from gmv.index.opened import open_index
from gmv.settings import LedgerSettings
from gmv.valuation.utility import utilities
from tests.cli.command import Done, gmv
from tests.experiments.world import CLASSES, shapes, write_parquet

pytestmark = pytest.mark.slow

DRAWN, SHARE = 9, 0.0005
NO_LEDGER = LedgerSettings(url="sqlite:///none")
IMAGES = shapes()


class World(NamedTuple):
    parquet: Path
    out: Path
    results: dict[str, Any]

    @property
    def folder(self) -> Folder:
        return Folder(self.out / "shapes")


TRAINING = ("--drawn", str(DRAWN), "--steps-share", str(SHARE))


def run(experiment: str, parquet: Path, out: Path, *more: str, training: Sequence[str] = TRAINING) -> Done:
    return gmv(NO_LEDGER, "experiment", experiment, "--dataset", parquet, "--out", out, *training, *more)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    place = tmp_path_factory.mktemp("experiments")
    parquet = write_parquet(IMAGES, place / "shapes.parquet")
    results = {}
    for experiment in ("ra2", "ra1", "ra3"):
        done = run(experiment, parquet, place / "out", "--seeds", "4", "--json")
        assert done.returncode == 0, done.stderr
        results[experiment] = orjson.loads(done.stdout)
    return World(parquet, place / "out", results)


def stored(world: World, name: str) -> dict[str, np.ndarray]:
    return load_file(world.folder.root / name)


@pytest.mark.parametrize("place", [0, 1])
def test_ra2_prints_the_means_of_what_contributors_earn(world, place):
    told = world.results["ra2"]["generators"][place]
    found = stored(world, f"{told['generator']}-4-all-10.safetensors")
    values, hits = np.zeros(60), np.zeros(60)
    for rows, distances in zip(found["rows"], found["distances"], strict=True):
        likenesses = np.exp(-distances)
        values[rows] += likenesses / likenesses.sum()
        hits[rows] += 1
    parts = split(IMAGES, 4)

    assert (told["n1"], told["n2"], told["seeds"]) == (18, 18, [4])
    assert told["v1_mean"] == pytest.approx(values[parts.used].mean())
    assert told["v2_mean"] == pytest.approx(values[parts.unused].mean())
    pooled = (values[parts.used].var(ddof=1) + values[parts.unused].var(ddof=1)) / 2
    assert told["t"] == pytest.approx((told["v1_mean"] - told["v2_mean"]) / np.sqrt(pooled * 2 / 18))
    assert 0 < told["p"] <= 1
    assert told["poster"]["v1_mean"] == {"biggan": 1.632352, "diffusion": 0.369565}[told["generator"]]
    of_hits = told["measures"][2]["seeds"][0]["used"]
    assert (of_hits["v1_mean"], of_hits["v2_mean"]) == (hits[parts.used].mean(), hits[parts.unused].mean())
    assert told["measures"][2]["null"]["repetitions"] == 20


def drawn_by(world: World, name: str) -> np.ndarray:
    """What a generator draws, by the weights that the command stored."""
    made = family(name, 8, SHARE)
    network = made.empty_network((3, 8, 8), CLASSES)
    network.load_state_dict(load_weights(world.folder.network(name, 4)))
    generator = made.generator(network.eval(), (3, 8, 8), CLASSES)
    return generator.draw(np.arange(DRAWN) % CLASSES, 4)


@pytest.mark.parametrize("name", ["biggan", "diffusion"])
def test_the_images_that_are_kept_are_what_the_weights_draw(world, name):
    np.testing.assert_array_equal(stored(world, f"{name}-4-drawn.safetensors")["pixels"], drawn_by(world, name))


@pytest.mark.parametrize("name", ["biggan", "diffusion"])
def test_the_nearest_are_those_of_brute_force(world, name):
    """By SciPy's assignments of all 36 images of two parts, and both looks of what a generator drew."""
    index = open_index(world.folder.index, verify=True)
    found = stored(world, f"{name}-4-used-and-unused-40.safetensors")
    assert index.mirror is not None
    features = index.encoder.encode([drawn_by(world, name)[0]])
    looks = [features, index.mirror.mirrored(features)]
    parts = split(IMAGES, 4)
    both = np.union1d(parts.used, parts.unused)
    distances = np.array([[wasserstein(look.tokens[0], index.tokens[row]) for look in looks] for row in both]).min(1)
    expected = distances / index.token_scale

    np.testing.assert_allclose(found["distances"][0, :36], np.sort(expected), rtol=1e-12)
    np.testing.assert_allclose(expected[np.searchsorted(both, found["rows"][0, :36])], np.sort(expected), rtol=1e-12)


def wasserstein(one: np.ndarray, other: np.ndarray) -> float:
    costs = np.sqrt(((one[:, None].astype(float) - other[None].astype(float)) ** 2).sum(-1))
    return float(costs[linear_sum_assignment(costs)].mean())


def test_ra1_compares_the_nearest_of_both_parts(world):
    parts = split(IMAGES, 4)
    for told in world.results["ra1"]["generators"]:
        found = stored(world, f"{told['generator']}-4-used-and-unused-40.safetensors")
        ranked = found["rows"]
        is_found = ranked >= 0
        assert is_found.sum(1).tolist() == [36] * DRAWN  # all of both parts, and none of the third
        v1, v2 = (
            [
                min(d for row, d in zip(*each, strict=True) if row in part)
                for each in zip(ranked, found["distances"], strict=True)
            ]
            for part in (set(parts.used.tolist()), set(parts.unused.tolist()))
        )
        used = told["seeds"][0]["used"]
        assert used["v1_mean"] == pytest.approx(np.mean(v1))
        assert used["v2_mean"] == pytest.approx(np.mean(v2))
        assert used["nearer_to_v1"] == pytest.approx(np.mean(np.array(v1) < np.array(v2)))
        assert told["seeds"][0]["v1_quantiles"][10] == pytest.approx(np.median(v1))


def test_ra3_shares_credit_by_class(world):
    tau = world.results["ra3"]["temperature"]
    for told in world.results["ra3"]["generators"]:
        found = stored(world, f"{told['generator']}-4-all-10.safetensors")
        share = np.mean(
            [
                sum(
                    part
                    for row, part in zip(rows, utilities(distances.tolist(), tau), strict=True)
                    if IMAGES.labels[row] == event % CLASSES
                )
                for event, (rows, distances) in enumerate(zip(found["rows"], found["distances"], strict=True))
            ]
        )
        assert told["class_share"]["mean"] == pytest.approx(share)


def test_results_are_kept_with_the_command_that_makes_them(world):
    for experiment, told in world.results.items():
        assert orjson.loads(world.folder.result(experiment).read_bytes()) == told
        assert told["command"].startswith(f"gmv experiment {experiment} --dataset ")
        assert told["command"].endswith("--seeds 4 --generators biggan,diffusion --drawn 9 --steps-share 0.0005")


def test_a_second_run_prints_the_same(world):
    """For people, by what is stored."""
    before = {path: path.stat().st_mtime_ns for path in world.folder.root.glob("*.safetensors")}
    done = run("ra2", world.parquet, world.out, "--seeds", "4")
    assert done.returncode == 0, done.stderr
    assert "60 images of shapes, 9 drawn by each generator, K = 10" in done.stdout
    assert "the poster" in done.stdout
    assert "1.632352" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_another_guidance_draws_anew_by_the_same_weights(world, tmp_path):
    out = shutil.copytree(world.out, tmp_path / "out")
    before = (out / "shapes" / "diffusion-4.safetensors").stat().st_mtime_ns
    done = run("ra2", world.parquet, out, "--seeds", "4", "--generators", "diffusion", "--guidance", "2", "--json")
    assert done.returncode == 0, done.stderr
    assert orjson.loads(done.stdout)["command"].endswith("--steps-share 0.0005 --guidance 2")
    assert (out / "shapes" / "diffusion-4.safetensors").stat().st_mtime_ns == before
    drawn = load_file(out / "shapes" / "diffusion-w2-4-drawn.safetensors")["pixels"]
    assert (drawn != stored(world, "diffusion-4-drawn.safetensors")["pixels"]).any()


def test_fewer_images_have_a_folder_of_their_own():
    asked = Asked("ra1", "data/shapes.parquet", "4", Path("out"), None, {"--drawn": "9"}, images=30)
    assert asked.folder == Path("out/shapes-30")
    assert asked.command == "gmv experiment ra1 --dataset data/shapes.parquet --seeds 4 --drawn 9 --images 30"


@pytest.mark.parametrize(
    ("flags", "code", "sentence"),
    [
        (["--seeds", "4", "--steps-share", "0.5"], 65, "made with another configuration (configuration.steps is"),
        (["--seeds", "4", "--drawn", "12"], 65, "made with another configuration (drawn is 9 there, now 12)"),
        (["--seeds", "4", "--drawn", "2"], 65, "2 generated images are fewer than the 3 classes"),
        (["--seeds", "4,x"], 2, "--seeds '4,x': write different whole numbers"),
        (["--seeds", "4,4"], 2, "--seeds '4,4': write different whole numbers"),
        (["--generators", "gan"], 65, "there is no generator 'gan'"),
        (["--size", "small"], 65, "biggan has one size for images of 8 x 8 pixels; leave out --size small"),
        (["--images", "63"], 65, "63 images are 21 of each class"),
    ],
)
def test_what_does_not_fit_is_refused(world, flags, code, sentence):
    done = run("ra2", world.parquet, world.out, *flags)
    assert (done.returncode, done.stdout) == (code, "")
    assert done.stderr.startswith("gmv: ")
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1


def test_other_images_under_the_same_name_are_refused(world, tmp_path):
    other = write_parquet(shapes(seed=1), tmp_path / "shapes.parquet")
    done = run("ra2", other, world.out, "--seeds", "4")
    assert done.returncode == 65
    assert "is of other images; give another folder with --out" in done.stderr


def test_quality_is_of_the_images_that_were_drawn(world):
    done = run("quality", world.parquet, world.out, "--seeds", "4", "--json")
    assert done.returncode == 0, done.stderr
    told = orjson.loads(done.stdout)
    assert [each["source"] for each in told["sources"]] == ["biggan", "diffusion", "used images themselves", "noise"]

    network = RecogniserNetwork(Recogniser(), 3, CLASSES).eval()
    network.load_state_dict(load_weights(world.folder.network("recogniser", 4)))
    unused = labelled_parquet(world.parquet).pixels[split(IMAGES, 4).unused]
    distance, score = measure(network, stored(world, "biggan-4-drawn.safetensors")["pixels"], unused)
    assert told["sources"][0]["distance"]["mean"] == pytest.approx(distance)
    assert told["sources"][0]["score"]["mean"] == pytest.approx(score)
    assert section_of(told).tables[0].rows[0] == ("biggan", f"{distance:.2f}", f"{score:.2f}")
