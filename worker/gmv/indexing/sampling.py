"""Which training images something is learnt or measured from."""

from collections.abc import Sequence

import numpy as np

from gmv.corpus.port import TrainingImage


def drawn_ids(catalogue: Sequence[TrainingImage], images: int, seed: int) -> set[str]:
    """Draw images without replacement, the same in any order of the corpus."""
    ids = sorted(image.image_id for image in catalogue)
    places = np.random.default_rng(seed).choice(len(ids), min(len(ids), images), replace=False)
    return {ids[place] for place in places}
