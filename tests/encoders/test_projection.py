import pytest
import torch

from gmv.encoders.projection import HALF_WHITENING, NO_WHITENING, fit_projection, unit_length


def samples(count: int, size: int) -> torch.Tensor:
    draw = torch.Generator().manual_seed(0)
    return torch.randn(count, size, generator=draw) * torch.arange(1, size + 1) + 7


@pytest.mark.parametrize(("power", "exponent"), [(NO_WHITENING, 1.0), (HALF_WHITENING, 0.5)])
def test_components_have_their_eigenvalue_as_variance_to_a_power(power: float, exponent: float) -> None:
    drawn = samples(4_000, 6)
    values = torch.linalg.eigvalsh(torch.cov(drawn.T, correction=0)).flip(0)[:4]
    covariance = torch.cov(fit_projection(drawn, 4, power).apply(drawn).T, correction=0)

    assert torch.allclose(covariance, torch.diag(values**exponent), rtol=1e-3, atol=1e-2)


@pytest.mark.parametrize(("count", "size"), [(1, 1), (2, 1), (3, 2), (50, 5)])
def test_no_more_components_than_the_samples_span(count: int, size: int) -> None:
    projection = fit_projection(samples(count, 5), 9, HALF_WHITENING)

    assert projection.matrix.shape == (5, size)
    assert torch.isfinite(projection.matrix).all()


def test_a_single_sample_is_projected_to_zero() -> None:
    one = samples(1, 5)

    assert torch.equal(fit_projection(one, 3, HALF_WHITENING).apply(one), torch.zeros(1, 1))


def test_one_column_is_projected_too() -> None:
    assert fit_projection(samples(9, 1), 3, NO_WHITENING).matrix.abs().item() == pytest.approx(1.0)


def test_unit_length_leaves_zero_alone() -> None:
    assert torch.equal(unit_length(torch.tensor([[3.0, 4.0], [0.0, 0.0]])), torch.tensor([[0.6, 0.8], [0.0, 0.0]]))
