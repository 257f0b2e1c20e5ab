"""An exact descriptor learnt from small pictures."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.exact.descriptor import ExactDescriptor
from gmv.encoders.exact.fitting import FittingSettings, fit_exact
from tests.encoders.pictures import WORKING_SIZE, picture

PICTURES = [picture(seed, 12 + 5 * (seed % 4), 40 - 7 * (seed % 5)) for seed in range(20)]
SETTINGS = FittingSettings(working_size=WORKING_SIZE)
PARAMETERS = fit_exact(PICTURES, SETTINGS)
ENCODER = ExactDescriptor("test", PARAMETERS)


def exact(images: Sequence[NDArray[np.uint8]]) -> ExactDescriptor:
    return ExactDescriptor("test", fit_exact(images, SETTINGS))
