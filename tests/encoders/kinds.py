"""Every encoder that sees images, opened for a test from a folder as an index has it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from gmv.encoders import descriptor
from gmv.encoders.exact import descriptor as exact
from gmv.encoders.exact.fitting import FittingSettings, fit_exact
from gmv.encoders.exact.storage import to_bytes as exact_to_bytes
from gmv.encoders.pretrained import efficientnet_lite0, hugging_face, onnx_file
from gmv.encoders.pretrained.backbone import Backbone
from gmv.encoders.pretrained.backbones import choose_backbone
from gmv.encoders.pretrained.reduction import ReductionSettings, fit_reduction, pooled
from gmv.encoders.pretrained.storage import to_bytes as pretrained_to_bytes
from tests.encoders.former import former_bytes
from tests.encoders.networks import FOLDERS, RECIPE, write_folder, write_onnx
from tests.encoders.pictures import WORKING_SIZE, picture

PARAMETERS = "encoder.safetensors"
SAMPLE = [picture(seed, 48, 48) for seed in range(12)]
REDUCTION = ReductionSettings(vector_size=8, token_size=10, grid=3)


def write_descriptor(folder: Path) -> str:
    (folder / PARAMETERS).write_bytes(former_bytes())
    return descriptor.KIND


def write_exact(folder: Path) -> str:
    parameters = fit_exact(SAMPLE, FittingSettings(working_size=WORKING_SIZE))
    (folder / PARAMETERS).write_bytes(exact_to_bytes(parameters))
    return exact.KIND


def write_pretrained(folder: Path, backbone: Backbone, settings: ReductionSettings = REDUCTION) -> str:
    sample = [pooled(backbone.run(image), settings.grid) for image in SAMPLE]
    for name, path in backbone.files.items():
        (folder / name).write_bytes(path.read_bytes())
    (folder / PARAMETERS).write_bytes(pretrained_to_bytes(backbone, fit_reduction(sample, settings)))
    return backbone.kind


def _lite0(folder: Path) -> str:
    return write_pretrained(folder, efficientnet_lite0.EfficientNetLite0())


def _onnx(recipe: dict[str, Any] = RECIPE, **how: Any) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        chosen = write_onnx(folder / "chosen.onnx", recipe=recipe, **how)
        return write_pretrained(folder, choose_backbone(str(chosen)))

    return write


def _folder(model_type: str, recipe: dict[str, Any] | None = None) -> Callable[[Path], str]:
    def write(folder: Path) -> str:
        chosen = write_folder(folder / "chosen", model_type, recipe=recipe)
        return write_pretrained(folder, choose_backbone(str(chosen)))

    return write


_SEQUENCE = RECIPE | {"outputs": {"vector": "embedding", "tokens": "map", "layout": "NLC", "skipped": 1}}

KINDS: Mapping[str, Callable[[Path], str]] = {
    "exact": write_exact,
    "descriptor": write_descriptor,
    "efficientnet-lite0": _lite0,
    "onnx": _onnx(),
    "onnx in float16": _onnx(type_=10),
    "onnx, channels last": _onnx(RECIPE | {"input": {"size": 32, "layout": "NHWC", "channels": "BGR"}}, nhwc=True),
    "onnx, a sequence": _onnx(_SEQUENCE, sequence=True),
    **{model_type: _folder(model_type) for model_type in FOLDERS},
    "class, registers and mean of layer 2": _folder(
        "dinov2_with_registers", {"layer": 2, "vector": ["class", "registers", "mean"]}
    ),
    "projected, in bfloat16": _folder("clip", {"vector": ["projected"], "precision": "bfloat16"}),
}
"""How each is written into a folder; what comes back is its kind."""

NETWORK_KINDS = frozenset({efficientnet_lite0.KIND, onnx_file.KIND, hugging_face.KIND})
