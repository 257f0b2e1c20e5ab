"""Where the features of a training image come from: an encoder that learns from the corpus, or the corpus itself."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.features import FeaturesCorpus, FeaturesShape, check_features, features_digest
from gmv.corpus.port import Corpus, CorpusImage, ImageFeatures, ImageFile, MissingImage, TrainingImage
from gmv.encoders import precomputed
from gmv.encoders.exact import descriptor
from gmv.encoders.exact.fitting import FittingSettings, fit_exact
from gmv.encoders.exact.storage import open_exact, to_bytes
from gmv.encoders.port import Encoder, MirroringEncoder, Numbers, check_unit_length
from gmv.encoders.precomputed import Precomputed
from gmv.encoders.reduced import TokenReductionSettings
from gmv.encoders.working_size import to_working_size
from gmv.errors import CorpusRefused, InvalidSettings, Poison, Reason
from gmv.imaging.decode import ImageLimits, decode_image
from gmv.index.manifest import ENCODER_FILE, EncoderEntry, NetworkEntry
from gmv.index.measured import MeasuredFeatures
from gmv.indexing.brought_features import BroughtFeatures, take_features
from gmv.indexing.memory import give_back
from gmv.indexing.progress import Progress
from gmv.indexing.sampling import drawn_ids
from gmv.indexing.workspace import Workspace

if TYPE_CHECKING:  # torch is loaded where a network needs it
    from gmv.indexing.pretrained import Pretrained

T = TypeVar("T")


class Seen(NamedTuple):
    """What was seen in a training image.

    Attributes:
        vector: float32 or int8 [D].
        tokens: float32 or int8 [n, d].
        digest: SHA-256 of the image file, or of the features that the corpus brought.
    """

    vector: Numbers
    tokens: Numbers
    digest: bytes


@dataclass(frozen=True, slots=True)
class FeatureSource:
    """An encoder as the manifest names it, and the way from a training image to its features.

    Attributes:
        entry: of the manifest.
        see: training image to features; raises `Poison` where it cannot. Called by several threads at once.
        mirror: the encoder, where it sees mirrored images, too; its features are integers.
        features: how large those are that the corpus brings, where it does.
    """

    entry: EncoderEntry
    see: Callable[[CorpusImage], Seen]
    mirror: MirroringEncoder | None = None
    features: MeasuredFeatures | None = None

    @property
    def token_scale(self) -> int:
        """What distances of tokens are divided by, for W1."""
        return self.mirror.token_scale if self.mirror else 1


def feature_source(
    workspace: Workspace,
    corpus: Corpus,
    catalogue: Sequence[TrainingImage],
    limits: ImageLimits,
    fitting: FittingSettings,
    progress: Progress,
    pretrained: "Pretrained | None" = None,
    reduction: TokenReductionSettings = TokenReductionSettings(),  # noqa: B008 - it is frozen
) -> FeatureSource:
    """Take the features that the corpus brings, or fit the encoder, or open the one that was fitted before.

    Raises:
        CorpusRefused: there is nothing to learn from.
        InvalidSettings: the corpus brings features, and a pretrained network is to make some.
    """
    if isinstance(corpus, FeaturesCorpus):
        if pretrained is not None:
            raise InvalidSettings(f"{corpus.name} brings features, so --encoder has no images to see; leave it out")
        brought = take_features(workspace, corpus, catalogue, reduction, progress)
        give_back()
        return FeatureSource(
            _entry(brought.kind, brought.encoder),
            lambda image: _from_features(image, brought),
            features=brought.measured,
        )
    path = workspace.folder / ENCODER_FILE
    if not path.exists():
        with progress("fitting the encoder", None, "") as advance:
            ids = drawn_ids(catalogue, pretrained.reduction.images if pretrained else fitting.images, fitting.seed)
            if pretrained is None:
                shrunk = _sample(corpus, ids, limits, lambda image: to_working_size(image, fitting.working_size))
                workspace.write(ENCODER_FILE, to_bytes(fit_exact(shrunk, fitting)))
            else:
                pretrained.write(workspace, _sample(corpus, ids, limits, pretrained.activations))
            advance(1)
        give_back()
    if pretrained is None:
        return _from_images(descriptor.KIND, open_exact(path), limits)
    return _from_images(pretrained.backbone.kind, pretrained.open(path), limits, pretrained.entry())


def kept_source(
    entry: EncoderEntry, encoder: Encoder, features: MeasuredFeatures | None, corpus: Corpus, limits: ImageLimits
) -> FeatureSource:
    """Take the encoder of an index, for images that are added to it; or features that are of the same encoder.

    Args:
        entry: of the index.
        encoder: of the index.
        features: of the index, where its corpus brought some and no earlier gmv built it.
        corpus: what is added.
        limits: of images.

    Raises:
        InvalidSettings: the corpus brings images and the index holds features of others, or the other way round.
        CorpusRefused: the corpus's features are of another shape.
    """
    if not isinstance(corpus, FeaturesCorpus):
        if isinstance(encoder, Precomputed):
            raise InvalidSettings(f"the index holds features of {entry.id!r}; give Parquet files that hold some, too")
        return replace(_from_images(entry.kind, encoder, limits), entry=entry)
    if corpus.encoder_id != entry.id or not isinstance(encoder, Precomputed):
        raise InvalidSettings(f"the features are of {corpus.encoder_id!r}, those of the index of {entry.id!r}")
    features = features or MeasuredFeatures(tokens_shape=entry.tokens_shape, token_length=0.0, rounding=0.0)
    expected, found = FeaturesShape(entry.vector_size, *features.tokens_shape), corpus.shape
    if found != expected:
        raise CorpusRefused(
            f"{corpus.name} holds vectors of {found.vector_size} and {found.tokens} tokens of {found.token_size}; the "
            f"index has {expected.vector_size}, {expected.tokens} and {expected.token_size}"
        )
    brought = BroughtFeatures(expected, encoder, features)
    return FeatureSource(entry, lambda image: _from_features(image, brought))


def _from_features(image: CorpusImage, brought: BroughtFeatures) -> Seen:
    if not isinstance(image, ImageFeatures):
        raise Poison(Reason.INVALID_FEATURES, "no features, where the corpus has some for all other images")
    check_features(image, brought.shape)
    check_unit_length(image.vector)
    return Seen(image.vector, brought.reduced(image.tokens), features_digest(image))


def _from_images(
    kind: str, encoder: Encoder, limits: ImageLimits, network: NetworkEntry | None = None
) -> FeatureSource:
    def see(image: CorpusImage) -> Seen:
        content = _content(image)
        features = encoder.encode([decode_image(content, limits)])
        return Seen(features.vectors[0], features.tokens[0], hashlib.sha256(content).digest())

    mirror = encoder if isinstance(encoder, MirroringEncoder) else None
    return FeatureSource(_entry(kind, encoder, network), see, mirror)


def _content(image: CorpusImage) -> bytes:
    match image:
        case ImageFile(_, content):
            return content
        case MissingImage(_, why):
            raise Poison(Reason.IMAGE_UNREACHABLE, why)
        case ImageFeatures():
            raise Poison(Reason.INVALID_FEATURES, "features where image files are expected")


def _entry(kind: str, encoder: Encoder, network: NetworkEntry | None = None) -> EncoderEntry:
    return EncoderEntry(
        kind=kind,
        id=encoder.encoder_id,
        has_parameters=kind != precomputed.KIND,
        vector_size=encoder.vector_size,
        tokens_shape=encoder.tokens_shape,
        exact=isinstance(encoder, MirroringEncoder),
        network=network,
    )


def _sample(corpus: Corpus, drawn: set[str], limits: ImageLimits, prepare: Callable[[NDArray[np.uint8]], T]) -> list[T]:
    """Read those of the drawn images that are sound; damaged ones are named later.

    Args:
        corpus: where they are.
        drawn: their ids.
        limits: of images.
        prepare: makes of pixels what is learnt from, so that no image is held whole: 4,000 of 32 pixels take 12 MB.

    Returns:
        What was prepared, in order of image id.
    """
    sound, complaints = {}, []
    for image in corpus.images():
        if image.image_id in drawn:
            try:
                sound[image.image_id] = prepare(decode_image(_content(image), limits))
            except Poison as poison:
                complaints.append(f"{image.image_id}: {poison.detail}")
    if not sound:
        first = complaints[0] if complaints else "the corpus changed while it was read"
        raise CorpusRefused(
            f"{corpus.name}: of {len(drawn):,} images drawn, none is a sound PNG, JPEG or WEBP ({first})"
        )
    return [sound[image_id] for image_id in sorted(sound)]
