"""Features that a corpus brings: a sample of them measured, and all of them reduced where that is wanted."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from gmv.corpus.features import FeaturesCorpus, FeaturesShape, check_features
from gmv.corpus.port import TrainingImage
from gmv.encoders import precomputed, reduced
from gmv.encoders.precomputed import Precomputed
from gmv.encoders.reduced import ReducedFeatures, TokenReductionSettings
from gmv.errors import CorpusRefused, InvalidSettings, Poison
from gmv.events.wire import TOKENS_MAX
from gmv.index.manifest import ENCODER_FILE
from gmv.index.measured import MeasuredFeatures
from gmv.indexing.progress import Progress
from gmv.indexing.sampling import drawn_ids
from gmv.indexing.workspace import Workspace
from gmv.valuation.wasserstein.cost import TOKEN_SIZE_MAX

if TYPE_CHECKING:  # torch is loaded where tokens are reduced
    from gmv.encoders.token_reduction import TokenReduction

_ROUNDING_MAX: Final = 0.1
"""Of how far tokens are apart. Beyond it the order of neighbours is float16's more and more, and not the encoder's."""

_SAMPLE_IMAGES: Final = 2_000
_SAMPLE_NUMBERS: Final = 25_000_000  # 100 MB; 2,000 images of 256 x 384 would take 786
_SAMPLE_IMAGES_MIN: Final = 100
_SEED: Final = 0
_NORMAL_MIN: Final = float(np.finfo(np.float16).smallest_normal)

Tokens = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class BroughtFeatures:
    """Features of a corpus as an index takes them.

    Attributes:
        shape: of all of them, as they are brought.
        encoder: that names them.
        measured: how large they are.
    """

    shape: FeaturesShape
    encoder: Precomputed
    measured: MeasuredFeatures

    @property
    def kind(self) -> str:
        """Of the encoder."""
        return reduced.KIND if isinstance(self.encoder, ReducedFeatures) else precomputed.KIND

    def reduced(self, tokens: Tokens) -> Tokens:
        """Return what the index keeps of float32 [n, d]. Raises as `TokenReduction.apply`."""
        return self.encoder.reduced(tokens) if isinstance(self.encoder, ReducedFeatures) else tokens


def take_features(
    workspace: Workspace,
    corpus: FeaturesCorpus,
    catalogue: Sequence[TrainingImage],
    settings: TokenReductionSettings,
    progress: Progress,
) -> BroughtFeatures:
    """Measure a sample, and learn from it how tokens are reduced; or find what was learnt before.

    Raises:
        CorpusRefused: no features of the sample are sound, or their scale is none that float16 keeps apart.
        InvalidSettings: there are more tokens, or numbers in one, than can be compared, or they are no grid.
    """
    shape = corpus.shape
    path = workspace.folder / ENCODER_FILE
    noted = [MeasuredFeatures.model_validate(entry["features"]) for entry in workspace.journal if "features" in entry]
    if not noted:
        with progress("measuring features", None, "") as advance:
            sample = _sample(corpus, catalogue, shape)
            reduction = _fitted(sample, settings) if settings.is_wanted else None
            _check_sizes(reduction.shape(*shape[1:]) if reduction else shape[1:])
            noted = [_measured(sample, reduction, shape)]
            _check_scale(noted[0], corpus.name)
            if reduction is not None:
                from gmv.encoders.reduced_storage import to_bytes

                learnt = ReducedFeatures(corpus.encoder_id, shape.vector_size, shape[1:], reduction)
                workspace.write(ENCODER_FILE, to_bytes(learnt))
            workspace.note({"features": noted[0].model_dump(mode="json")})
            advance(1)
    if settings.is_wanted:
        from gmv.encoders.reduced_storage import open_reduced

        return BroughtFeatures(shape, open_reduced(path, corpus.encoder_id, shape.vector_size), noted[0])
    return BroughtFeatures(shape, Precomputed(corpus.encoder_id, shape.vector_size, shape[1:]), noted[0])


def _sample(corpus: FeaturesCorpus, catalogue: Sequence[TrainingImage], shape: FeaturesShape) -> list[Tokens]:
    """Return the tokens of those of the drawn images that are sound, in order of image id."""
    affordable = _SAMPLE_NUMBERS // (shape.tokens * shape.token_size)
    drawn = drawn_ids(catalogue, min(_SAMPLE_IMAGES, max(_SAMPLE_IMAGES_MIN, affordable)), _SEED)
    sound, complaints = {}, []
    for image in corpus.images():
        if image.image_id in drawn:
            try:
                check_features(image, shape)
                sound[image.image_id] = image.tokens
            except Poison as poison:
                complaints.append(f"{image.image_id}: {poison.detail}")
    if not sound:
        raise CorpusRefused(f"{corpus.name}: of {len(drawn):,} rows drawn, none has sound features ({complaints[0]})")
    return [sound[image_id] for image_id in sorted(sound)]


def _fitted(sample: Sequence[Tokens], settings: TokenReductionSettings) -> "TokenReduction":
    from gmv.encoders.token_reduction import fit_token_reduction

    try:
        reduction = fit_token_reduction(sample, settings)
        reduction.unrounded(sample[0])
    except Poison as poison:
        raise InvalidSettings(f"--pool-tokens: {poison.detail}") from poison
    return reduction


def _check_sizes(tokens_shape: tuple[int, int]) -> None:
    tokens, size = tokens_shape
    if tokens > TOKENS_MAX:
        raise InvalidSettings(
            f"the corpus has {tokens:,} tokens an image, and {TOKENS_MAX:,} can be compared; average them to fewer by "
            "--pool-tokens 64"
        )
    if size > TOKEN_SIZE_MAX:
        raise InvalidSettings(
            f"tokens of the corpus have {size:,} numbers, and {TOKEN_SIZE_MAX:,} can be compared; project them to "
            "fewer by --token-size 64"
        )


def _measured(sample: Sequence[Tokens], reduction: "TokenReduction | None", shape: FeaturesShape) -> MeasuredFeatures:
    lengths = np.concatenate([np.sqrt(np.square(tokens.astype(np.float64)).sum(axis=1)) for tokens in sample])
    kept = [reduction.unrounded(tokens) for tokens in sample] if reduction else sample
    mean = np.mean([tokens.mean(axis=0, dtype=np.float64) for tokens in kept], axis=0)
    apart = sum(float(np.square(tokens - mean).sum()) for tokens in kept)
    lost = sum(float(np.square(tokens - tokens.astype(np.float16).astype(np.float64)).sum()) for tokens in kept)
    return MeasuredFeatures(
        tokens_shape=(shape.tokens, shape.token_size),
        token_length=float(f"{np.median(lengths):.3g}"),
        rounding=float(f"{math.sqrt(lost / apart):.3g}") if apart else 0.0,
    )


def _check_scale(measured: MeasuredFeatures, corpus: str) -> None:
    if measured.rounding <= _ROUNDING_MAX:
        return
    too_small = measured.token_length < _NORMAL_MIN * 2**10
    what = (
        "multiply all of them by one factor, so that they have a length of about 1"
        if too_small
        else ("take their mean off all of them, since it is so much larger than what they differ by")
    )
    raise CorpusRefused(
        f"{corpus}: float16, in which an index keeps tokens, rounds off {measured.rounding:.0%} of how far these are "
        f"apart, of a length of {measured.token_length:g} in the median; {what}, in events as well"
    )
