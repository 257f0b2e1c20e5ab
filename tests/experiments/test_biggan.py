"""BigGAN's parts against what its papers say of them."""

import math

import pytest
import torch

from gmv.experiments.generators.biggan.family import truncated
from gmv.experiments.generators.biggan.losses import discriminator_hinge, generator_hinge, orthogonality
from gmv.experiments.generators.biggan.networks import BigGANSize, Discriminator, GeneratorNetwork

SIZE = BigGANSize(bottom=2, widths=(16, 16, 8), discriminator_widths=(8, 16, 16), part=4, embedding=6, attention_side=4)


def test_hinge_losses_by_hand():
    real, made = torch.tensor([2.0, 0.5, -1.0]), torch.tensor([-3.0, 0.0, 1.0])
    assert discriminator_hinge(real, made).item() == pytest.approx((0 + 0.5 + 2) / 3 + (0 + 1 + 2) / 3)
    assert generator_hinge(made).item() == pytest.approx(2 / 3)


def test_orthogonality_counts_products_of_different_rows():
    at_right_angles = torch.tensor([[3.0, 0.0], [0.0, 2.0]])
    askew = torch.tensor([[1.0, 2.0], [3.0, -1.0]])  # rows' product 1, twice
    assert orthogonality([at_right_angles]).item() == 0
    assert orthogonality([at_right_angles, askew]).item() == pytest.approx(2)
    assert orthogonality([askew.reshape(2, 2, 1, 1)]).item() == pytest.approx(2)


@pytest.mark.parametrize("network", [GeneratorNetwork(SIZE, 1, 3), Discriminator(SIZE, 1, 3)])
def test_weights_have_a_largest_singular_value_of_1(network):
    normed = [
        module for module in network.modules() if hasattr(module, "parametrizations") and hasattr(module, "weight")
    ]
    assert len(normed) >= 9
    for _ in range(30):  # power iterations, one at each reading
        weights = [module.weight for module in normed]
    for weight in weights:
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.02)


def test_each_part_of_z_and_the_class_change_the_image():
    torch.manual_seed(0)
    network = GeneratorNetwork(SIZE, 1, 3).eval()
    z, labels = torch.randn(1, SIZE.z_size), torch.tensor([1])
    image = network(z, labels)
    assert SIZE.z_size == 12
    assert SIZE.side == 8
    assert image.shape == (1, 1, 8, 8)
    for part in range(3):
        other = z.clone()
        other[:, 4 * part : 4 * part + 4] += 1
        assert not torch.allclose(network(other, labels), image)
    assert not torch.allclose(network(z, torch.tensor([2])), image)


def test_the_discriminator_projects_on_the_class():
    """D(x, y) - D(x, y') is the product of the features with the difference of the classes' embeddings, and no more."""
    torch.manual_seed(0)
    network = Discriminator(SIZE, 1, 3).eval()
    images = torch.randn(2, 1, 8, 8)
    features = torch.relu(network.layers(images)).sum((2, 3))
    one, other = (network(images, torch.full((2,), label)) for label in (0, 2))
    embedding = network.embedding.weight
    torch.testing.assert_close(one - other, features @ (embedding[0] - embedding[2]))


@pytest.mark.parametrize("threshold", [0.5, 1.0, 2.0])
def test_truncated_z_is_normal_within_the_threshold(threshold):
    z = truncated(2_000, 10, threshold, torch.Generator().manual_seed(0))
    inside = math.erf(threshold / math.sqrt(2))
    variance = 1 - 2 * threshold * math.exp(-(threshold**2) / 2) / math.sqrt(2 * math.pi) / inside
    assert z.abs().max() <= threshold
    assert z.var().item() == pytest.approx(variance, rel=0.05)


def test_z_without_a_threshold_is_normal():
    z = truncated(2_000, 10, math.inf, torch.Generator().manual_seed(0))
    assert z.std().item() == pytest.approx(1, rel=0.03)
    assert z.abs().max() > 3
