"""Square patches of an image, made comparable: brightness and contrast taken out, then decorrelated (ZCA).

After Coates, Lee and Ng, *An Analysis of Single-Layer Networks in Unsupervised Feature Learning*, AISTATS 2011.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor

SIDE = 6
"""Of a patch, in pixels."""

_VARIANCE_FLOOR = 10.0  # of pixel values in [0, 255]: the noise of a flat patch is not blown up to full contrast


def normalised_patches(image: Tensor, stride: int) -> Tensor:
    """Cut an image into patches with mean 0 and variance about 1 each.

    Args:
        image: uint8 [side, side, 3].
        stride: in pixels, from one patch to the next.

    Returns:
        float32 [patches, 3 x SIDE x SIDE], row by row from the upper left.
    """
    planes = image.permute(2, 0, 1).unsqueeze(0).float()
    cut = F.unfold(planes, SIDE, stride=stride)[0].T
    centred = cut - cut.mean(-1, keepdim=True)
    return centred / torch.sqrt(centred.square().mean(-1, keepdim=True) + _VARIANCE_FLOOR)


def patches_per_side(side: int, stride: int) -> int:
    """Return how many patches lie next to each other along an image's side."""
    return (side - SIDE) // stride + 1


@dataclass(frozen=True, slots=True)
class Whitening:
    """An affine map that decorrelates patches and turns them as little as can be (ZCA).

    Attributes:
        matrix: float32 [p, p], symmetric.
        offset: float32 [p].
    """

    matrix: Tensor
    offset: Tensor

    def apply(self, patches: Tensor) -> Tensor:
        """Whiten float32 [n, p]."""
        return patches @ self.matrix + self.offset
