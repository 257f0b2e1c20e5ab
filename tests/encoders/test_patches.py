import numpy as np
import pytest
import torch

from gmv.encoders.patches import SIDE, fit_whitening, normalised_patches, patches_per_side
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


def test_whitened_patches_are_decorrelated() -> None:
    draw = torch.Generator().manual_seed(0)
    mixed = torch.randn(5_000, 8, generator=draw) @ (3 * torch.randn(8, 8, generator=draw)) + 5
    whitening = fit_whitening(mixed)
    covariance = torch.cov(whitening.apply(mixed).T, correction=0)

    assert torch.equal(whitening.matrix, whitening.matrix.T) or torch.allclose(whitening.matrix, whitening.matrix.T)
    assert torch.allclose(whitening.apply(mixed).mean(0), torch.zeros(8), atol=1e-3)
    # Variance v becomes v / (v + 0.1): 1 for all but the faintest directions.
    values = torch.linalg.eigvalsh(torch.cov(mixed.T, correction=0))
    assert torch.allclose(torch.linalg.eigvalsh(covariance).sort()[0], (values / (values + 0.1)).sort()[0], atol=1e-3)
    assert (covariance - torch.diag(covariance.diag())).abs().max() < 0.2


def test_patches_that_are_all_alike_are_whitened_to_zero() -> None:
    alike = torch.ones(4, 108)

    assert torch.allclose(fit_whitening(alike).apply(alike), torch.zeros(4, 108), atol=1e-4)
