"""The former descriptor, as the last gmv that learnt one learnt it from 60 pictures, 10 patches of each.

Parameters are stored as integers of 8 bits and their steps, so that they take 23 kB.
"""

from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np
from safetensors.numpy import save

from gmv.encoders.descriptor import FittedDescriptor
from gmv.encoders.storage import open_descriptor

STORED = Path(__file__).with_name("former_descriptor.npz")


def former_bytes() -> bytes:
    """Its file, as an index has it."""
    with np.load(STORED) as stored:
        steps = {name: stored[f"{name} step"] for name in stored.files if f"{name} step" in stored.files}
        named = {name: stored[name].astype(np.float32) * step for name, step in steps.items()}
        return save(named | {"working_size": stored["working_size"]})


def former() -> FittedDescriptor:
    """Open it."""
    with NamedTemporaryFile() as file:
        path = Path(file.name)
        path.write_bytes(former_bytes())
        return open_descriptor(path)
