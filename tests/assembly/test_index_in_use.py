"""Which index a worker credits by: what is taken, what is refused, and that the former one is let go."""

import gc
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from gmv.assembly.index_in_use import AcceptedFeatures, IndexInUse, Prepared, Published, complaint_about_change
from gmv.assembly.watch import Watch
from gmv.assembly.worker import index_in_use
from gmv.errors import IndexRefused, OwnersRefused
from gmv.index.opened import open_index
from gmv.monitoring.catalogue import Metrics
from gmv.monitoring.index_change import IndexChange
from gmv.settings import load
from gmv.stream.outcomes import Stamp
from gmv.stream.stamped import StampedValuer
from tests.corpus.corpora import rows, write_features, write_parquet
from tests.indexing.index_builds import add, build, remove
from tests.services.patience import patience
from tests.stream.world import EqualShares

THEIRS = AcceptedFeatures("theirs/1", vector_size=4, token_size=2)


class Lines:
    """A logger whose lines are kept."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []

    def write(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    debug = info = warning = write

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.lines]


@dataclass
class Place:
    """What is published, by a test."""

    index_id: str = "one"
    state: int = 0
    owners: int = 0
    accepted: AcceptedFeatures | None = None
    settings: str = "settings"
    failure: Exception | None = None
    while_opened: Callable[[], None] = lambda: None
    opened: int = 0
    shown: list[str] = field(default_factory=list)
    undated: str | None = None

    def look(self) -> Published:
        return Published("folder", self.index_id, (0, 0, 0, self.state), (0, 0, 0, self.owners))

    def prepare(self) -> Prepared:
        self.opened += 1
        name = self.index_id
        self.while_opened()
        if self.failure is not None:
            raise self.failure
        stamp = Stamp(name, self.settings)
        return Prepared(
            StampedValuer(EqualShares(), stamp), self.accepted, lambda: self.shown.append(name), self.undated
        )


class Room:
    def __init__(self, place: Place | None = None) -> None:
        self.place, self.metrics, self.log = place or Place(), Metrics(CollectorRegistry()), Lines()
        self.in_use = IndexInUse(self.place.prepare(), self.place.look, self.place.prepare, self.metrics, self.log)

    def publish(self, index_id: str, **changed: Any) -> None:
        self.place.index_id = index_id
        self.place.state += 1
        for name, value in changed.items():
            setattr(self.place, name, value)

    def look(self, times: int = 2) -> str:
        for _ in range(times):
            self.in_use.look()
        return self.in_use.current().stamp.index_id

    def changes(self, change: IndexChange) -> float:
        return self.metrics.index_changes.labels(change)._value.get()

    @property
    def is_refused(self) -> float:
        return self.metrics.index_refused._value.get()


@pytest.fixture
def room() -> Room:
    return Room()


def test_nothing_is_opened_as_long_as_the_same_index_is_published(room: Room) -> None:
    assert room.look(5) == "one"
    room.place.state += 1  # copied once more
    assert room.look(5) == "one"
    assert (room.place.opened, room.log.lines) == (1, [])


def test_an_index_whose_corpus_does_not_tell_who_was_first_is_warned_of_when_it_is_taken() -> None:
    room = Room(Place(undated="of 3 groups"))
    room.publish("two")
    room.look()
    room.publish("three", undated=None)
    room.look()
    warned = ("copies_undated", {"why": "of 3 groups"})
    assert [line for line in room.log.lines if line[0] != "index_taken"] == [warned, warned]


def test_what_two_looks_have_found_is_taken_and_told(room: Room) -> None:
    room.publish("two")
    assert room.look(1) == "one"
    assert room.look(1) == "two"
    assert room.look(5) == "two"

    (line,) = room.log.lines
    assert line[0] == "index_taken"
    assert (line[1]["index_id"], line[1]["former_index_id"]) == ("two", "one")
    assert (room.changes(IndexChange.TAKEN), room.changes(IndexChange.REFUSED)) == (1, 0)
    assert room.place.shown == ["one", "two"]


@pytest.mark.parametrize(
    "failure", [IndexRefused("altered"), OwnersRefused("misspelt"), ValueError("a fault"), MemoryError()]
)
def test_what_cannot_be_used_is_refused_once_and_the_index_in_use_stays(room: Room, failure: Exception) -> None:
    before = room.in_use.current()
    room.publish("two", failure=failure)
    assert room.look(9) == "one"

    assert room.in_use.current() is before
    assert room.log.events == ["index_refused"]
    assert str(failure) in room.log.lines[0][1]["reason"]
    assert (room.place.opened, room.changes(IndexChange.REFUSED), room.is_refused) == (2, 1, 1)

    room.publish("two", failure=None)  # copied again
    assert room.look() == "two"
    assert room.is_refused == 0


def test_a_corrected_owners_file_has_a_refused_index_tried_again(room: Room) -> None:
    room.publish("two", failure=OwnersRefused("misspelt"))
    room.look(3)
    room.place.failure = None
    assert room.look(3) == "one"
    room.place.owners += 1
    assert room.look(3) == "two"


def test_an_owners_file_alone_has_nothing_opened(room: Room) -> None:
    room.place.owners += 1
    assert room.look(3) == "one"
    assert room.place.opened == 1


def test_going_back_to_the_index_in_use_ends_a_refusal(room: Room) -> None:
    room.publish("two", failure=IndexRefused("altered"))
    room.look()
    assert room.is_refused == 1
    room.publish("one")
    assert room.look(1) == "one"
    assert (room.is_refused, room.place.opened) == (0, 2)


def test_an_index_that_is_gone_for_a_moment_while_it_is_replaced_is_not_refused(room: Room) -> None:
    room.publish("")
    room.look(1)
    room.publish("two")
    assert room.look() == "two"
    assert room.log.events == ["index_taken"]


def test_an_index_that_changes_while_it_is_opened_is_opened_again(room: Room) -> None:
    def publish_three() -> None:
        room.place.while_opened = lambda: None
        room.publish("three")

    room.publish("two", while_opened=publish_three)
    assert room.look(2) == "one"
    assert room.look(1) == "three"
    assert room.log.events == ["index_taken"]


def test_who_asks_has_it_opened_at_once_and_learns_that_nothing_is_new(room: Room) -> None:
    room.in_use.ask()
    room.look(3)
    assert (room.place.opened, room.log.events) == (2, ["index_unchanged"])
    room.in_use.ask()
    room.place.settings = "an owner has opted out"
    room.look(1)
    assert room.log.events[1:] == ["index_taken"]
    assert room.in_use.current().stamp.settings_digest == "an owner has opted out"


@pytest.mark.parametrize(
    ("former", "following", "is_refused"),
    [
        (None, None, False),
        (THEIRS, THEIRS, False),
        (THEIRS, THEIRS._replace(encoder_id="theirs/2"), True),
        (THEIRS, THEIRS._replace(vector_size=8), True),
        (THEIRS, THEIRS._replace(token_size=4), True),
        (THEIRS, None, True),
        (None, THEIRS, True),
    ],
)
def test_an_index_that_the_events_features_do_not_fit_is_refused(
    room: Room, former: AcceptedFeatures | None, following: AcceptedFeatures | None, is_refused: bool
) -> None:
    assert bool(complaint_about_change(former, following)) == is_refused
    room.publish("two", accepted=former)
    room.in_use._accepted = former
    assert room.look() == "two"
    room.publish("three", accepted=following)
    assert room.look() == ("two" if is_refused else "three")
    assert ("all would be dead letters" in str(room.log.lines)) == is_refused


# From here on with real indexes, behind a link as operators publish them.


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folders `one`, `two` (one and two images more), `fewer`, and `theirs`, of features."""
    folder = tmp_path_factory.mktemp("indexes")
    build(write_parquet(folder / "a.parquet", rows(5)), folder / "one")
    add(folder / "one", write_parquet(folder / "b.parquet", rows(7)[5:]), folder / "two")
    remove(folder / "two", folder / "fewer", owners=["owner 2"])
    build(write_features(folder / "f.parquet", 3), folder / "theirs", encoder_id="theirs")
    return folder


