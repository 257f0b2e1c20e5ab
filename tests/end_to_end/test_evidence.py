"""`--evidence` by the commands a user runs: who is paid for a copy, and that nobody is for what resembles nothing."""

import io
from itertools import islice
from pathlib import Path

import numpy as np
import orjson
import pytest
from PIL import Image, ImageDraw

from gmv.corpus.port import image_files
from gmv.errors import IndexRefused, InvalidSettings
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.index.manifest import MANIFEST, Manifest
from gmv.index.opened import Index
from tests.corpus.corpora import opened
from tests.end_to_end.command import gmv, gmv_json

SIDE = 64


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def drawn(text: str, size: int) -> bytes:
    picture = Image.new("RGB", (SIDE, SIDE), "white")
    ImageDraw.Draw(picture).text((4, 2), text, fill="black", font_size=size)
    return png(np.asarray(picture))


def matrix_code() -> bytes:
    """Squares as of a QR code: 21 x 21, with its three finders."""
    modules = np.random.default_rng(8).integers(0, 2, (21, 21))
    finder = np.pad(np.pad(np.ones((3, 3)), 1), 1, constant_values=1)
    for rows, columns in ((slice(0, 7), slice(0, 7)), (slice(0, 7), slice(14, 21)), (slice(14, 21), slice(0, 7))):
        modules[rows, columns] = finder
    return png(np.repeat(255 * (1 - np.kron(np.pad(modules, 2), np.ones((4, 4))))[:, :, None], 3, 2))


def of_nothing() -> dict[str, bytes]:
    """Pictures that no photograph is the source of."""
    noise = np.random.default_rng(4).integers(0, 256, (SIDE, SIDE, 3))
    ramp = np.repeat(np.repeat(np.linspace(0, 255, SIDE)[None, :, None], SIDE, 0), 3, 2)
    return {
        "black": png(np.zeros((SIDE, SIDE, 3))),
        "teal": png(np.full((SIDE, SIDE, 3), (3, 130, 120))),
        "gradient": png(ramp),
        "noise": png(noise),
        "text": drawn("the quick\nbrown fox\njumps over\nthe lazy\ndog again", 11),
        "digit": drawn("7", 56),
        "code": matrix_code(),
    }


FLAT = {"black", "teal", "gradient", "digit"}


def test_a_copy_pays_its_owner_and_what_resembles_nothing_pays_nobody(small_index: Index, tmp_path: Path) -> None:
    (copy,) = islice(image_files(opened(small_index.path.parent / "corpus.parquet")), 1)
    owner = next(each.owner_id for each in small_index.images.images(range(40)) if each.image_id == copy.image_id)
    pictures = {"copy": copy.content, **of_nothing()}
    events, ledger = tmp_path / "events.jsonl", ("--ledger", f"sqlite:///{tmp_path / 'ledger.db'}")
    lines = [structured(GeneratedImage("/test", name, ImageBytes(each))) for name, each in pictures.items()]
    events.write_bytes(b"".join(line + b"\n" for line in lines))
    gmv("ledger", "init", "--log", events, *ledger)
    replayed = gmv_json("replay", events, "--index", small_index.path, "--evidence", "0.05", *ledger)

    nothings = len(pictures) - 1
    assert (replayed["credit_micros"], replayed["unattributed_micros"]) == (8_000_000, nothings * 1_000_000)
    assert replayed["unreliable"] == nothings
    receipts = {
        each["event"]["id"]: each
        for each in map(orjson.loads, Path(replayed["receipts_path"]).read_bytes().splitlines())
    }
    assert receipts["copy"]["evidence"] == {"p": 1 / 41, "reliable": True}
    assert "unattributed_micros" not in receipts["copy"]
    for name in of_nothing():
        receipt = receipts[name]
        assert receipt["evidence"].get("flat", False) is (name in FLAT), name
        assert (receipt["micros"], receipt["unattributed_micros"]) == (1_000_000, 1_000_000)
        assert {share["micros"] for share in receipt["contributors"]} == {0}
        assert len(receipt["contributors"]) == 10, "they stay to be seen"

    verified = gmv_json("ledger", "verify", *ledger, "--receipts", replayed["receipts_path"])
    assert (verified["conserved"], verified["credit_micros"]) == (True, 8_000_000)
    top = gmv_json("credits", "top", *ledger)
    assert top["owners"][0]["owner_id"] == owner
    assert "unattributed" not in {each["owner_id"] for each in top["owners"]}
    assert (top["credit_micros"], top["unattributed_micros"]) == (8_000_000, nothings * 1_000_000)
    assert "7.000000 are unattributed" in gmv("credits", "top", *ledger)
    (account,) = gmv_json("credits", "show", "unattributed", *ledger)["owners"]
    assert account["credit_micros"] == nothings * 1_000_000
    (event,) = gmv_json("explain", "black", *ledger)["events"]
    assert event["receipts"][0]["evidence"]["flat"] is True
    assert event["receipts"][0]["unattributed_micros"] == 1_000_000
    assert "a flat picture" in gmv("explain", "black", *ledger)
    assert "p = 0.0244, reliable" in gmv("explain", "copy", *ledger)


