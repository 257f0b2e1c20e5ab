import numpy as np
import torch

from gmv.encoders.dictionary import resemblance


def test_resemblance_is_the_triangle_activation() -> None:
    draw = np.random.default_rng(0)
    patches, atoms = draw.normal(size=(7, 5)), draw.normal(size=(11, 5))
    distances = np.linalg.norm(patches[:, np.newaxis] - atoms, axis=-1)
    expected = np.maximum(0, distances.mean(1, keepdims=True) - distances)

    found = resemblance(*(torch.from_numpy(each.astype(np.float32)) for each in (patches, atoms)))

    np.testing.assert_allclose(found, expected, atol=1e-5)
