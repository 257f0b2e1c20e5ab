import numpy as np
import pytest
import torch

from gmv.encoders.dictionary import ATOMS, fit_dictionary, resemblance


def test_resemblance_is_the_triangle_activation() -> None:
    draw = np.random.default_rng(0)
    patches, atoms = draw.normal(size=(7, 5)), draw.normal(size=(11, 5))
    distances = np.linalg.norm(patches[:, np.newaxis] - atoms, axis=-1)
    expected = np.maximum(0, distances.mean(1, keepdims=True) - distances)

    found = resemblance(*(torch.from_numpy(each.astype(np.float32)) for each in (patches, atoms)))

    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize(("patches", "atoms"), [(1, 1), (19, 1), (20, 2), (100, 10)])
def test_few_patches_give_a_small_dictionary(patches: int, atoms: int) -> None:
    drawn = torch.randn(patches, 6, generator=torch.Generator().manual_seed(0))

    assert fit_dictionary(drawn, seed=0).shape == (atoms, 6)


def test_many_patches_give_a_whole_dictionary_of_finite_atoms_even_when_alike() -> None:
    found = fit_dictionary(torch.zeros(10 * ATOMS + 5, 3), seed=0)

    assert found.shape == (ATOMS, 3)
    assert torch.isfinite(found).all()


def test_atoms_are_the_centres_of_clusters() -> None:
    centres = torch.tensor([[0.0, 0.0], [100.0, 0.0]])
    patches = centres.repeat(12, 1) + torch.randn(24, 2, generator=torch.Generator().manual_seed(1))
    found = fit_dictionary(patches, seed=0)

    expected = torch.stack([patches[0::2].mean(0), patches[1::2].mean(0)])
    assert torch.allclose(found.sort(0)[0], expected.sort(0)[0], atol=1e-3)
