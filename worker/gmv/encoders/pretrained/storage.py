"""A pretrained encoder's parameters as a safetensors file: which network, and what the corpus taught about it."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import orjson
import torch
from safetensors.torch import load, save
from torch import Tensor

from gmv.encoders.parameter_file import digest_of, read_parameters
from gmv.encoders.pretrained.backbone import ActivationsShape, Backbone
from gmv.encoders.pretrained.backbones import KINDS, open_backbone
from gmv.encoders.pretrained.encoder import PretrainedEncoder
from gmv.encoders.pretrained.reduction import Reduction
from gmv.encoders.projection import Projection
from gmv.errors import IndexRefused, InvalidSettings


class _Stated(NamedTuple):
    """What a parameters file says of the network."""

    kind: str
    sha256: str
    options: dict[str, Any]


def to_bytes(backbone: Backbone, reduction: Reduction) -> bytes:
    """Return the file; the same network and reduction give the same bytes."""
    return save(_tensors(backbone, reduction))


def open_pretrained(parameters: Path) -> PretrainedEncoder:
    """Open a pretrained encoder; its id holds a digest of weights, options and all parameters.

    Args:
        parameters: the file; beside it are those of the network that the index keeps.

    Raises:
        IndexRefused: a file is missing, damaged, or not such an encoder's; or the weights are others.
        PackagesMissing: a package that runs the network, or brings its weights, is not installed.
    """
    tensors = read_parameters(parameters, load)
    stated, reduction = _stated(tensors, parameters), _reduction(tensors, parameters)
    try:
        backbone = open_backbone(stated.kind, parameters.parent, stated.options)
    except InvalidSettings as wrong:
        raise IndexRefused(f"{parameters.parent}: {wrong}; build the index again") from wrong
    if backbone.origin.sha256 != stated.sha256:
        raise IndexRefused(
            f"{backbone.origin.name} has weights of SHA-256 {backbone.origin.sha256[:16]}…, the index was built with "
            f"{stated.sha256[:16]}…; install or copy those, or build the index again"
        )
    if not _fits(reduction, backbone.shape):
        raise IndexRefused(f"{parameters} does not fit {backbone.origin.name}; build the index again")
    digest = digest_of({name: tensor.numpy() for name, tensor in tensors.items()})
    return PretrainedEncoder(f"{stated.kind}@{digest}", backbone, reduction)


def _tensors(backbone: Backbone, reduction: Reduction) -> dict[str, Tensor]:
    """By name; what is text is a tensor of bytes, since safetensors writes metadata in no fixed order."""
    stated = _Stated(backbone.kind, backbone.origin.sha256, dict(backbone.options))
    text = orjson.dumps(stated._asdict(), option=orjson.OPT_SORT_KEYS)
    named = {"network": torch.from_numpy(np.frombuffer(text, np.uint8).copy()), "grid": torch.tensor(reduction.grid)}
    for name, projection in {"vector": reduction.vector, "token": reduction.token}.items():
        named |= {f"{name}.mean": projection.mean, f"{name}.matrix": projection.matrix}
    return named


def _stated(tensors: dict[str, Tensor], path: Path) -> _Stated:
    try:
        stated = _Stated(**orjson.loads(tensors["network"].numpy().tobytes()))
    except (KeyError, TypeError, ValueError):
        stated = None
    if stated is None or stated.kind not in KINDS or not isinstance(stated.options, dict):
        raise IndexRefused(f"{path} names no network that this gmv runs; build the index again")
    return stated


def _reduction(tensors: dict[str, Tensor], path: Path) -> Reduction:
    try:
        reduction = Reduction(
            grid=tensors["grid"].numpy().astype(np.int64, casting="safe").item(),
            vector=Projection(tensors["vector.mean"], tensors["vector.matrix"]),
            token=Projection(tensors["token.mean"], tensors["token.matrix"]),
        )
        sound = reduction.grid > 0 and all(_is_sound(each) for each in (reduction.vector, reduction.token))
    except (KeyError, TypeError, ValueError, RuntimeError):
        sound = False
    if not sound:
        raise IndexRefused(f"{path} does not hold a pretrained encoder; build the index again")
    return reduction


def _is_sound(projection: Projection) -> bool:
    """Whether it is one, of finite numbers in float32."""
    mean, matrix = projection.mean, projection.matrix
    return (
        mean.ndim == 1
        and matrix.ndim == 2
        and matrix.shape[0] == len(mean)
        and matrix.shape[1] > 0
        and mean.dtype == matrix.dtype == torch.float32
        and bool(torch.isfinite(mean).all() and torch.isfinite(matrix).all())
    )


def _fits(reduction: Reduction, shape: ActivationsShape) -> bool:
    sizes = len(reduction.vector.mean), len(reduction.token.mean)
    return sizes == (shape.vector, shape.channels) and reduction.grid <= shape.side
