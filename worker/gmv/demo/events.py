"""The demo's events: remixes and altered copies of indexed images as CloudEvents, and a file of what each is made of.

Every fifth is a copy: their source should earn nearly all, where a remix's sources can hardly all be found.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import orjson

from gmv.corpus.port import Corpus, image_files
from gmv.demo.faults import with_faults
from gmv.demo.folder import DemoFolder
from gmv.demo.remix import Recipe, copies, png, recipes, remixes
from gmv.events.cloudevents import decode
from gmv.events.encoding import structured
from gmv.events.model import GeneratedImage, ImageBytes
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.port import ImagesTable
from gmv.whole_file import whole_file, write_whole

SOURCE = "/gmv/demo/remix"  # CloudEvents source
_COPY_EVERY = 5
_AT_ONCE = 500  # events whose sources, up to 2,000 image files, are held at a time


def make_events(
    corpus: Corpus,
    images: ImagesTable,
    count: int,
    seed: int,
    limits: ImageLimits,
    folder: DemoFolder,
    progress: Callable[[int], None],
) -> None:
    """Write the sources file, then the events file; each is whole or not there.

    Args:
        corpus: to read the sources from, once per 500 events.
        images: the index's; what could not be indexed is no source.
        count: of generated images; the file has a few records more, see `with_faults`.
        seed: of the remix generator.
        limits: on the corpus's image files.
        folder: to write to.
        progress: called with the number of events made since the last call.
    """
    owner_by_image = {image.image_id: image.owner_id for image in images.images(range(len(images)))}
    made_of = planned(owner_by_image, count, seed)
    sources = {event_id(recipe): recipe.sources for recipe in made_of}
    write_whole(folder.sources, orjson.dumps(sources, option=orjson.OPT_INDENT_2))
    with whole_file(folder.events) as file:
        for line in with_faults(_lines(corpus, made_of, limits, progress), count):
            file.write(line + b"\n")


def generated_images(folder: DemoFolder, offsets: Collection[int]) -> dict[str, bytes]:
    """Return the image files of the events on these lines (counted from 0), by event id."""
    files: dict[str, bytes] = {}
    with folder.events.open("rb") as lines:
        for offset, line in enumerate(lines):
            if offset in offsets:
                event = decode(line)
                if isinstance(event.content, ImageBytes):
                    files[event.event_id] = event.content.content
    return files


def planned(owner_by_image: Mapping[str, str], count: int, seed: int) -> list[Recipe]:
    """Return what each event is made of, in order: four remixes, then an altered copy.

    Raises:
        CorpusRefused: the corpus has a single owner.
    """
    copied = count // _COPY_EVERY
    remixed = iter(recipes(owner_by_image, count - copied, seed))
    altered = iter(copies(owner_by_image, copied, seed))
    return [next(altered if number % _COPY_EVERY == 0 else remixed) for number in range(1, count + 1)]


def event_id(recipe: Recipe) -> str:
    """Return the CloudEvents id of a remix or an altered copy."""
    return f"{_model(recipe)}-{recipe.seed}-{recipe.number:05}"


def _model(recipe: Recipe) -> str:
    return "copy" if recipe.is_copy else "remix"


def _lines(
    corpus: Corpus, made_of: Sequence[Recipe], limits: ImageLimits, progress: Callable[[int], None]
) -> Iterator[bytes]:
    for start in range(0, len(made_of), _AT_ONCE):
        part = made_of[start : start + _AT_ONCE]
        wanted = {image_id for recipe in part for image_id in recipe.sources}
        files = {image.image_id: image.content for image in image_files(corpus) if image.image_id in wanted}
        for recipe in part:
            pictures = {image_id: decode_image(files[image_id], limits) for image_id in recipe.sources}
            (pixels,) = remixes([recipe], pictures)
            yield structured(GeneratedImage(SOURCE, event_id(recipe), ImageBytes(png(pixels)), model=_model(recipe)))
            progress(1)
