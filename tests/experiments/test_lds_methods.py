"""Ways to score training images, each against what it comes to by hand, by a loop or by theory."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

from gmv.experiments.attributing import Nearest
from gmv.experiments.generators.diffusion.dense import Dense, DenseSize
from gmv.experiments.generators.diffusion.losses import Probes, denoising_losses, probes
from gmv.experiments.generators.diffusion.process import signal_shares
from gmv.experiments.lds.credits import nearness, shares
from gmv.experiments.lds.gradients import OUTPUTS, gradient_features, kernel_scores, project, random_signs
from gmv.experiments.lds.patches import patch_weights
from gmv.experiments.lds.similarity import first_alone, pixel_cosines, pixel_nearness, random_scores
from tests.experiments.world import CLASSES, SIDE, shapes

AMONG = np.array([2, 5, 7])
NEAREST = Nearest(np.array([[5, 2, 7], [7, 5, -1]]), np.array([[0.0, math.log(3), 4.0], [1.0, 2.0, np.inf]]))
SHAPE = (1, SIDE, SIDE)
SHARES = signal_shares(20)


def test_credit_is_shared_among_the_first_k_and_others_have_none():
    found = shares(NEAREST, AMONG, 2, 1.0)
    assert found[0].tolist() == pytest.approx([1 / 4, 3 / 4, 0])
    assert found[1].tolist() == pytest.approx([0, 1 / (1 + math.e), math.e / (1 + math.e)])
    assert shares(NEAREST, AMONG, 2, 0.5)[0].tolist() == pytest.approx([1 / 10, 9 / 10, 0])
    assert shares(NEAREST, AMONG, 3, 1.0).sum(1) == pytest.approx([1, 1])


def test_distances_are_put_where_their_images_are():
    """An image that is not among the nearest is as far as the last of them."""
    assert nearness(NEAREST, AMONG).tolist() == [[-math.log(3), 0, -4], [-2, -2, -1]]


def test_pixels_by_hand():
    grey, black, white = (np.full((1, 1, 2, 1), level, np.uint8) for level in (128, 0, 255))
    half = np.array([0, 255], np.uint8).reshape(1, 1, 2, 1)
    cosines = pixel_cosines(np.concatenate([white, half]), np.concatenate([white, black, half, grey]))
    np.testing.assert_allclose(cosines, [[1, -1, 0, 1], [0, 0, 1, 0]], atol=1e-12)
    distances = pixel_nearness(white, np.concatenate([white, black, half]))
    assert distances[0].tolist() == pytest.approx([0, -2 * math.sqrt(2), -2])


def test_the_highest_count_alike_and_others_nothing():
    scores = np.array([[-3.0, -1, -2, -1], [5, 5, 5, 6]])
    assert first_alone(scores, 2).tolist() == [[0, 1, 0, 1], [1, 0, 0, 1]]
    assert first_alone(scores, 9).tolist() == [[1] * 4] * 2


def test_random_scores_are_those_of_their_seed():
    assert random_scores(2, 3, 1).tolist() == random_scores(2, 3, 1).tolist()
    assert random_scores(2, 3, 1).tolist() != random_scores(2, 3, 2).tolist()


def likelihoods(asked: np.ndarray, known: np.ndarray, share: float) -> np.ndarray:
    """Of what is asked, noisy already, being each of the known patches made noisy."""
    apart = ((asked - math.sqrt(share) * known) ** 2).sum(-1)
    each = np.exp(-apart / (2 * (1 - share)))
    return each / each.sum()


def test_patches_of_one_pixel_by_hand():
    """Without a border, each pixel is compared with all pixels of all images, whatever their places."""
    random = np.random.default_rng(0)
    generated, training = (random.integers(0, 256, (count, 2, 2, 1), dtype=np.uint8) for count in (3, 4))
    share = 0.6
    noise = torch.randn((3, 1, 2, 2), generator=torch.Generator().manual_seed(8)).permute(0, 2, 3, 1).numpy()
    noisy = math.sqrt(share) * (generated / 127.5 - 1) + math.sqrt(1 - share) * noise
    known = (training / 127.5 - 1).reshape(-1, 1)
    expected = [
        np.mean([likelihoods(pixel, known, share).reshape(4, 4).sum(1) for pixel in image.reshape(-1, 1)], axis=0)
        for image in noisy
    ]
    found = patch_weights(generated, training, 8, patch=1, signal_shares=[share])
    np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_patches_weigh_a_copy_most_and_all_weight_is_given():
    images = shapes().pixels
    weights = patch_weights(images[:5], images, 0, signal_shares=[0.98])
    np.testing.assert_allclose(weights.sum(1), 1, rtol=1e-5)
    assert weights.argmax(1).tolist() == [0, 1, 2, 3, 4]


def test_patches_at_a_border_are_compared_with_those_at_that_border():
    """In images of 3 x 3, patches of 3 x 3 lack other pixels at each place: each has its own place in all images."""
    random = np.random.default_rng(0)
    generated, training = (random.integers(0, 256, (count, 3, 3, 1), dtype=np.uint8) for count in (1, 5))
    share = 0.5
    noise = torch.randn((1, 1, 3, 3), generator=torch.Generator().manual_seed(2))[0, 0].numpy()
    noisy = math.sqrt(share) * (generated[0, :, :, 0] / 127.5 - 1) + math.sqrt(1 - share) * noise
    known = training[..., 0] / 127.5 - 1
    expected = np.zeros(5)
    for row in range(3):
        for column in range(3):
            seen = np.s_[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            expected += likelihoods(noisy[seen].ravel(), known[:, *seen].reshape(5, -1), share) / 9
    np.testing.assert_allclose(
        patch_weights(generated, training, 2, patch=3, signal_shares=[share])[0], expected, rtol=1e-4
    )


@pytest.fixture
def network() -> Dense:
    torch.manual_seed(1)
    return Dense(DenseSize(width=8, blocks=1), SHAPE, CLASSES)


ASKED = probes(5, SHARES, SHAPE, 3)


def test_probes_are_spread_over_the_process():
    assert ASKED.times.tolist() == [1, 6, 10, 15, 20]
    assert (ASKED.noise != probes(5, SHARES, SHAPE, 4).noise).any()
    torch.testing.assert_close(ASKED.noise, probes(5, SHARES, SHAPE, 3).noise)


class Knowing(nn.Module):
    """Tells the true noise of one image; of another it is wrong by their difference, in units of noise."""

    def __init__(self, image: torch.Tensor) -> None:
        super().__init__()
        self.image = image

    def forward(self, noisy: torch.Tensor, times: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        share = SHARES[(times * 20).round().long()].float()[:, None, None, None]
        return (noisy - share.sqrt() * self.image) / (1 - share).sqrt()


def test_a_network_that_knows_the_image_has_no_loss_and_of_another_the_signal_between_them():
    images = torch.rand(2, *SHAPE)
    losses = denoising_losses(Knowing(images[0]), images, torch.zeros(2, dtype=torch.long), ASKED)
    signal = SHARES[ASKED.times] / (1 - SHARES[ASKED.times])
    apart = (images[1] - images[0]).square().mean()
    assert losses[0].item() == pytest.approx(0, abs=1e-8)
    assert losses[1].item() == pytest.approx(float(signal.mean() * apart), rel=1e-4)


def outputs(network: nn.Module, image: torch.Tensor, label: torch.Tensor, output: str) -> torch.Tensor:
    told = network(ASKED.noisy(image), ASKED.times / 20, label.expand(5))
    return ((told - ASKED.noise) if output == "loss" else told).square().mean()


@pytest.mark.parametrize("output", OUTPUTS)
def test_gradients_are_those_of_each_image_alone(network, output):
    """By autograd, image by image; the projection is the identity, so that all of them are seen."""
    images, labels = torch.rand(4, *SHAPE), torch.tensor([0, 1, 2, 0])
    count = sum(each.numel() for each in network.parameters())
    found = gradient_features(network, images, labels, ASKED, output, torch.eye(count, dtype=torch.int8))
    for image, label, features in zip(images, labels, found, strict=True):
        network.zero_grad()
        outputs(network, image, label, output).backward()
        expected = torch.cat([each.grad.flatten() for each in network.parameters() if each.grad is not None])
        torch.testing.assert_close(features, expected, atol=1e-6, rtol=1e-4)


def test_a_loss_is_the_function_whose_gradient_is_taken(network):
    images, labels = torch.rand(2, *SHAPE), torch.tensor([0, 1])
    expected = [outputs(network, image, label, "loss").item() for image, label in zip(images, labels, strict=True)]
    assert denoising_losses(network, images, labels, ASKED).tolist() == pytest.approx(expected, rel=1e-5)


def test_a_projection_of_signs_keeps_inner_products():
    signs = random_signs(10_000, 4_000, 0)
    assert signs.unique().tolist() == [-1, 1]
    gradients = torch.randn(2, 10_000, generator=torch.Generator().manual_seed(1))
    gradients[1] += gradients[0]
    projected = project(gradients, signs)
    torch.testing.assert_close(projected, gradients @ signs.float(), rtol=1e-3, atol=1e-1)
    kept = (projected @ projected.T) / 4_000 / (gradients @ gradients.T)
    torch.testing.assert_close(kept, torch.ones(2, 2), atol=0.1, rtol=0)


def leave_one_out(known: np.ndarray, targets: np.ndarray, asked: np.ndarray) -> Callable[[int], float]:
    """What a least-squares prediction of `asked` changes by if a training row is left out."""

    def fit(rows: np.ndarray) -> float:
        weights, *_ = np.linalg.lstsq(known[rows], targets[rows], rcond=None)
        return float(asked @ weights)

    every = np.arange(len(known))
    return lambda left_out: fit(every) - fit(np.delete(every, left_out))


def test_the_kernel_is_what_leaves_one_out_of_a_linear_model():
    """TRAK's theorem: score x residual / (1 - leverage) is the change of a linear regression, without a ridge."""
    random = np.random.default_rng(0)
    known, targets, asked = random.normal(size=(12, 4)), random.normal(size=12), random.normal(size=4)
    scores = kernel_scores(torch.from_numpy(asked[None]), torch.from_numpy(known), ridge=0)[0]
    leverages = kernel_scores(torch.from_numpy(known), torch.from_numpy(known), ridge=0).diagonal()
    residuals = targets - known @ np.linalg.lstsq(known, targets, rcond=None)[0]
    change = leave_one_out(known, targets, asked)
    expected = [change(row) for row in range(12)]
    assert (scores * residuals / (1 - leverages)).tolist() == pytest.approx(expected)


def test_a_ridge_is_in_units_of_the_mean_eigenvalue():
    features = torch.diag(torch.tensor([1.0, 2.0, 3.0]))
    found = kernel_scores(features, features, ridge=0.3)
    mean = (1 + 4 + 9) / 3
    assert found.diagonal().tolist() == pytest.approx([square / (square + 0.3 * mean) for square in (1, 4, 9)])


def test_probes_need_no_gradient(network):
    assert isinstance(ASKED, Probes)
    assert not denoising_losses(network, torch.rand(1, *SHAPE), torch.tensor([0]), ASKED).requires_grad
