"""Which networks there are: chosen by a user for a build, or named by an index."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gmv.encoders.pretrained import efficientnet_lite0, hugging_face, onnx_file
from gmv.encoders.pretrained.backbone import Backbone
from gmv.errors import InvalidSettings

KINDS = frozenset({efficientnet_lite0.KIND, onnx_file.KIND, hugging_face.KIND})


def open_backbone(kind: str, folder: Path, options: Mapping[str, Any]) -> Backbone:
    """Open the network of an index.

    Args:
        kind: one of `KINDS`.
        folder: of the index, which keeps the network's files.
        options: as `Backbone.options` gave them.

    Raises:
        InvalidSettings: the network's files or options are missing or wrong.
        PackagesMissing: a package that runs the network, or brings its weights, is not installed.
    """
    if kind == efficientnet_lite0.KIND:
        return efficientnet_lite0.EfficientNetLite0()
    if kind == onnx_file.KIND:
        return onnx_file.open_kept(folder, options)
    return hugging_face.open_kept(folder, options)


def choose_backbone(choice: str) -> Backbone:
    """Open what `--encoder` names: the network of a package, an ONNX file, or a folder of Hugging Face's.

    Raises:
        InvalidSettings: there is no such network, file or folder, or it is wrong.
        PackagesMissing: a package that runs the network, or brings its weights, is not installed.
    """
    if choice == efficientnet_lite0.NAME:
        return efficientnet_lite0.EfficientNetLite0()
    path = Path(choice)
    if path.suffix == ".onnx":
        return onnx_file.open_chosen(path)
    if path.is_dir():
        return hugging_face.open_chosen(path)
    raise InvalidSettings(
        f"--encoder {choice} is neither {efficientnet_lite0.NAME} nor an .onnx file nor a folder that is there"
    )
