import numpy as np
import pytest
import torch

from gmv.encoders.patches import SIDE, normalised_patches, patches_per_side
from tests.encoders.pictures import picture


@pytest.mark.parametrize("stride", [1, 2])
def test_patches_are_cut_row_by_row_and_normalised(stride: int) -> None:
    image = picture(0)
    patches = normalised_patches(torch.from_numpy(image), stride).numpy()
    starts = range(0, 16 - SIDE + 1, stride)
    assert len(starts) == patches_per_side(16, stride)

    expected = []
    for row in starts:
        for column in starts:
            numbers = image[row : row + SIDE, column : column + SIDE].transpose(2, 0, 1).ravel().astype(np.float64)
            expected.append((numbers - numbers.mean()) / np.sqrt(numbers.var() + 10))

    np.testing.assert_allclose(patches, expected, rtol=1e-4, atol=1e-5)


def test_brightness_and_contrast_do_not_count() -> None:
    dark = picture(1) // 4
    bright = dark * 2 + 60
    one, other = (normalised_patches(torch.from_numpy(image), 2) for image in (dark, bright))

    assert torch.nn.functional.cosine_similarity(one, other).min() > 0.999


def test_a_flat_patch_is_all_zeros() -> None:
    assert not normalised_patches(torch.full((16, 16, 3), 200, dtype=torch.uint8), 2).any()
