"""`gmv experiment truth` in short, over the code that credits, judged by what it stored and by the demo's remixes."""

import io
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image
from safetensors.numpy import load_file

from gmv.demo.remix import mixing_weights, recipes_with
from gmv.settings import LedgerSettings
from tests.cli.command import Done, gmv

pytestmark = pytest.mark.slow

IMAGES, OWNERS, EVENTS = 60, 6, 12
NO_LEDGER = LedgerSettings(url="sqlite:///none")
OWNER_OF = {f"image-{row:02}": f"owner-{row % OWNERS}" for row in range(IMAGES)}
IDS = sorted(OWNER_OF)


def picture(row: int) -> np.ndarray:
    """Patches of colour, another set for each image."""
    patches = np.random.default_rng([row, 8]).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return patches.repeat(8, 0).repeat(8, 1)


def write_corpus(path: Path, owners: int = OWNERS) -> Path:
    files = []
    for row in range(IMAGES):
        file = io.BytesIO()
        Image.fromarray(picture(row)).save(file, "PNG")
        files.append({"bytes": file.getvalue(), "path": None})
    owner_ids = [f"owner-{row % owners}" for row in range(IMAGES)]
    pq.write_table(pa.table({"image_id": IDS, "owner_id": owner_ids, "image": files}), path)
    return path


def run(corpus: Path, out: Path, *more: object) -> Done:
    return gmv(NO_LEDGER, "experiment", "truth", "--dataset", corpus, "--out", out, "--events", EVENTS, *more)


class World(NamedTuple):
    corpus: Path
    out: Path
    told: dict[str, Any]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    place = tmp_path_factory.mktemp("truth")
    corpus = write_corpus(place / "patches.parquet")
    done = run(corpus, place / "out", "--seeds", "0,1", "--sources", "1,2", "--noise", "4,100", "--json")
    assert done.returncode == 0, done.stderr
    return World(corpus, place / "out", orjson.loads(done.stdout))


@pytest.mark.parametrize("place", range(4))
def test_figures_are_of_what_was_attributed(world, place):
    """Each from the stored contributors and the demo's recipes, sum by sum."""
    told = world.told["kinds"][place]
    assert (told["sources"], told["noise"]) == [(1, 4), (2, 4), (1, 100), (2, 100)][place]
    recall, on_sources, on_owners, owners_by_chance, misplaced = [], [], [], [], []
    for seed in (0, 1):
        name = f"mixes-{told['sources']}-{told['noise']:g}-{seed}.safetensors"
        found = load_file(world.out / "patches" / "truth" / name)
        recipes = recipes_with(OWNER_OF, told["sources"], EVENTS, seed, told["noise"])
        hits, sources, owners, chance, kept = 0, 0.0, 0.0, 0.0, 0.0
        for recipe, rows, distances in zip(recipes, found["rows"], found["distances"], strict=True):
            likenesses = np.exp(-distances)
            share = dict(zip([IDS[row] for row in rows], likenesses / likenesses.sum(), strict=True))
            weights = mixing_weights(recipe, picture(0))
            hits += len(set(recipe.sources) & set([IDS[row] for row in rows][:3]))
            sources += sum(share.get(each, 0) for each in recipe.sources)
            owned = {OWNER_OF[each] for each in recipe.sources}
            owners += sum(part for image_id, part in share.items() if OWNER_OF[image_id] in owned)
            chance += sum(Counter(OWNER_OF.values())[owner] for owner in owned) / IMAGES
            kept += sum(min(share.get(each, 0), part) for each, part in zip(recipe.sources, weights, strict=True))
        recall.append(hits / EVENTS / told["sources"])
        on_sources.append(sources / EVENTS)
        on_owners.append(owners / EVENTS)
        owners_by_chance.append(chance / EVENTS)
        misplaced.append(1 - kept / EVENTS)
    at_three, credit = told["found"][2], told["credit"][0]
    assert (at_three["contributors"], credit["temperature"]) == (3, 1)
    assert at_three["recall"]["mean"] == pytest.approx(np.mean(recall))
    assert at_three["precision"]["mean"] == pytest.approx(np.mean(recall) * told["sources"] / 3)
    assert credit["on_sources"]["mean"] == pytest.approx(np.mean(on_sources))
    assert credit["on_owners"]["mean"] == pytest.approx(np.mean(on_owners))
    assert credit["misplaced"]["mean"] == pytest.approx(np.mean(misplaced))
    assert told["sources_by_chance"] == pytest.approx(told["sources"] / IMAGES)
    assert told["owners_by_chance"]["mean"] == pytest.approx(np.mean(owners_by_chance))


def test_copies_of_patches_are_found_and_noise_takes_credit_from_sources(world):
    assert world.told["kinds"][0]["found"][0]["recall"]["mean"] > 0.9
    for sources in (0, 1):
        clear, noisy = (world.told["kinds"][place + sources]["credit"][0]["on_sources"]["mean"] for place in (0, 2))
        assert noisy < clear


def test_the_result_is_kept_and_names_its_command(world):
    assert orjson.loads((world.out / "patches" / "truth.json").read_bytes()) == world.told
    assert world.told["command"] == (
        f"gmv experiment truth --dataset {world.corpus} --seeds 0,1 --sources 1,2 --noise 4,100 --events 12"
    )
    assert (world.told["images"], world.told["owners"], world.told["dataset"]) == (IMAGES, OWNERS, "patches")
    assert world.told["kinds"][0]["credit"][0]["slope"] is None  # of one source all weights are 1
    assert [each["noise"] for each in world.told["calibrations"]] == [4, 4, 100, 100]


def test_a_second_run_attributes_nothing_and_prints_for_people(world):
    before = {path: path.stat().st_mtime_ns for path in (world.out / "patches" / "truth").glob("*.safetensors")}
    done = run(world.corpus, world.out, "--seeds", "0,1", "--sources", "1,2", "--noise", "4,100")
    assert done.returncode == 0, done.stderr
    assert "60 training images of 6 owners" in done.stdout
    assert len(before) == 8
    assert {path: path.stat().st_mtime_ns for path in before} == before


@pytest.mark.parametrize(
    ("flags", "code", "sentence"),
    [
        (["--sources", "2", "--events", "11"], 65, "made with another configuration (events is 12 there, now 11)"),
        (["--sources", "2", "--events", "5"], 65, "5 events of each kind are too few for a mean; ask for 10"),
        (["--sources", "1"], 65, "remixes of one source have no mixing weights"),
        (["--sources", "2,6"], 10, "remixes of 6 images of different owners cannot be made; ask for 1 to 5"),
        (["--sources", "none"], 2, "--sources 'none': write different whole numbers"),
    ],
)
def test_what_cannot_be_done_is_refused(world, flags, code, sentence):
    done = run(world.corpus, world.out, "--noise", "4", *flags)
    assert (done.returncode, done.stdout) == (code, "")
    assert sentence in done.stderr
    assert done.stderr.startswith("gmv: ")
    assert done.stderr.count("\n") == 1


def test_another_corpus_under_the_same_name_is_refused(world, tmp_path):
    done = run(write_corpus(tmp_path / "patches.parquet", owners=3), world.out)
    assert done.returncode == 65
    assert "is of other images; give another folder with --out" in done.stderr


def test_what_is_no_corpus_is_refused(tmp_path):
    done = run(tmp_path / "nothing.parquet", tmp_path / "out")
    assert done.returncode == 65
    assert "nothing.parquet is not there; give a Parquet file, or demo, with --dataset" in done.stderr
