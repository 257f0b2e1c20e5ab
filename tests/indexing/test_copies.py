"""Near copies in a built index: 50 altered ones of one image by another owner, and who is paid for its likenesses."""

import io
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from numpy.typing import NDArray
from PIL import Image
from prometheus_client import CollectorRegistry
from typer.testing import CliRunner

from gmv.assembly.parts import assemble_attributor, method_of
from gmv.cli.index import app
from gmv.encoders.exact.fitting import FittingSettings
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.index.manifest import GROUPS_FILE
from gmv.index.opened import Index, open_index
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.telemetry import StageClock
from gmv.settings import Settings
from gmv.settings.valuation import ValuationSettings
from gmv.valuation.attribution import owner_credits
from gmv.valuation.owners import Ownership
from gmv.valuation.types import Attribution
from tests.corpus.corpora import IMAGE
from tests.end_to_end.conftest import EXAMPLE_CORPUS
from tests.indexing.index_builds import build

pytestmark = pytest.mark.slow

IMAGES = 400
COPIES = 50
COPIED = 123
COPYIST = "copyist"

Pixels = NDArray[np.uint8]


def resized(pixels: Pixels, side: int = 32) -> Pixels:
    return np.asarray(Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC))


def recompressed(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=int(draw.integers(60, 95)))
    return np.asarray(Image.open(file))


