"""What an index's manifest gives reason to advise: tokens that are many or large, and a temperature out of place."""

from collections.abc import Iterator
from typing import Final

from gmv.index.groups import Undated
from gmv.index.manifest import Manifest

_TOKENS_ADVISED: Final = 64
_TOKENS_MAX: Final = 128
"""A re-rank of 100 candidates takes about 1 ms of 64 tokens, 10 of 196: time goes with the square to cube of them."""

_TOKEN_SIZE_ADVISED: Final = 64
_TOKEN_SIZE_MAX: Final = 128
_ROUNDING: Final = 0.01
_TEMPERATURE_FACTOR: Final = 4.0

WITHOUT_TEMPERATURE: Final = "leave the temperature out to have the index's own"


def bytes_per_image(manifest: Manifest) -> float:
    """Return what an index takes for an image, without the files of a network."""
    network = manifest.encoder.network
    kept = sum(entry.bytes for name, entry in manifest.files.items() if network is None or name not in network.files)
    return round(kept / manifest.corpus.images, 1)


def advice_on(manifest: Manifest) -> Iterator[str]:
    """Yield a sentence for each thing that its user may want otherwise."""
    if manifest.features is not None:
        yield from _sizes(manifest)
        if manifest.features.rounding > _ROUNDING:
            yield (
                f"float16, in which tokens are kept, rounds off {manifest.features.rounding:.1%} of how far they are "
                "apart: take their mean off all of them, or bring them to a length of about 1, in events as well"
            )
    if (misplaced := misplaced_temperature(manifest, manifest.defaults.temperature)) is not None:
        yield f"{misplaced}; {WITHOUT_TEMPERATURE}"


def misplaced_temperature(manifest: Manifest, temperature: float) -> str | None:
    """Say so where shares at a temperature are other than the corpus's distances suggest; None where they are not.

    Args:
        manifest: of the index.
        temperature: that is used with it.
    """
    neighbours = manifest.neighbours
    if neighbours is None or neighbours.spread <= 0:
        return None
    own = neighbours.own_temperature
    if own / _TEMPERATURE_FACTOR <= temperature <= own * _TEMPERATURE_FACTOR:
        return None
    outcome = "nearly evenly among ten, however near they are" if temperature > own else "nearly all to the nearest"
    return (
        f"the temperature is {temperature:g}, where {own:g} is a third of how far apart ten neighbours are in the unit "
        f"of these tokens: an event's credit goes {outcome}"
    )


def undated_copies(undated: Undated) -> str | None:
    """Say so where `earliest` cannot know who registered first; None where it can.

    Args:
        undated: of the index's groups.
    """
    told = []
    if undated.wholly:
        told.append(f"of {undated.wholly:,} no image has a date, so that the least image id is first")
    if undated.partly:
        told.append(f"of {undated.partly:,} only some images have one, so that the others are last")
    if not told:
        return None
    return (
        "`--copies earliest` pays who registered first, which the corpus does not tell (`registered`) of all groups of "
        f"near copies of several owners: {'; '.join(told)}. Bring dates and build the index again, or take `--copies "
        "even`"
    )


def _sizes(manifest: Manifest) -> Iterator[str]:
    tokens, size = manifest.encoder.tokens_shape
    too_many, too_large = tokens > _TOKENS_MAX, size > _TOKEN_SIZE_MAX
    if not (too_many or too_large):
        return
    left = min(tokens, _TOKENS_ADVISED if too_many else tokens), min(size, _TOKEN_SIZE_ADVISED if too_large else size)
    options = [f"--pool-tokens {left[0]}"] * too_many + [f"--token-size {left[1]}"] * too_large
    yield (
        f"{tokens:,} tokens of {size:,} numbers take {2 * tokens * size / 1e3:,.0f} kB an image, and a re-rank of many "
        f"is slow: {' and '.join(options)} would keep {2 * left[0] * left[1] / 1e3:,.0f} kB"
    )
