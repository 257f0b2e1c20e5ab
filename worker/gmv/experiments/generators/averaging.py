"""An exponential moving average of a network's weights, which is what images are drawn by."""

import copy

import torch
from torch import nn


class Average:
    """Weights averaged over steps: more of the past the later it is, so that the first, random ones are soon gone."""

    def __init__(self, network: nn.Module, decay: float) -> None:
        """Begin with the network's weights.

        Args:
            network: that is being trained.
            decay: of what was averaged before, at each step, once (1 + steps) / (10 + steps) is above it.
        """
        self.network = copy.deepcopy(network).requires_grad_(False)
        self._decay = decay
        self._steps = 0

    @torch.no_grad()
    def add(self, network: nn.Module) -> None:
        """Take the network's weights of this step into the average; its buffers are copied."""
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        self._steps += 1
        for average, weight in zip(self.network.parameters(), network.parameters(), strict=True):
            average.lerp_(weight, 1 - decay)
        for kept, buffer in zip(self.network.buffers(), network.buffers(), strict=True):
            kept.copy_(buffer)
