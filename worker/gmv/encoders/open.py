"""From what a manifest says of an encoder to the encoder."""

from collections.abc import Callable
from pathlib import Path

from gmv.encoders import precomputed
from gmv.encoders.exact import descriptor as exact
from gmv.encoders.exact.storage import open_exact
from gmv.encoders.port import Encoder
from gmv.encoders.precomputed import Precomputed
from gmv.errors import IndexRefused, PackagesMissing


def open_encoder(
    kind: str, encoder_id: str, parameters: Path | None, vector_size: int, tokens_shape: tuple[int, int]
) -> Encoder:
    """Open an encoder and check that it is the one meant.

    Args:
        kind: which program.
        encoder_id: which parameters.
        parameters: their file; None where the kind has none.
        vector_size: D.
        tokens_shape: (n, d).

    Raises:
        IndexRefused: the kind is unknown, or the parameters are missing, damaged or another encoder's.
        PackagesMissing: a package that computes it, or brings a network's weights, is not installed.
    """
    if kind == precomputed.KIND:
        return Precomputed(encoder_id, vector_size, tokens_shape)
    opener = open_exact if kind == exact.KIND else _others(kind, encoder_id, vector_size).get(kind)
    if opener is None or parameters is None:
        raise IndexRefused(f"the index needs an encoder {kind!r}, which this gmv does not have; build it again")
    encoder = opener(parameters)
    found = (encoder.encoder_id, encoder.vector_size, encoder.tokens_shape)
    if found != (encoder_id, vector_size, tokens_shape):
        raise IndexRefused(f"{parameters} is {found[0]}, but the index was built by {encoder_id}; build it again")
    return encoder


def _others(kind: str, encoder_id: str, vector_size: int) -> dict[str, Callable[[Path], Encoder]]:
    """Return what opens encoders that torch computes: it takes two seconds to import, and 200 MB."""
    try:
        from gmv.encoders import descriptor, reduced
        from gmv.encoders.pretrained.backbones import KINDS
        from gmv.encoders.pretrained.storage import open_pretrained
        from gmv.encoders.reduced_storage import open_reduced
        from gmv.encoders.storage import open_descriptor
    except ModuleNotFoundError as missing:
        raise PackagesMissing(
            f"the index needs an encoder {kind!r}, and that {missing.name}, which is not installed: "
            "pip install 'gmv[worker,torch]'"
        ) from missing
    return {
        **dict.fromkeys(KINDS, open_pretrained),
        descriptor.KIND: open_descriptor,
        reduced.KIND: lambda path: open_reduced(path, encoder_id, vector_size),
    }
