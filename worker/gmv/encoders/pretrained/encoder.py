"""A network of somebody else's as an encoder of gmv."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.port import Encoder, Features
from gmv.encoders.pretrained.backbone import Backbone
from gmv.encoders.pretrained.reduction import Reduction


class PretrainedEncoder(Encoder):
    """An `Encoder`. Images are encoded one by one, so that no batch changes a bit.

    Networks compute in floating point: the same image gives the same bits on one machine with the same libraries, and
    may give other last bits on another.
    """

    def __init__(self, encoder_id: str, backbone: Backbone, reduction: Reduction) -> None:
        self._encoder_id = encoder_id
        self._backbone = backbone
        self._reduction = reduction

    @property
    @override
    def encoder_id(self) -> str:
        return self._encoder_id

    @property
    def backbone(self) -> Backbone:
        """The network inside."""
        return self._backbone

    @property
    @override
    def vector_size(self) -> int:
        return self._reduction.vector_size

    @property
    @override
    def tokens_shape(self) -> tuple[int, int]:
        return self._reduction.tokens_shape

    @torch.inference_mode()
    @override
    def encode(self, images: Sequence[NDArray[np.uint8]]) -> Features:
        """Return tokens rounded to what float16 holds, as the index stores them.

        Raises:
            Poison: the network's output for one of the images is not finite.
        """
        vectors = np.empty((len(images), self.vector_size), np.float32)
        tokens = np.empty((len(images), *self.tokens_shape), np.float32)
        for place, image in enumerate(images):
            vector, token_set = self._reduction.apply(self._backbone.run(image))
            vectors[place] = vector.numpy()
            tokens[place] = token_set.numpy()
        return Features(vectors, tokens)
