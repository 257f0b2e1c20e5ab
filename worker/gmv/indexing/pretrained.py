"""A network of somebody else's made an encoder: its files kept by the index, its output reduced to a stated size."""

import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gmv.encoders.pretrained.backbone import Activations, Backbone
from gmv.encoders.pretrained.encoder import PretrainedEncoder
from gmv.encoders.pretrained.reduction import ReductionSettings, fit_reduction, pooled
from gmv.encoders.pretrained.storage import open_pretrained, to_bytes
from gmv.index.manifest import ENCODER_FILE, NetworkEntry
from gmv.indexing.workspace import Workspace


@dataclass(frozen=True, slots=True)
class Pretrained:
    """Which network, and how its output is reduced."""

    backbone: Backbone
    reduction: ReductionSettings = field(default_factory=ReductionSettings)

    def inputs(self) -> dict[str, Any]:
        """Return all that decides the features, for `open_workspace`."""
        backbone = self.backbone
        stated = {"kind": backbone.kind, "sha256": backbone.origin.sha256, "options": dict(backbone.options)}
        return stated | {"files": sorted(backbone.files), "reduction": asdict(self.reduction)}

    def entry(self) -> NetworkEntry:
        """Return what the manifest says of the network."""
        origin = self.backbone.origin
        return NetworkEntry(
            name=origin.name, licence=origin.licence, sha256=origin.sha256, files=tuple(sorted(self.backbone.files))
        )

    def activations(self, image: NDArray[np.uint8]) -> Activations:
        """Return what is learnt from of an image of a sample. Raises as `Backbone.run`."""
        return pooled(self.backbone.run(image), self.reduction.grid)

    def write(self, workspace: Workspace, sample: Sequence[Activations]) -> None:
        """Copy the network's files into an index, then what a sample of the corpus teaches about it."""
        for name, path in self.backbone.files.items():
            shutil.copyfile(path, workspace.folder / name)
            workspace.settle(name)
        workspace.write(ENCODER_FILE, to_bytes(self.backbone, fit_reduction(sample, self.reduction)))

    def open(self, parameters: Path) -> PretrainedEncoder:
        """Open the encoder from what was written. Raises as `open_pretrained`."""
        return open_pretrained(parameters)