def cropped(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    top, left = draw.integers(0, 2, 2, endpoint=True)
    return resized(pixels[top : top + 30, left : left + 30])


def recoloured(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    altered = (pixels.astype(float) - 128) * draw.uniform(0.85, 1.2) + 128 + draw.uniform(-15, 15, 3)
    return np.clip(altered, 0, 255).astype(np.uint8)


def mirrored(pixels: Pixels, draw: np.random.Generator) -> Pixels:
    return recompressed(np.ascontiguousarray(pixels[:, ::-1]), draw)


ALTERATIONS: list[Callable[[Pixels, np.random.Generator], Pixels]] = [recompressed, cropped, recoloured, mirrored]


def png(pixels: Pixels) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def pixels_of(row: dict[str, Any]) -> Pixels:
    return np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB"))


@pytest.fixture(scope="module")
def corpus() -> list[dict[str, Any]]:
    """Real images of some owners; the copyist's come first by id and last by registration."""
    rows: list[dict[str, Any]] = parquet.read_table(EXAMPLE_CORPUS).slice(0, IMAGES).to_pylist()
    originals = [
        {"image_id": row["image_id"], "owner_id": row["owner_id"], "image": row["image"], "registered": number}
        for number, row in enumerate(rows)
    ]
    draw = np.random.default_rng(17)
    copied = pixels_of(originals[COPIED])
    copies = [
        {
            "image_id": f"a-copy-{number:02}",
            "owner_id": COPYIST,
            "image": {"bytes": png(ALTERATIONS[number % len(ALTERATIONS)](copied, draw)), "path": None},
            "registered": 1_000 + number,
        }
        for number in range(COPIES)
    ]
    return originals + copies


@pytest.fixture(scope="module")
def index(corpus: list[dict[str, Any]], tmp_path_factory: pytest.TempPathFactory) -> Index:
    folder = tmp_path_factory.mktemp("copies")
    columns = {name: [row[name] for row in corpus] for name in ("image_id", "owner_id", "registered")}
    table = pa.table(columns | {"image": pa.array([row["image"] for row in corpus], IMAGE)})
    parquet.write_table(table, folder / "c.parquet")
    build(folder / "c.parquet", folder / "index", threads=2, fitting=FittingSettings())
    return open_index(folder / "index", verify=True)


def credits_of(
    index: Index,
    pictures: list[Pixels],
    copies: Literal["even", "earliest", "off"],
    ownership: Ownership | None = None,
) -> tuple[dict[str, int], list[Attribution]]:
    settings = Settings(valuation=ValuationSettings(copies=copies))
    attributor = assemble_attributor(
        index, settings, ownership or Ownership(), StageClock(), Metrics(CollectorRegistry())
    )
    events = [GeneratedImage("/copies", f"{n}", ImageBytes(png(each))) for n, each in enumerate(pictures)]
    outcomes = [each for each in attributor.attribute(events) if isinstance(each, Attribution)]
    assert len(outcomes) == len(pictures)
    for each in outcomes:
        assert sum(contributor.micros for contributor in each.contributors) == each.micros
    return owner_credits(outcomes), outcomes


@pytest.fixture(scope="module")
def generated(corpus: list[dict[str, Any]]) -> list[Pixels]:
    """Images made of the one that was copied: itself, mirrored, and altered in other ways than its copies are."""
    draw = np.random.default_rng(99)
    copied = pixels_of(corpus[COPIED])
    altered = [recoloured(cropped(copied, draw), draw) for _ in range(8)]
    return [copied, np.ascontiguousarray(copied[:, ::-1]), *altered, *(each[:, ::-1].copy() for each in altered)]


def test_the_copies_are_one_group_with_their_original(index: Index, corpus: list[dict[str, Any]]) -> None:
    ids = [image.image_id for image in index.images.images(range(len(index.images)))]
    members = index.groups.members(ids.index(corpus[COPIED]["image_id"]))
    found = {ids[row] for row in members}
    assert ids[members[0]] == corpus[COPIED]["image_id"]  # registered first
    assert sum(name.startswith("a-copy") for name in found) >= 0.9 * COPIES
    strangers = found - {row["image_id"] for row in corpus[IMAGES:]} - {corpus[COPIED]["image_id"]}
    assert strangers == set()


@pytest.mark.parametrize(("copies", "least"), [("even", 0.45), ("earliest", 1.0)])
def test_the_original_keeps_its_part(
    index: Index,
    corpus: list[dict[str, Any]],
    generated: list[Pixels],
    copies: Literal["even", "earliest"],
    least: float,
) -> None:
    earned, _ = credits_of(index, generated, copies)
    original = earned[corpus[COPIED]["owner_id"]]
    assert original / (original + earned.get(COPYIST, 0)) >= least


def test_without_a_policy_the_copyist_takes_nearly_all(
    index: Index, corpus: list[dict[str, Any]], generated: list[Pixels]
) -> None:
    earned, outcomes = credits_of(index, generated, "off")
    assert earned.get(corpus[COPIED]["owner_id"], 0) < 0.25 * earned[COPYIST]
    assert not any(contributor.group for each in outcomes for contributor in each.contributors)


def test_a_group_has_one_place_and_each_of_its_owners_one_share(
    index: Index, corpus: list[dict[str, Any]], generated: list[Pixels]
) -> None:
    _, outcomes = credits_of(index, generated, "even")
    for each in outcomes:
        paid = [(contributor.group or contributor.image_id, contributor.owner_id) for contributor in each.contributors]
        assert len({place for place, _ in paid}) == 10
        assert len(set(paid)) == len(paid)
    first = outcomes[0].contributors[0]
    assert (first.image_id, first.distance) == (corpus[COPIED]["image_id"], 0.0)


def test_a_copyist_who_is_left_out_leaves_the_place_to_the_original(
    index: Index, corpus: list[dict[str, Any]], generated: list[Pixels]
) -> None:
    said = Ownership(opted_out_owners=frozenset({COPYIST}), is_left_out=True)
    earned, _ = credits_of(index, generated, "even", said)
    assert COPYIST not in earned
    unpaid, _ = credits_of(index, generated, "even", Ownership(opted_out_owners=frozenset({COPYIST})))
    assert COPYIST not in unpaid
    owner = corpus[COPIED]["owner_id"]
    assert unpaid[owner] < 0.6 * earned[owner]


def test_digests_differ_where_credits_can(index: Index) -> None:
    methods = [
        method_of(Settings(valuation=ValuationSettings(copies=copies)), index) for copies in ("even", "earliest", "off")
    ]
    assert len({method.digest for method in methods}) == 3


def test_duplicates_lists_them_with_their_owners(index: Index, corpus: list[dict[str, Any]]) -> None:
    run = CliRunner().invoke(app, ["duplicates", str(index.path), "--several-owners", "--json"])
    assert run.exit_code == 0, run.output
    told = orjson.loads(run.stdout)
    (group,) = (each for each in told["groups"] if COPYIST in each["owners"])
    assert group["group"] == "a-copy-00"
    assert group["owners"] == [corpus[COPIED]["owner_id"], COPYIST]
    assert group["images"][0] == {
        "image_id": corpus[COPIED]["image_id"],
        "owner_id": corpus[COPIED]["owner_id"],
        "registered": COPIED,
    }
    assert all(len(each["owners"]) > 1 for each in told["groups"])
    assert told["found"]["images"] >= 46
    shown = CliRunner().invoke(app, ["duplicates", str(index.path)])
    assert shown.exit_code == 0, shown.output
    assert COPYIST in shown.stdout
    assert "more" in shown.stdout


def test_few_altered_copies_are_missed_and_no_stranger_is_taken_for_one(index: Index) -> None:
    found = index.manifest.copies
    assert found is not None
    missed = {each.kind: each.missed for each in found.altered}
    assert missed["mirrored"] == 0.0
    assert missed["recoloured"] <= 0.05
    assert found.level > 0.5
    assert GROUPS_FILE in index.manifest.files
