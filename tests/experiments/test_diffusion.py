"""The diffusion against what its papers derive."""

import math

import pytest
import torch

from gmv.experiments.generators.diffusion.process import Sampling, ddim, ddpm, draw, guided, noised, signal_shares
from gmv.experiments.generators.diffusion.unet import UNet, UNetSize

STEPS = 40
SHAPE = (1, 4, 4)


def test_the_schedule_is_the_cosine_of_its_paper():
    shares = signal_shares(STEPS)
    at_half = math.cos((0.5 + 0.008) / 1.008 * math.pi / 2) ** 2 / math.cos(0.008 / 1.008 * math.pi / 2) ** 2

    assert shares[0] == 1
    assert shares[STEPS // 2].item() == pytest.approx(at_half, rel=1e-12)
    assert (shares.diff() < 0).all()
    assert (shares[1:] / shares[:-1]).min() >= 1 - 0.999


def test_noise_is_added_by_the_share_of_each_time():
    shares = torch.tensor([1.0, 0.64, 0.36], dtype=torch.float64)
    images, noise = torch.full((2, *SHAPE), 0.5), torch.ones(2, *SHAPE)
    at = noised(images, torch.tensor([1, 2]), noise, shares)
    assert at[0, 0, 0, 0].item() == pytest.approx(0.8 * 0.5 + 0.6)
    assert at[1, 0, 0, 0].item() == pytest.approx(0.6 * 0.5 + 0.8)


@pytest.mark.parametrize("weight", [0.0, 0.5, 3.0])
def test_guidance_goes_beyond_the_conditional_noise_by_its_weight(weight):
    def denoise(noisy, times, labels):
        return torch.where(labels[:, None, None, None] == 9, 2.0, 5.0) * torch.ones_like(noisy)

    told = guided(denoise, torch.zeros(3, *SHAPE), torch.zeros(3), torch.zeros(3, dtype=torch.long), 9, weight)
    assert told.unique().item() == pytest.approx((1 + weight) * 5 - weight * 2)


def knows_all(target, shares):
    """A denoiser that is never wrong: the data set is one image."""

    def denoise(noisy, times, labels):
        share = shares[(times * (len(shares) - 1)).round().long()].float()[:, None, None, None]
        return (noisy - share.sqrt() * target) / (1 - share).sqrt()

    return denoise


@pytest.mark.parametrize("how", [ddim(STEPS, 0.0), ddim(7, 0.0), ddpm(STEPS, 0.0), Sampling(10, 0.5, 0.0)])
def test_drawing_with_the_true_noise_ends_at_the_image(how):
    target, shares = torch.rand(SHAPE) * 2 - 1, signal_shares(STEPS)
    labels = torch.zeros(3, dtype=torch.long)
    drawn = draw(knows_all(target, shares), labels, SHAPE, shares, how, 1, torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn, target.expand(3, *SHAPE), atol=1e-5, rtol=0)


def test_ddpm_adds_the_noise_of_the_posterior():
    """Of pixels that are 0 when they are told: what the first step leaves has the variance of DDPM's posterior."""
    shares = torch.tensor([1.0, 0.8, 0.5], dtype=torch.float64)
    seen = []

    def denoise(noisy, times, labels):
        seen.append(noisy)
        share = shares[(times * 2).round().long()].float()[:, None, None, None]
        return noisy / (1 - share).sqrt()

    labels = torch.zeros(200_000, dtype=torch.long)
    draw(denoise, labels, (1, 1, 1), shares, ddpm(2, 0.0), 1, torch.Generator().manual_seed(0))
    # q(x1 | x2, x0 = 0) = N(sqrt(alpha) (1 - ab1) / (1 - ab2) x2, (1 - ab1) / (1 - ab2) beta), alpha = .5 / .8
    alpha = 0.5 / 0.8
    slope = math.sqrt(alpha) * 0.2 / 0.5
    assert (seen[1] - slope * seen[0]).var().item() == pytest.approx(0.2 / 0.5 * (1 - alpha), rel=0.02)


@pytest.mark.parametrize(
    ("size", "side"),
    [
        (UNetSize(1, 8, (1, 2), 1, 1, 0.0), 8),
        (UNetSize(2, 8, (1, 1), 1, 0, 0.0), 8),
        (UNetSize(1, 8, (1, 2, 2), 2, 2, 0.1), 16),
    ],
)
def test_the_network_puts_out_an_image_and_sees_class_and_time(size, side):
    torch.manual_seed(0)
    network = UNet(size, 3, 5).eval()
    noisy = torch.randn(2, 3, side, side)
    times, labels = torch.tensor([0.2, 0.2]), torch.tensor([0, 5])
    assert network(noisy, times, labels).abs().max() == 0  # its last layer begins with zeros

    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.2)
    same = noisy[:1].expand(2, -1, -1, -1)
    by_label = network(same, times, labels)
    by_time = network(same, torch.tensor([0.2, 0.9]), torch.tensor([0, 0]))
    assert by_label.shape == noisy.shape
    assert not torch.allclose(by_label[0], by_label[1])
    assert not torch.allclose(by_time[0], by_time[1])
