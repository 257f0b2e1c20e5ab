"""Small pictures to encode, made up but not noise: blobs of colour with edges, as photographs have."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

WORKING_SIZE = 16


def picture(seed: int, height: int = WORKING_SIZE, width: int = WORKING_SIZE) -> NDArray[np.uint8]:
    """An image of its own for each seed."""
    draw = np.random.default_rng(seed)
    coarse = Image.fromarray(draw.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC), dtype=np.int64)
    smooth[height // 3 :, : width // 2] //= 2
    return (smooth * 7 // 8 + draw.integers(0, 32, smooth.shape)).astype(np.uint8)


def png(image: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    return file.getvalue()
