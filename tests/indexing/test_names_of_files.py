"""Files and folders whose names are no UTF-8, or hold what a terminal obeys: they are read, indexed and sent."""

import os
from pathlib import Path

import orjson
import pytest

from gmv.corpus.open import open_corpus
from gmv.demo.folder import corpus_digest
from gmv.errors import Poison, Reason
from gmv.events.cloudevents import decode
from gmv.events.model import GeneratedImage
from gmv.events.outgoing import Telling, outgoing
from gmv.files.dead_letters import dead_letter_line, dead_letters_in_file
from gmv.files.log import describe_file, partition_of
from gmv.index.manifest import REJECTED_FILE
from gmv.index.opened import open_index
from gmv.operations.correction_file import read_corrections
from gmv.printable import encodable
from gmv.settings import Settings, load
from gmv.stream.ports import DeadLetter
from gmv.stream.records import Record
from tests.corpus.corpora import rows, write_folder, write_parquet
from tests.events.samples import line, png
from tests.indexing.index_builds import build
from tests.operations.test_correction_file import line as correction

NAMES = [b"caf\xe9", b"\xff\xfe[red]", b"tab\tline\nesc\x1b[2J", b"\x9b31m"]


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return os.fsdecode(request.param)


def test_an_index_in_such_a_folder_of_such_a_corpus(name: str, tmp_path: Path) -> None:
    corpus = tmp_path / name
    corpus.mkdir()
    of_parquet = write_parquet(tmp_path / "a.parquet", rows(6)).rename(corpus / f"{name}.parquet")
    manifest = build(of_parquet, tmp_path / f"{name} index")
    assert manifest == build(write_parquet(tmp_path / "plain.parquet", rows(6)), tmp_path / "plain")
    opened = open_index(tmp_path / f"{name} index", verify=True)
    assert opened.recall.rows == 6
    assert corpus_digest(corpus) != corpus_digest(of_parquet)


def test_an_image_that_is_not_there_is_named(name: str, tmp_path: Path) -> None:
    corpus = write_folder(tmp_path / name, rows(6))
    (corpus / f"{name}.png").write_bytes(b"read for its size alone")
    with (corpus / "metadata.csv").open("a") as file:
        file.write("nothing.png,ada,\n")
    build(corpus, tmp_path / "index", bad_share_max=0.5)
    rejected = [orjson.loads(each) for each in (tmp_path / "index" / REJECTED_FILE).read_bytes().splitlines()]
    assert encodable(f"{name}/nothing.png") in rejected[-1]["why"]
    assert open_corpus([corpus], 2**20).fingerprint() == open_corpus([corpus / "metadata.csv"], 2**20).fingerprint()


def name_in(event: GeneratedImage) -> object:
    assert event.metadata is not None
    return orjson.loads(event.metadata.text)["name"]


def test_such_images_are_sent_as_events(name: str, tmp_path: Path) -> None:
    for number, colour in enumerate(("red", "green")):
        (tmp_path / f"{name}{number}.png").write_bytes(png(colour))
    of_parquet = write_parquet(tmp_path / "a.parquet", rows(2)).rename(tmp_path / f"{name}.parquet")
    for structured in (True, False):
        telling = Telling("/s", is_structured=structured)
        found = [decode(*each.message[1:]) for each in outgoing(tmp_path, telling)]
        assert [name_in(event) for event in found] == [encodable(f"{name}{number}.png") for number in (0, 1)]
        assert len({event.event_id for event in found}) == 2
        assert len(list(outgoing(of_parquet, telling))) == 2


def test_a_log_and_a_file_of_corrections_have_names_that_a_ledger_can_hold(name: str, tmp_path: Path) -> None:
    events = tmp_path / f"{name}.jsonl"
    events.write_bytes(line(id="a") + b"\n")
    assert describe_file(events).topic == partition_of(events).topic == encodable(f"{name}.jsonl")
    corrections = tmp_path / f"{name}.corrections"
    corrections.write_bytes(orjson.dumps(correction(id="c", from_owner="ada", to_owner="ben", micros=1)) + b"\n")
    assert read_corrections(corrections).topic.encode().endswith(b".corrections")


def test_a_reason_that_names_such_a_file_is_kept_whole(name: str, tmp_path: Path) -> None:
    refused = DeadLetter(Record(0, b"x", None, ()), Poison(Reason.IMAGE_UNREACHABLE, f"{name}: no such file"))
    file = tmp_path / f"{name}.dlq.jsonl"
    file.write_bytes(dead_letter_line(partition_of(tmp_path / name), refused) + b"\n")
    (found,) = dead_letters_in_file(file)
    assert (found.detail, found.partition.topic) == (encodable(f"{name}: no such file"), encodable(name))


def test_settings_that_name_such_files_are_fit_for_a_log(name: str, tmp_path: Path) -> None:
    settings = load(flags={"index": tmp_path / name, "images.root": Path(name), "ledger.url": f"sqlite:///{name}"})
    told = orjson.loads(orjson.dumps(settings.redacted()))
    assert told["index"] == encodable(str(tmp_path / name))
    assert told["images"]["root"] == encodable(name)
    assert told["ledger"]["url"] == encodable(f"sqlite:///{name}")
    assert told["kafka"] == Settings().model_dump(mode="json")["kafka"]
