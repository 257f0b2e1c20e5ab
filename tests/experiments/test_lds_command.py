"""`gmv experiment lds` in short, over the code that credits, judged by what it stored and by a world that is known."""

from contextlib import nullcontext
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pytest
import torch
from safetensors.numpy import load_file
from scipy import stats

from gmv.errors import ExperimentRefused
from gmv.experiments.folder import Folder
from gmv.experiments.generators.diffusion.losses import denoising_losses, probes
from gmv.experiments.generators.diffusion.process import signal_shares
from gmv.experiments.generators.pixels import to_torch
from gmv.experiments.generators.training import train
from gmv.experiments.images import LabelledImages
from gmv.experiments.lds.generator import NAME, fast_generator
from gmv.experiments.lds.retraining import PROBES, Retraining, losses_of_halves, training_seed
from gmv.experiments.lds.subsets import random_halves_by_class
from gmv.experiments.report.sections import section_of
from gmv.experiments.splits import split
from gmv.experiments.values import POSTER_TEMPERATURE
from gmv.index.manifest import VECTORS_FILE
from gmv.index.opened import open_index
from gmv.valuation.utility import utilities
from tests.cli.command import gmv
from tests.experiments.test_command import NO_LEDGER, run
from tests.experiments.test_lds_given import GENERATED, SUBSETS, TRAINING, write_given
from tests.experiments.world import CLASSES, shapes, write_parquet

pytestmark = pytest.mark.slow

DRAWN, HALVES, SHARE, SEED = 6, 8, 0.004, 2
IMAGES = shapes()
SHORT = ("--drawn", str(DRAWN), "--steps-share", str(SHARE), "--subsets", str(HALVES), "--trainings", "2")


class World(NamedTuple):
    parquet: Path
    out: Path
    told: dict[str, Any]

    @property
    def folder(self) -> Folder:
        return Folder(self.out / "shapes")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    place = tmp_path_factory.mktemp("lds")
    parquet = write_parquet(IMAGES, place / "shapes.parquet")
    done = run("lds", parquet, place / "out", "--seeds", str(SEED), "--json", training=SHORT)
    assert done.returncode == 0, done.stderr
    return World(parquet, place / "out", orjson.loads(done.stdout))


USED = split(IMAGES, SEED).used
MASKS = random_halves_by_class(IMAGES.labels[USED], HALVES, SEED)


def losses(world: World) -> np.ndarray:
    """As stored: [trainings, halves, drawn]."""
    files = [
        [world.folder.halves(NAME, SEED) / f"{training}-{half}.safetensors" for half in range(HALVES)]
        for training in range(2)
    ]
    return np.array([[load_file(path)["losses"] for path in paths] for paths in files])


def score(world: World, scores: np.ndarray) -> float:
    off = -losses(world).mean(0).T
    return float(np.mean([stats.spearmanr(MASKS @ one, of).statistic for one, of in zip(scores, off, strict=True)]))


def told(world: World, method: str) -> float:
    (found,) = (each for each in world.told["methods"] if each["method"].startswith(method))
    assert found["score"]["mean"] == found["seeds"][0]["mean"]
    return float(found["score"]["mean"])


def test_credit_is_scored_as_it_is_shared_among_the_ten_nearest(world):
    found = load_file(world.folder.root / f"{NAME}-{SEED}-used-18.safetensors")
    assert (np.sort(found["rows"], axis=1) == USED).all()  # all used images, and no others
    for tau in (POSTER_TEMPERATURE, world.told["temperature"]):
        scores = np.zeros((DRAWN, 18))
        for event in range(DRAWN):
            columns = np.searchsorted(USED, found["rows"][event, :10])
            scores[event, columns] = utilities(found["distances"][event, :10].tolist(), tau)
        assert told(world, f"gmv: credit at K = 10, tau {tau:.3g}") == pytest.approx(score(world, scores))
    by_image = np.take_along_axis(found["distances"], found["rows"].argsort(1), 1)
    assert told(world, "gmv: W1 of all") == pytest.approx(score(world, -by_image))


def test_the_order_of_recall_and_the_cosines_are_those_of_the_index(world):
    index = open_index(world.folder.index, verify=True)
    drawn = load_file(world.folder.drawn(NAME, SEED))["pixels"]
    vectors = index.encoder.encode(list(drawn)).vectors
    recalled = index.recall.recall(vectors, 60)
    assert {len(rows) for rows in recalled} == {60}
    order = [[np.flatnonzero(rows == image)[0] for image in USED] for rows in recalled]
    assert told(world, "gmv: order of recall") == pytest.approx(score(world, -stats.rankdata(order, axis=1)))
    known = np.load(world.folder.index / VECTORS_FILE)[USED].astype(float)
    lengths = np.outer(np.linalg.norm(vectors.astype(float), axis=1), np.linalg.norm(known, axis=1))
    assert told(world, "cosine of the encoder") == pytest.approx(
        score(world, vectors.astype(float) @ known.T / lengths)
    )


def test_pixels_are_those_that_were_drawn(world):
    drawn = load_file(world.folder.drawn(NAME, SEED))["pixels"].astype(float)
    apart = ((drawn[:, None] - IMAGES.pixels[USED][None]) ** 2).sum((2, 3, 4))
    assert told(world, "Euclidean distance of pixels") == pytest.approx(score(world, -np.sqrt(apart)))


