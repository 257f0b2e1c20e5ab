"""EfficientNet-Lite0 without its classifier: the network alone.

Tan and Le, *EfficientNet*, ICML 2019, arXiv:1905.11946; Lite is its variant without squeeze-and-excitation and with
ReLU6 throughout. Batch normalisations are folded into the convolutions before them: half the steps.
"""

from collections.abc import Mapping
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own name for it
from torch import Tensor, nn
from typing_extensions import override

SIDE = 224
"""Of the input, in pixels."""

VECTOR_SIZE = 1_280
FINE_SIDE, FINE_CHANNELS = 14, 112
COARSE_SIDE, COARSE_CHANNELS = 7, 320

_STEM_CHANNELS = 32
_BATCH_NORM_EPSILON = 1e-3  # TensorFlow's


class _Stage(NamedTuple):
    """Blocks of one kind; the first of them has the stride, and takes the channels of the stage before."""

    blocks: int
    kernel: int
    stride: int
    expansion: int
    channels: int


_UP_TO_FINE = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, FINE_CHANNELS),
)
_UP_TO_COARSE = (_Stage(4, 5, 2, 6, 192), _Stage(1, 3, 1, 6, COARSE_CHANNELS))


class Lite0(nn.Module):
    """Images to the head's averages and to two feature maps."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Convolution(3, _STEM_CHANNELS, 3, stride=2)
        self.up_to_fine = nn.Sequential(*_blocks(_UP_TO_FINE, _STEM_CHANNELS))
        self.up_to_coarse = nn.Sequential(*_blocks(_UP_TO_COARSE, FINE_CHANNELS))
        self.head = _Convolution(COARSE_CHANNELS, VECTOR_SIZE, 1)

    @override
    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Run it.

        Args:
            images: float32 [b, 3, 224, 224], (pixel - 127) / 128.

        Returns:
            float32 [b, 1280], [b, 112, 14, 14] and [b, 320, 7, 7].
        """
        fine = self.up_to_fine(F.relu6(self.stem(images)))
        coarse = self.up_to_coarse(fine)
        return F.relu6(self.head(coarse)).mean((2, 3)), fine, coarse


class _Convolution(nn.Conv2d):
    """With TensorFlow's padding: of an odd number of rows or columns, the one more is below and to the right."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> None:
        spare = kernel - stride  # for sides that the stride divides, as all do here
        super().__init__(inputs, outputs, kernel, stride, padding=0 if spare % 2 else spare // 2, groups=groups)
        self._uneven = (spare // 2, spare - spare // 2) * 2 if spare % 2 else None

    @override
    def forward(self, input: Tensor) -> Tensor:
        return super().forward(F.pad(input, self._uneven) if self._uneven else input)


class _Block(nn.Module):
    """An inverted residual: channels are expanded, filtered each alone, and projected."""

    def __init__(self, inputs: int, stage: _Stage, stride: int) -> None:
        super().__init__()
        middle = inputs * stage.expansion
        self.expand = _Convolution(inputs, middle, 1) if stage.expansion > 1 else None
        self.depthwise = _Convolution(middle, middle, stage.kernel, stride, groups=middle)
        self.project = _Convolution(middle, stage.channels, 1)
        self._is_residual = stride == 1 and inputs == stage.channels

    @override
    def forward(self, inputs: Tensor) -> Tensor:
        expanded = inputs if self.expand is None else F.relu6(self.expand(inputs))
        projected: Tensor = self.project(F.relu6(self.depthwise(expanded)))
        return projected + inputs if self._is_residual else projected


def _blocks(stages: tuple[_Stage, ...], inputs: int) -> list[_Block]:
    made = []
    for stage in stages:
        for place in range(stage.blocks):
            made.append(_Block(inputs, stage, stage.stride if place == 0 else 1))
            inputs = stage.channels
    return made


def load_lite0(weights: Mapping[str, Tensor]) -> Lite0:
    """Return the network with the weights of the package, whose names are those of lukemelas/EfficientNet-PyTorch.

    Raises:
        KeyError, RuntimeError: weights are missing or of another shape.
    """
    network = Lite0()
    _fold(network.stem, weights, "_conv_stem", "_bn0")
    for place, block in enumerate((*network.up_to_fine, *network.up_to_coarse)):
        if block.expand is not None:
            _fold(block.expand, weights, f"_blocks.{place}._expand_conv", f"_blocks.{place}._bn0")
        _fold(block.depthwise, weights, f"_blocks.{place}._depthwise_conv", f"_blocks.{place}._bn1")
        _fold(block.project, weights, f"_blocks.{place}._project_conv", f"_blocks.{place}._bn2")
    _fold(network.head, weights, "_conv_head", "_bn1")
    return network.eval().requires_grad_(False).to(memory_format=torch.channels_last)


def _fold(layer: nn.Conv2d, weights: Mapping[str, Tensor], convolution: str, norm: str) -> None:
    """Give a layer a convolution and the batch normalisation after it, computed in float64 and rounded once."""
    variance, gain = weights[f"{norm}.running_var"].double(), weights[f"{norm}.weight"].double()
    scale = gain / torch.sqrt(variance + _BATCH_NORM_EPSILON)
    offset = weights[f"{norm}.bias"].double() - weights[f"{norm}.running_mean"].double() * scale
    kernel = weights[f"{convolution}.weight"].double() * scale.reshape(-1, 1, 1, 1)
    layer.load_state_dict({"weight": kernel.float(), "bias": offset.float()})
