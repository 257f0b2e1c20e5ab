"""`gmv demo`, stage by stage: corpus, index, events, ledger, report. What an earlier run made is kept and used."""

import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from gmv.assembly.replay import ReplaySummary, replay
from gmv.corpus.open import open_corpus
from gmv.corpus.port import Corpus
from gmv.demo.books import Books, read_books
from gmv.demo.events import make_events
from gmv.demo.folder import DemoFolder, Inputs, corpus_digest
from gmv.demo.report import render
from gmv.demo.source_hits import SourceHits, source_hits
from gmv.demo.story import story_of
from gmv.errors import EventsRefused
from gmv.files.log import describe_file
from gmv.imaging.decode import ImageLimits
from gmv.index.opened import Index, open_index
from gmv.indexing.build import BuildOptions, build_index
from gmv.ledger.open import open_ledger, open_registry
from gmv.printable import encodable
from gmv.settings import Settings
from gmv.whole_file import write_whole

EXAMPLE_CORPUS: Final = Path(__file__).with_name("corpus.parquet")

_THREADS: Final = os.cpu_count() or 1


class StageReporter(Protocol):
    """Shows how far the demo is."""

    def stage(self, name: str, text: str) -> None:
        """Say what is being done, or was found done, in a stage of that name."""

    def progress(self, description: str, total: int | None, unit: str) -> AbstractContextManager[Callable[[int], None]]:
        """Show a long step; what is yielded is called with the number of units done since the last call."""
        ...


@dataclass(frozen=True, slots=True)
class DemoResult:
    """What a demo ends with.

    Attributes:
        folder: where everything lies.
        index: opened.
        now: what this run credited; what earlier runs did is in the books alone.
        books: what was committed.
        hits: of the remixes, how much of their credit went to their true sources and owners.
        copies: the same of the altered copies; None where a demo of an earlier gmv made none.
        seconds: of this run.
    """

    folder: DemoFolder
    index: Index
    now: ReplaySummary
    books: Books
    hits: SourceHits
    copies: SourceHits | None
    seconds: float


def run_demo(
    corpus_path: Path, folder: DemoFolder, events: int, seed: int, settings: Settings, reporter: StageReporter
) -> DemoResult:
    """Run the whole story, or the rest of it.

    Args:
        corpus_path: of the training images.
        folder: to make everything in.
        events: number of images to generate.
        seed: of the remix generator.
        settings: of everything; index and ledger are the folder's.
        reporter: shows how far it is.

    Raises:
        Refusal: what stops a stage; what was made until then is used by the next run.
    """
    started = time.perf_counter()
    folder.claim(Inputs(corpus_digest(corpus_path), events, seed))
    corpus = open_corpus([corpus_path], settings.images.bytes_max)
    index = _index(corpus, folder, settings, reporter)
    _events(corpus, index, folder, events, seed, settings, reporter)
    now = _credit(folder, index, settings, reporter)
    reporter.stage("Check", "owners' totals against receipts and counts")
    books = read_books(folder, settings.ledger)
    images = index.images.images(range(len(index.images)))
    owner_by_image = {image.image_id: image.owner_id for image in images}
    hits = source_hits([outcome for outcome in books.outcomes if not outcome.is_copy], owner_by_image)
    copies = source_hits([outcome for outcome in books.outcomes if outcome.is_copy], owner_by_image)
    if hits is None:
        raise EventsRefused(f"no event could be credited; {folder.dead_letters} says why")
    reporter.stage("Report", str(folder.report))
    page = render(story_of(corpus, index, folder, books, hits, copies, settings))
    write_whole(folder.report, encodable(page).encode())
    return DemoResult(folder, index, now, books, hits, copies, time.perf_counter() - started)


def _index(corpus: Corpus, folder: DemoFolder, settings: Settings, reporter: StageReporter) -> Index:
    if folder.index.exists():
        reporter.stage("Index", f"{folder.index} is there")
    else:
        reporter.stage("Index", f"building {folder.index} from {corpus.name}")
        build_index(corpus, folder.index, settings, BuildOptions(threads=_THREADS), reporter.progress)
    index = open_index(folder.index, verify=True)
    reporter.stage("", f"{index.manifest.corpus.images:,} images of {index.manifest.corpus.owners:,} owners")
    return index


def _events(
    corpus: Corpus, index: Index, folder: DemoFolder, count: int, seed: int, settings: Settings, reporter: StageReporter
) -> None:
    if folder.events.exists():
        reporter.stage("Events", f"{folder.events} is there")
        return
    reporter.stage(
        "Events", f"making {count:,} images: mixes of two to four training images, and altered copies of one"
    )
    limits = ImageLimits(settings.images.bytes_max, settings.images.pixels_max)
    with reporter.progress("making", count, "images") as advance:
        make_events(corpus, index.images, count, seed, limits, folder, advance)


def _credit(folder: DemoFolder, index: Index, settings: Settings, reporter: StageReporter) -> ReplaySummary:
    log = describe_file(folder.events)
    with closing(open_registry(settings.ledger)) as registry:
        registry.create(books=1)
        registry.register(log.topic, log.starts())
    lines = log.bounds[0].end
    reporter.stage("Credits", f"crediting {lines:,} records into {folder.ledger_url}")
    with closing(open_ledger(settings.ledger)) as ledger, reporter.progress("crediting", lines, "records") as advance:
        return replay(folder.events, index, ledger, folder.receipts, folder.dead_letters, settings, advance)
