"""From a finished demo to what its report shows."""

from collections import Counter
from collections.abc import Mapping

from gmv import __version__
from gmv.assembly.parts import method_of
from gmv.corpus.port import Corpus
from gmv.demo.books import Books
from gmv.demo.events import generated_images
from gmv.demo.folder import DemoFolder
from gmv.demo.report import Story, pictured, shown
from gmv.demo.source_hits import SourceHits
from gmv.imaging.decode import ImageLimits
from gmv.index.opened import Index
from gmv.pages.thumbnails import thumbnail, training_thumbnails
from gmv.settings import Settings


def story_of(
    corpus: Corpus,
    index: Index,
    folder: DemoFolder,
    books: Books,
    hits: SourceHits,
    copies: SourceHits | None,
    settings: Settings,
) -> Story:
    """Gather pictures and figures; reads the corpus and the events file once."""
    featured, listed = shown(books.outcomes)
    offsets = {outcome.receipt["position"]["offset"] for outcome in featured + listed}
    images = index.images.images(range(len(index.images)))
    limits = ImageLimits(settings.images.bytes_max, settings.images.pixels_max)
    return Story(
        outcomes=books.outcomes,
        hits=hits,
        copies=copies,
        balances=books.balances,
        sums=books.sums,
        images_by_owner=Counter(image.owner_id for image in images),
        generated={name: thumbnail(file, limits) for name, file in generated_images(folder, offsets).items()},
        training=training_thumbnails(corpus, pictured(books.outcomes), limits),
        candidates=method_of(settings, index).candidates,
        facts=list(_facts(corpus, index, folder, books, settings).items()),
    )


def _facts(corpus: Corpus, index: Index, folder: DemoFolder, books: Books, settings: Settings) -> Mapping[str, str]:
    refused = ", ".join(f"{count} {reason}" for reason, count in sorted(books.reasons.items()))
    method = method_of(settings, index)
    return {
        "Training images": corpus.name,
        "Index": f"{folder.index} (id {index.index_id})",
        "Encoder": index.encoder.encoder_id,
        "Method": f"{method.candidates} recalled, {method.contributors} credited per event",
        "Events": f"{folder.events}, {books.events:,} records",
        "Ledger": folder.ledger_url,
        "Receipts": f"{folder.receipts}, {books.explanation.receipts:,} in {books.explanation.batches:,} batches",
        "Dead letters": f"{folder.dead_letters}: {refused}",
        "Repeated events": f"{books.sums.duplicates:,}, credited once",
        "Made by": f"gmv {__version__}",
    }