def test_a_loss_is_that_of_a_generator_trained_on_the_half(world):
    """The first training of the third half, trained again here."""
    family = fast_generator(8, SHARE)
    drawn = load_file(world.folder.drawn(NAME, SEED))["pixels"]
    decoded = LabelledImages("shapes", np.repeat(IMAGES.pixels, 3, axis=3), IMAGES.labels, CLASSES)
    network = train(family, decoded.take(USED[MASKS[2]]), training_seed(SEED, 0))
    asked = probes(PROBES, signal_shares(family.process_steps), decoded.shape, SEED)
    expected = denoising_losses(network, to_torch(drawn), torch.arange(DRAWN) % CLASSES, asked)
    np.testing.assert_allclose(losses(world)[0, 2], expected, rtol=1e-6)


def test_trainings_have_seeds_of_their_own():
    assert len({training_seed(seed, training) for seed in range(20) for training in range(5)}) == 100


def test_a_result_says_what_it_is_of_and_is_a_section_of_the_report(world):
    told = world.told
    assert (told["images"], told["drawn"], told["subsets"], told["trainings"]) == (18, DRAWN, HALVES, 2)
    assert told["command"].endswith(f"--seeds 2 --drawn 6 --subsets 8 --trainings 2 --steps-share {SHARE}")
    one, other = losses(world)
    agreement = np.mean([stats.spearmanr(*pair).statistic for pair in zip(one.T, other.T, strict=True)])
    assert told["agreement"]["mean"] == pytest.approx(agreement)
    assert orjson.loads(world.folder.result("lds").read_bytes()) == told
    section = section_of(told)
    assert [row[0] for row in section.tables[0].rows] == [each["method"] for each in told["methods"]]
    assert len(section.tables[0].rows) == 14
    nda = section.tables[1].rows[0]
    assert nda[1:] == ("0.160", "arXiv:2510.14269")
    assert any(f"order them alike by {agreement:.3f}" in sentence for sentence in section.text)


def test_a_second_run_trains_nothing_and_prints_the_same(world):
    made = [*world.folder.root.glob("*.safetensors"), *world.folder.halves(NAME, SEED).iterdir()]
    assert len(made) == 3 + 2 * HALVES  # the network, what it drew, and whom that is attributed to
    before = {path: path.stat().st_mtime_ns for path in made}
    done = run("lds", world.parquet, world.out, "--seeds", str(SEED), training=SHORT)
    assert done.returncode == 0, done.stderr
    assert "18 training images, 6 generated ones, 8 subsets: halves of each class" in done.stdout
    assert f"{told(world, 'softmax of patches'):.3f}" in done.stdout
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(
    ("flags", "code", "sentence"),
    [
        (["--steps-share", "0.5"], 65, "made with another configuration (configuration.steps is 4 there, now 500)"),
        (["--subsets", "7"], 2, "Invalid value for '--subsets': Input should be greater than or equal to 8"),
        (["--losses", "nowhere"], 65, "nowhere has no training.npy: write uint8 [training, height"),
    ],
)
def test_what_does_not_fit_is_refused(world, flags, code, sentence):
    done = run("lds", world.parquet, world.out, "--seeds", str(SEED), *flags, training=SHORT)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in " ".join(done.stderr.split())


def test_losses_of_other_halves_are_not_taken_for_these(world, tmp_path):
    family, training = fast_generator(8, SHARE), IMAGES.take(USED)
    asked = Retraining(family, NAME, training, training.take(np.arange(3)), SEED)
    first = losses_of_halves(asked, MASKS[:1], 1, Folder(tmp_path), lambda *_: nullcontext(lambda _: None))
    assert first.shape == (1, 1, 3)
    with pytest.raises(ExperimentRefused, match=r"made with another configuration .half is"):
        losses_of_halves(asked, MASKS[1:2], 1, Folder(tmp_path), lambda *_: nullcontext(lambda _: None))


def test_losses_of_others_are_judged_alike(tmp_path):
    """Of an additive loss, the scores that are brought along are the true ones."""
    arguments = ("experiment", "lds", "--losses", write_given(tmp_path / "theirs"), "--seeds", "0,1", "--json")
    done = gmv(NO_LEDGER, *arguments, "--out", tmp_path / "out")
    assert done.returncode == 0, done.stderr
    told = orjson.loads(done.stdout)
    assert (told["dataset"], told["images"], told["drawn"], told["subsets"]) == ("theirs", TRAINING, GENERATED, SUBSETS)
    assert told["trainings"] is told["agreement"] is None
    by_name = {each["method"]: each for each in told["methods"]}
    assert by_name["true"]["score"]["mean"] == pytest.approx(1)
    assert by_name["true"]["sees"] == "brought along"
    assert [each["seed"] for each in by_name["random numbers"]["seeds"]] == [0, 1]
    assert "softmax of patches (after NDA)" in by_name
    assert not any("gradients" in name for name in by_name)
    assert told["command"] == f"gmv experiment lds --losses {tmp_path / 'theirs'} --seeds 0,1"
    assert "masks and losses are of others" in section_of(told).text[0]