@dataclass
class Worker:
    """As much of a worker as follows its index."""

    link: Path
    in_use: IndexInUse
    watch: Watch
    log: Lines

    def publish(self, folder: Path) -> None:
        following = self.link.with_name("following")
        following.symlink_to(folder)
        following.replace(self.link)

    def waits_for(self, event: str, times: int = 1) -> dict[str, Any]:
        deadline = time.monotonic() + patience(60)
        while len(found := [fields for name, fields in self.log.lines if name == event]) < times:
            assert time.monotonic() < deadline, self.log.lines
            time.sleep(0.05)
        return found[times - 1]


@pytest.fixture
def worker(built: Path, tmp_path: Path) -> Iterator[Worker]:
    owners = tmp_path / "owners.jsonl"
    owners.write_text("")
    link = tmp_path / "current"
    link.symlink_to(built / "one")
    settings = load(None, {"index": str(link), "owners.file": str(owners)})
    log = Lines()
    watch = Watch(settings, log)
    with index_in_use(settings, open_index(link, verify=True), watch, log) as in_use:
        yield Worker(link, in_use, watch, log)


def stamp_of(worker: Worker) -> str:
    return worker.in_use.current().stamp.index_id


def index_id(folder: Path) -> str:
    return open_index(folder, verify=False).index_id


