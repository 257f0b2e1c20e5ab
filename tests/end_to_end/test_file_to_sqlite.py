"""A file of events into a SQLite ledger, by the commands a user runs."""

import os
import subprocess
from itertools import islice
from pathlib import Path

import orjson
import pytest

from gmv.corpus.port import image_files
from gmv.demo.remix import png
from gmv.errors import EventsRefused, LedgerMissing
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.opened import Index
from tests.corpus.corpora import opened
from tests.end_to_end.command import command, gmv, gmv_json
from tests.services.patience import patience
from tests.services.server import mortal

COPIES = 5


@pytest.fixture
def copies(small_index: Index) -> dict[str, bytes]:
    """Training images as they are, by image id: each is the nearest to itself, at distance 0."""
    limits = ImageLimits(10**6, 10**6)
    corpus = opened(small_index.path.parent / "corpus.parquet")
    return {image.image_id: png(decode_image(image.content, limits)) for image in islice(image_files(corpus), COPIES)}


def test_each_copy_is_explained_by_its_original_and_a_second_replay_changes_nothing(
    small_index: Index, copies: dict[str, bytes], tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    lines = [structured(GeneratedImage("/test", image_id, ImageBytes(file))) for image_id, file in copies.items()]
    events.write_bytes(b"\n".join([*lines, b"{broken", lines[0], b""]))
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    replay = ("replay", events, "--index", small_index.path, "--ledger", ledger)

    assert "gmv ledger init" in gmv(*replay, exit_code=LedgerMissing.exit_code)
    gmv("ledger", "init", "--log", events, "--ledger", ledger)
    first = gmv_json(*replay)
    again = gmv_json(*replay)

    assert (first["credited"], first["duplicates"], first["dead_letters"]) == (COPIES, 1, 1)
    assert first["dead_letters_by_reason"] == {"malformed_json": 1}
    (refused,) = first["first_dead_letters"]
    assert (refused["line"], refused["reason"]) == (COPIES + 1, "malformed_json")
    assert again["first_dead_letters"] == []
    assert first["credit_micros"] == COPIES * 1_000_000
    assert (again["credited"], again["already_done"]) == (0, COPIES + 2)
    receipts = [orjson.loads(line) for line in Path(first["receipts_path"]).read_bytes().splitlines()]
    for receipt in receipts:
        nearest = receipt["contributors"][0]
        assert (nearest["image_id"], nearest["distance"]) == (receipt["event"]["id"], 0.0)
    (letter,) = [orjson.loads(line) for line in Path(first["dead_letters_path"]).read_bytes().splitlines()]
    assert letter["offset"] == COPIES
    assert gmv_json("ledger", "verify", "--ledger", ledger, "--receipts", first["receipts_path"])["conserved"] is True


def test_a_person_sees_why_lines_cannot_be_credited_and_where_they_are_kept(
    small_index: Index, copies: dict[str, bytes], tmp_path: Path
) -> None:
    events = tmp_path / "events.jsonl"
    no_image = structured(GeneratedImage("/test", "e", ImageBytes(b"no image")))
    good = structured(GeneratedImage("/test", "good", ImageBytes(next(iter(copies.values())))))
    events.write_bytes(b"\n".join([b"{broken", b"", no_image, *[b"[]"] * 5, good, b""]))
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    gmv("ledger", "init", "--log", events, "--ledger", ledger)

    rows = [
        " ".join(line.split())
        for line in gmv("replay", events, "--index", small_index.path, "--ledger", ledger).splitlines()
    ]

    assert {"malformed_json 1", "image_refused 1", "invalid_event 5"} <= set(rows)
    assert "3 image_refused the image is not a PNG, JPEG or WEBP file" in rows
    assert [row.split()[0] for row in rows if " invalid_event " in row] == ["4", "5", "6"]
    assert rows[-1] == f"all of them: gmv dlq list --file {tmp_path / 'events.dlq.jsonl'}"


def test_a_last_line_without_its_newline_is_told_and_credited_once_it_has_one(
    small_index: Index, copies: dict[str, bytes], tmp_path: Path
) -> None:
    """First a writer is in the middle of the last line; then it has written all of it but for the newline."""
    events, ledger = tmp_path / "events.jsonl", f"sqlite:///{tmp_path / 'ledger.db'}"
    lines = [structured(GeneratedImage("/test", image_id, ImageBytes(file))) for image_id, file in copies.items()][:3]
    replay = ("replay", events, "--index", small_index.path, "--ledger", ledger)
    before, last = b"".join(line + b"\n" for line in lines[:2]), lines[2]
    events.write_bytes(before)
    gmv("ledger", "init", "--log", events, "--ledger", ledger)

    for begun in (last[:40], last):
        events.write_bytes(before + begun)
        said = gmv(*replay, exit_code=EventsRefused.exit_code)
        assert said == (
            f"gmv: line 3 of {events} has no end: it is still being written, or was cut off; end it with a newline "
            "and run again\n"
        )
        assert gmv_json("ledger", "verify", "--ledger", ledger)["credited"] == 2
    events.write_bytes(before + last + b"\n")
    done = gmv_json(*replay)
    again = gmv_json(*replay)

    assert (done["already_done"], done["credited"], done["duplicates"], done["dead_letters"]) == (2, 1, 0, 0)
    assert (again["already_done"], again["events"]) == (3, 0)
    verified = gmv_json("ledger", "verify", "--ledger", ledger, "--receipts", done["receipts_path"])
    assert (verified["credited"], verified["credit_micros"], verified["dead_letters"]) == (3, 3_000_000, 0)


def test_attribute_says_the_same_without_a_ledger(small_index: Index, copies: dict[str, bytes], tmp_path: Path) -> None:
    image_id, file = next(iter(copies.items()))
    good = tmp_path / "good.png"
    good.write_bytes(file)

    (told,) = gmv_json("attribute", "--index", small_index.path, good)["images"]

    assert told["contributors"][0]["image_id"] == image_id
    assert sum(contributor["micros"] for contributor in told["contributors"]) == told["micros"] == 1_000_000


def test_what_can_be_attributed_is_and_the_rest_is_told(
    small_index: Index, copies: dict[str, bytes], tmp_path: Path
) -> None:
    image_id, file = next(iter(copies.items()))
    missing, bad, good = [tmp_path / f"{name}.png" for name in ("missing", "bad", "good")]
    good.write_bytes(file)
    bad.write_bytes(file[:100])

    done = subprocess.run(
        command("attribute", "--index", small_index.path, missing, bad, good, "--json"),
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (1, b"")
    first, second, third = orjson.loads(done.stdout)["images"]
    assert first == {
        "image": str(missing),
        "refused": {"reason": "image_unreachable", "detail": "No such file or directory"},
    }
    assert (second["image"], second["refused"]["reason"]) == (str(bad), "image_corrupt")
    assert third["contributors"][0]["image_id"] == image_id


def test_no_more_of_a_file_is_read_than_an_image_may_have(
    small_index: Index, copies: dict[str, bytes], tmp_path: Path
) -> None:
    """Nor of what has no end: a device, a pipe whose writer goes on, a file of holes."""
    good, holes, pipe = tmp_path / "good.png", tmp_path / "holes.png", tmp_path / "pipe.png"
    image_id, file = next(iter(copies.items()))
    good.write_bytes(file)
    with holes.open("wb") as sparse:
        sparse.truncate(2**40)
    os.mkfifo(pipe)
    writer = subprocess.Popen(mortal(["sh", "-c", f"exec cat /dev/zero > {pipe}"]), stderr=subprocess.DEVNULL)
    images = ["/dev/zero", holes, pipe, good]

    told = subprocess.run(
        command("attribute", "--index", small_index.path, *images, "--json"),
        capture_output=True,
        check=False,
        timeout=patience(60),
        env=os.environ | {"GMV_IMAGES_BYTES_MAX": str(len(file))},
    )
    writer.wait(patience(10))

    assert (told.returncode, told.stderr) == (1, b"")
    *refused, attributed = orjson.loads(told.stdout)["images"]
    size = f"the image has {len(file) + 1:,} bytes or more, {len(file):,} are allowed"
    assert [each["refused"] for each in refused] == [{"reason": "image_refused", "detail": size}] * 3
    assert attributed["contributors"][0]["image_id"] == image_id


@pytest.mark.parametrize("purpose", ["--receipts", "--dead-letters"])
def test_no_file_is_written_over_another(small_index: Index, tmp_path: Path, purpose: str) -> None:
    events, ledger = tmp_path / "events.jsonl", tmp_path / "ledger.db"
    events.write_bytes(b"{}\n")
    gmv("ledger", "init", "--log", events, "--ledger", f"sqlite:///{ledger}")
    before = ledger.read_bytes()
    replay = ("replay", events, "--index", small_index.path, "--ledger", f"sqlite:///{ledger}")
    for shared in (events, ledger):
        assert str(shared) in gmv(*replay, purpose, shared, exit_code=2)
    assert str(ledger) in gmv("credits", "export", "--ledger", f"sqlite:///{ledger}", "--out", ledger, exit_code=2)
    assert (events.read_bytes(), ledger.read_bytes()) == (b"{}\n", before)