def test_without_a_level_all_is_credited_as_before_and_receipts_say_what_to_think_of_it(
    small_index: Index, tmp_path: Path
) -> None:
    picture = tmp_path / "noise.png"
    picture.write_bytes(of_nothing()["noise"])
    (plain,) = gmv_json("attribute", picture, "--index", small_index.path)["images"]
    (judged,) = gmv_json("attribute", picture, "--index", small_index.path, "--evidence", "0.05")["images"]
    assert sum(each["micros"] for each in plain["contributors"]) == plain["micros"] == 1_000_000
    assert (plain["unattributed_micros"], judged["unattributed_micros"]) == (0, 1_000_000)
    assert plain["evidence"] == judged["evidence"]
    assert plain["evidence"]["reliable"] is False
    assert [each["distance"] for each in plain["contributors"]] == [each["distance"] for each in judged["contributors"]]
    assert "not reliable; 1.000000 credits go to unattributed" in gmv(
        "attribute", picture, "--index", small_index.path, "--evidence", "0.05"
    )


@pytest.mark.parametrize(
    ("environment", "level", "refused"),
    [
        ({}, "0.01", "no event has a p-value below 0.0244 by an index of 40 images"),
        ({"GMV_VALUATION_CANDIDATES": "4"}, "0.05", "evidence needs 5 at least"),
        ({}, "1", "less than 1"),
        ({}, "0", "greater than 0"),
        ({}, "nan", "finite"),
    ],
)
def test_a_level_that_could_credit_nobody_or_everybody_is_refused(
    small_index: Index, tmp_path: Path, environment: dict[str, str], level: str, refused: str
) -> None:
    picture = tmp_path / "noise.png"
    picture.write_bytes(of_nothing()["noise"])
    command = ("attribute", picture, "--index", small_index.path)
    said = gmv(
        *command,
        exit_code=InvalidSettings.exit_code,
        environment=environment | {"GMV_VALUATION_EVIDENCE": level},
    )
    assert refused in said


def test_an_index_of_an_earlier_gmv_opens_and_refuses_a_level(small_index: Index, tmp_path: Path) -> None:
    """Its manifest has no evidence: nothing is said in receipts, and no level is accepted."""
    former = tmp_path / "former"
    former.mkdir()
    for file in small_index.path.iterdir():
        (former / file.name).hardlink_to(file)
    manifest = Manifest.model_validate_json((former / MANIFEST).read_bytes())
    (former / MANIFEST).unlink()
    (former / MANIFEST).write_bytes(manifest.model_copy(update={"evidence": None}).to_bytes())
    picture = tmp_path / "noise.png"
    picture.write_bytes(of_nothing()["noise"])
    (found,) = gmv_json("attribute", picture, "--index", former)["images"]
    assert (found["evidence"], found["unattributed_micros"]) == (None, 0)
    said = gmv("attribute", picture, "--index", former, "--evidence", "0.05", exit_code=IndexRefused.exit_code)
    assert "says nothing of evidence; build it again" in said


def test_what_a_level_would_do_is_told_of_an_index(small_index: Index) -> None:
    told = gmv("index", "info", small_index.path)
    assert "no event can reach it" in told
    assert "altered copies" in told
    evidence = gmv_json("index", "info", small_index.path)["evidence"]
    assert (evidence["images"], len(evidence["ratios"]), evidence["queries_copies"]) == (40, 40, 40)
