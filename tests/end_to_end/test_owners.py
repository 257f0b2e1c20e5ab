"""What owners have said, honoured by the commands a user runs."""

from itertools import islice
from pathlib import Path

import orjson
import pytest

from gmv.corpus.port import image_files
from gmv.errors import OwnersRefused
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.index.opened import Index
from tests.corpus.corpora import opened
from tests.end_to_end.command import gmv, gmv_json


def test_who_opted_out_is_not_paid_from_then_on_and_receipts_tell(
    small_index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each event is a copy of a training image, which is its nearest. The first is replayed before anything is said."""
    monkeypatch.setenv("GMV_VALUATION_TEMPERATURE", "1")  # at that of the index, a copy's source gets all of it
    copies = list(islice(image_files(opened(small_index.path.parent / "corpus.parquet")), 2))
    images = {image.image_id: image.owner_id for image in small_index.images.images(range(len(small_index.images)))}
    events, said = tmp_path / "events.jsonl", tmp_path / "owners.jsonl"
    ledger = f"sqlite:///{tmp_path / 'ledger.db'}"
    replay = ("replay", events, "--index", small_index.path, "--ledger", ledger)
    lines = [structured(GeneratedImage("/test", copy.image_id, ImageBytes(copy.content))) for copy in copies]

    events.write_bytes(lines[0] + b"\n")
    gmv("ledger", "init", "--log", events, "--ledger", ledger)
    assert gmv_json(*replay)["credit_micros"] == 1_000_000
    nearest = copies[1].image_id
    said.write_bytes(orjson.dumps({"owner_id": images[nearest], "opted_out": True}))
    with events.open("ab") as file:
        file.write(lines[1] + b"\n")
    after = gmv_json(*replay, "--owners", said)

    before, told = (orjson.loads(line) for line in Path(after["receipts_path"]).read_bytes().splitlines())
    share = told["contributors"][0]
    assert (share["image_id"], share["owner_id"]) == (nearest, images[nearest])
    assert (share["weight"], share["micros"]) == (0.0, 0)
    assert 0 < after["credit_micros"] == told["micros"] < 1_000_000
    assert before["settings"] != told["settings"]
    assert gmv_json("ledger", "verify", "--ledger", ledger, "--receipts", after["receipts_path"])["conserved"] is True

    attribute = ("attribute", "--index", small_index.path, "--owners", said)
    picture = tmp_path / "picture.png"
    picture.write_bytes(copies[1].content)
    (found,) = gmv_json(*attribute, picture, environment={"GMV_OWNERS_OPTED_OUT": "left_out"})["images"]
    assert found["micros"] == 1_000_000
    assert images[nearest] not in {each["owner_id"] for each in found["contributors"]}
    assert len(found["contributors"]) == 10, "others took the places of those left out"
    said.write_text('{"owner_id": "nobody", "opted_out": true}')
    assert "the index lacks: nobody" in gmv(*attribute, picture, exit_code=OwnersRefused.exit_code)


def test_an_event_of_which_nobody_is_left_counts_and_says_so(small_index: Index, tmp_path: Path) -> None:
    """Everybody opts out, and is left out."""
    images = small_index.images.images(range(len(small_index.images)))
    (copy,) = islice(image_files(opened(small_index.path.parent / "corpus.parquet")), 1)
    events, said = tmp_path / "events.jsonl", tmp_path / "owners.jsonl"
    owners = sorted({image.owner_id for image in images})
    said.write_bytes(b"\n".join(orjson.dumps({"owner_id": owner, "opted_out": True}) for owner in owners))
    events.write_bytes(structured(GeneratedImage("/test", "e1", ImageBytes(copy.content))) + b"\n")
    ledger = ("--ledger", f"sqlite:///{tmp_path / 'ledger.db'}")
    left_out = {"GMV_OWNERS_OPTED_OUT": "left_out"}

    gmv("ledger", "init", "--log", events, *ledger)
    replay = ("replay", events, "--index", small_index.path, "--owners", said, *ledger)
    replayed = gmv_json(*replay, environment=left_out)
    assert (replayed["credited"], replayed["credit_micros"]) == (1, 0)
    (receipt,) = map(orjson.loads, Path(replayed["receipts_path"]).read_bytes().splitlines())
    assert (receipt["outcome"], receipt["contributors"], receipt["micros"]) == ("nobody_left", [], 0)
    assert gmv_json("ledger", "verify", *ledger, "--receipts", replayed["receipts_path"])["credited"] == 1
    (event,) = gmv_json("explain", "e1", *ledger)["events"]
    assert (event["outcome"], event["receipts"][0]["outcome"]) == ("nobody_left", "nobody_left")
    picture = tmp_path / "picture.png"
    picture.write_bytes(copy.content)
    attribute = ("attribute", "--index", small_index.path, "--owners", said, picture)
    assert "nobody is left" in gmv(*attribute, environment=left_out)