def test_a_link_that_names_another_folder_brings_its_index_and_the_former_is_let_go(
    worker: Worker, built: Path
) -> None:
    assert stamp_of(worker) == index_id(built / "one")
    assert f"{built}/one/" in Path("/proc/self/maps").read_text()
    worker.publish(built / "two")
    assert worker.waits_for("index_taken")["index_id"] == index_id(built / "two")
    assert stamp_of(worker) == index_id(built / "two")

    gc.collect()
    mapped = Path("/proc/self/maps").read_text()
    assert f"{built}/two/tokens.npy" in mapped
    assert f"{built}/one/tokens.npy" not in mapped

    worker.publish(built / "one")  # a roll-back
    assert worker.waits_for("index_taken", 2)["index_id"] == index_id(built / "one")


@pytest.mark.parametrize("damage", ["altered", "cut", "missing", "no folder", "older", "no manifest"])
def test_damaged_indexes_are_refused_by_name_and_the_next_sound_one_is_taken(
    damage: str, worker: Worker, built: Path, tmp_path: Path
) -> None:
    bad = shutil.copytree(built / "two", tmp_path / "bad")
    tokens, manifest = bad / "tokens.npy", bad / "manifest.json"
    match damage:
        case "altered":
            tokens.write_bytes(tokens.read_bytes()[:-1] + b"\xff")
        case "cut":
            tokens.write_bytes(tokens.read_bytes()[:-1])
        case "missing":
            (bad / "images.arrow").unlink()
        case "no folder":
            shutil.rmtree(bad)
        case "older":
            manifest.write_text(manifest.read_text().replace('"format_version": 1', '"format_version": 0'))
        case "no manifest":
            manifest.unlink()
    worker.publish(bad)
    assert str(bad) in worker.waits_for("index_refused")["reason"]
    assert stamp_of(worker) == index_id(built / "one")
    assert worker.watch.metrics.index_refused._value.get() == 1

    worker.publish(built / "fewer")
    worker.waits_for("index_taken")
    assert stamp_of(worker) == index_id(built / "fewer")


def test_a_name_of_the_owners_file_that_the_index_lacks_refuses_it(worker: Worker, built: Path, tmp_path: Path) -> None:
    (tmp_path / "owners.jsonl").write_text('{"owner_id": "owner 2", "opted_out": true}\n')
    worker.publish(built / "fewer")
    assert "owners that the index lacks: owner 2" in worker.waits_for("index_refused")["reason"]
    (tmp_path / "owners.jsonl").write_text('{"owner_id": "owner 1", "opted_out": true}\n')
    worker.waits_for("index_taken")
    assert stamp_of(worker) == index_id(built / "fewer")


def test_features_of_another_encoder_are_refused(worker: Worker, built: Path) -> None:
    worker.publish(built / "theirs")
    assert "all would be dead letters" in worker.waits_for("index_refused")["reason"]
    assert stamp_of(worker) == index_id(built / "one")


def test_sighup_reads_the_owners_file_anew(worker: Worker, tmp_path: Path) -> None:
    before = worker.in_use.current().stamp
    (tmp_path / "owners.jsonl").write_text('{"owner_id": "owner 1", "opted_out": true}\n')
    signal.raise_signal(signal.SIGHUP)
    told = worker.waits_for("index_taken")
    after = worker.in_use.current().stamp
    assert (told["former_settings"], told["settings"]) == (before.settings_digest, after.settings_digest)
    assert after.index_id == before.index_id
    assert after.settings_digest != before.settings_digest
