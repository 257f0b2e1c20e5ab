"""From a corpus to what its files say of training, and the opt-outs among it."""

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gmv.corpus.port import Corpus, ImageFile, MissingImage
from gmv.errors import Poison
from gmv.imaging.decode import without_metadata
from gmv.imaging.formats import image_format
from gmv.rights.c2pa_reader import C2paReader, C2paUnread, has_manifest
from gmv.rights.licences import licence_of
from gmv.rights.plus import said_in, said_in_damaged
from gmv.rights.said import Said
from gmv.rights.training_mining import said_in_assertions
from gmv.rights.xmp import XmpRefused, read_xmp

_MEDIA_TYPES: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp"}
_NO_LIBRARY: Final = "the C2PA manifest was not read: pip install 'gmv[rights]'"


class ImageRights(NamedTuple):
    """What one image file says.

    Attributes:
        said: of training and mining.
        licence: None where none is stated.
        unread: why something of it could not be read.
    """

    said: tuple[Said, ...]
    licence: str | None
    unread: tuple[str, ...]

    @property
    def opts_out(self) -> bool:
        """Whether anything of it is an opt-out, whatever else is allowed."""
        return any(each.opts_out for each in self.said)


@dataclass(frozen=True, slots=True)
class Told:
    """What a corpus tells in columns of its own, by image id.

    Attributes:
        licences: go before what a file states.
        sources: where images are from.
    """

    licences: Mapping[str, str] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Tally:
    """What was counted over a corpus.

    Attributes:
        images: of the catalogue.
        opted_out: by image id, why.
        said: by sentence, images.
        licences: by licence, images; None for images that state none.
        sources: by where they are from, images; None where the corpus does not say.
        owners: by owner id, images.
        owners_opted_out: by owner id, images that are opted out.
        unread: by image id, why something of it could not be read.
    """

    images: int = 0
    opted_out: dict[str, str] = field(default_factory=dict)
    said: Counter[str] = field(default_factory=Counter)
    licences: Counter[str | None] = field(default_factory=Counter)
    sources: Counter[str | None] = field(default_factory=Counter)
    owners: Counter[str] = field(default_factory=Counter)
    owners_opted_out: Counter[str] = field(default_factory=Counter)
    unread: dict[str, str] = field(default_factory=dict)


def scan(
    corpus: Corpus,
    told: Told,
    reader: C2paReader | None,
    advance: Callable[[int], None],
    only: Collection[str] | None = None,
) -> Tally:
    """Look at all image files of a corpus; none is decoded.

    Args:
        corpus: of image files.
        told: by columns of the corpus.
        reader: of C2PA manifests; None where the library is not installed, and then each manifest is one unread.
        advance: called with 1 for each image.
        only: ids of the images that count; None: all.

    Raises:
        CorpusRefused: the corpus cannot be read.
    """
    tally = Tally()
    owner_of = {image.image_id: image.owner_id for image in corpus.catalogue().images}
    for image_id, rights in _each(corpus, reader, only):
        owner_id = owner_of[image_id]
        tally.images += 1
        tally.owners[owner_id] += 1
        tally.licences[told.licences.get(image_id, rights.licence)] += 1
        tally.sources[told.sources.get(image_id)] += 1
        tally.said.update({each.sentence() for each in rights.said})
        if rights.opts_out:
            tally.owners_opted_out[owner_id] += 1
            tally.opted_out[image_id] = "; ".join(each.sentence() for each in rights.said)
        if rights.unread:
            tally.unread[image_id] = "; ".join(rights.unread)
        advance(1)
    return tally


def _each(corpus: Corpus, reader: C2paReader | None, only: Collection[str] | None) -> Iterator[tuple[str, ImageRights]]:
    for image in corpus.images():
        if only is not None and image.image_id not in only:
            continue
        match image:
            case ImageFile(image_id, content):
                yield image_id, rights_of(content, reader)
            case MissingImage(image_id, why):
                yield image_id, ImageRights((), None, (why,))


def rights_of(content: bytes, reader: C2paReader | None) -> ImageRights:
    """Return what an image file says; of a damaged one, what can be told."""
    try:
        pixels = without_metadata(content)
    except Poison as poison:
        return ImageRights((), None, (poison.detail,))
    said: list[Said] = []
    unread: list[str] = []
    properties: Mapping[str, list[str]] = {}
    try:
        properties = read_xmp(pixels.xmp)
        said += said_in(properties)
    except XmpRefused as refused:
        said += said_in_damaged(pixels.xmp)
        unread.append(str(refused))
    if has_manifest(content):
        try:
            said += _said_in_manifest(content, reader)
        except C2paUnread as why:
            unread.append(str(why))
    return ImageRights(tuple(said), licence_of(properties, pixels.exif), tuple(unread))


def _said_in_manifest(content: bytes, reader: C2paReader | None) -> list[Said]:
    if reader is None:
        raise C2paUnread(_NO_LIBRARY)
    assertions, state = reader.assertions(_MEDIA_TYPES[str(image_format(content))], content)
    said = said_in_assertions(assertions)
    if state == "Invalid":  # whoever strips or alters a file breaks its signature, and does not allow anything by it
        return [Said(each.where, f"{each.what}, signature not valid", each.opts_out) for each in said]
    return said
