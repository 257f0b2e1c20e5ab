"""Pixels as torch has them, and back."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


def to_torch(pixels: NDArray[np.uint8]) -> Tensor:
    """Return uint8 [b, side, side, channels] as float32 [b, channels, side, side] in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(pixels)).permute(0, 3, 1, 2).float() / 127.5 - 1


def to_pixels(images: Tensor) -> NDArray[np.uint8]:
    """Return float32 [b, channels, side, side], cut off at -1 and 1, as uint8 [b, side, side, channels]."""
    levels = ((images.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)
    return np.ascontiguousarray(levels.permute(0, 2, 3, 1).numpy())
