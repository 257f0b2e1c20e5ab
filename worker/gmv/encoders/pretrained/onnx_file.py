"""A network in an ONNX file, run by ONNX Runtime on the processor, by a recipe that its user states."""

import hashlib
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from gmv.encoders.pretrained.backbone import Activations, ActivationsShape, KnownBackbone, Origin, finite
from gmv.encoders.pretrained.recipe import OnnxRecipe, checked, find_recipe, read_recipe
from gmv.encoders.working_size import to_working_size
from gmv.errors import InvalidSettings, PackagesMissing, Poison, Reason

KIND: Final = "onnx/1"
KEPT: Final = "network.onnx"

_TYPES: Final = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


def open_chosen(path: Path) -> "OnnxBackbone":
    """Open an ONNX file by the recipe beside it.

    Raises:
        InvalidSettings: file or recipe are missing, or wrong, or do not fit each other.
        PackagesMissing: ONNX Runtime is not installed.
    """
    if not path.is_file():
        raise InvalidSettings(f"{path} is no file that is there; name an ONNX file")
    recipe = find_recipe(path)
    if recipe is None:
        raise InvalidSettings(
            f"{path} has no recipe beside it; state its input and outputs in {path.with_suffix('.toml')}, "
            "as docs/encoders.md shows"
        )
    return OnnxBackbone(path, read_recipe(recipe, OnnxRecipe))


def open_kept(folder: Path, options: Mapping[str, Any]) -> "OnnxBackbone":
    """Open the network that an index keeps. Raises as `open_chosen`."""
    return OnnxBackbone(folder / KEPT, checked(options, OnnxRecipe, "the recipe of the index"))


class OnnxBackbone(KnownBackbone):
    """A `Backbone`. Run once when it is opened, so that a recipe that does not fit is known before any image."""

    def __init__(self, path: Path, recipe: OnnxRecipe) -> None:
        try:
            content = path.read_bytes()
        except OSError as error:
            raise InvalidSettings(f"{path}: {error.strerror}; let this user read it") from error
        origin = Origin(recipe.name, recipe.licence, hashlib.sha256(content).hexdigest())
        super().__init__(KIND, origin, recipe.model_dump(mode="json"), {KEPT: path})
        self._path = path
        self._recipe = recipe
        self._session = _session(path, content)
        self._input = self._checked_input()
        self._check_outputs()
        tried = self._activations(np.zeros((recipe.input.size, recipe.input.size, 3), np.uint8))
        self._shape = ActivationsShape(len(tried.vector), *tried.feature_map.shape[1:])

    @override
    def run(self, image: NDArray[np.uint8]) -> Activations:
        try:
            found = self._activations(image)
        except InvalidSettings as unfit:  # of this image alone: of another it gave what the recipe says
            raise Poison(Reason.INVALID_FEATURES, str(unfit)) from unfit
        return finite(found)

    def _activations(self, image: NDArray[np.uint8]) -> Activations:
        outputs = self._recipe.outputs
        try:
            vector, tokens = self._session.run(
                [outputs.vector, outputs.tokens], {self._input.name: self._prepare(image)}
            )
        except Exception as error:  # ONNX Runtime has a class of its own for each code
            raise self._unfit(
                f"cannot be run on an image of {self._recipe.input.size} pixels a side ({_in_a_line(error)})"
            ) from error
        for name, output in ((outputs.vector, vector), (outputs.tokens, tokens)):
            if not isinstance(output, np.ndarray) or output.dtype.kind not in "fiu":
                raise self._unfit(f"gives no numbers as {name!r}")
        return Activations(self._vector(vector), self._feature_map(tokens))

    def _prepare(self, image: NDArray[np.uint8]) -> NDArray[Any]:
        how = self._recipe.input
        pixels = to_working_size(image, how.size)[:, :, :: 1 if how.channels == "RGB" else -1]
        kind = _TYPES[self._input.type]
        if kind is not np.uint8:
            scaled = (pixels - np.array(how.mean, np.float32)) / np.array(how.spread, np.float32)
            pixels = scaled.astype(kind)
        placed = pixels.transpose(2, 0, 1) if how.layout == "NCHW" else pixels
        return np.ascontiguousarray(placed[np.newaxis])

    def _checked_input(self) -> Any:
        inputs = {each.name: each for each in self._session.get_inputs()}
        name = self._recipe.input.name
        if name is None and len(inputs) != 1:
            raise self._unfit(f"has the inputs {_listed(inputs)}; state one as input.name")
        found = inputs.get(name) if name is not None else next(iter(inputs.values()))
        if found is None or len(inputs) != 1:
            raise self._unfit(f"has the inputs {_listed(inputs)}, where one is needed, {name!r}")
        if found.type not in _TYPES:
            raise self._unfit(f"takes {found.type}, not images in float32, float16 or uint8")
        return found

    def _check_outputs(self) -> None:
        names = {each.name for each in self._session.get_outputs()}
        for name in (self._recipe.outputs.vector, self._recipe.outputs.tokens):
            if name not in names:
                raise self._unfit(f"has the outputs {_listed(names)}, and none {name!r}")

    def _vector(self, output: NDArray[Any]) -> NDArray[np.float32]:
        if output.ndim < 2 or output.size != output.shape[1] or output.size == 0:
            raise self._unfit(f"gives {list(output.shape)} as {self._recipe.outputs.vector!r}, not a vector, [1, G]")
        return output.reshape(-1).astype(np.float32)

    def _feature_map(self, output: NDArray[Any]) -> NDArray[np.float32]:
        how = self._recipe.outputs
        shape = list(output.shape)
        if how.layout == "NLC" and output.ndim == 3 and len(output) == 1:
            places = output[0, how.skipped :]
            side = math.isqrt(len(places))
            if side > 0 and side * side == len(places):
                return places.reshape(side, side, -1).astype(np.float32)
        elif output.ndim == 4 and len(output) == 1:
            placed = output[0].transpose(1, 2, 0) if how.layout == "NCHW" else output[0]
            if placed.shape[0] == placed.shape[1] > 0:
                return np.ascontiguousarray(placed, np.float32)
        raise self._unfit(f"gives {shape} as {how.tokens!r}, which is no square of places in the layout {how.layout}")

    def _unfit(self, why: str) -> InvalidSettings:
        return InvalidSettings(f"{self._path} {why}; correct the recipe, or name another file")


def _session(path: Path, content: bytes) -> Any:
    """From memory, so that no file beside it is read: what a network consists of is in its digest."""
    try:
        import onnxruntime
    except ImportError as error:
        raise PackagesMissing(
            "an encoder in an ONNX file needs ONNX Runtime, which is not installed: pip install 'gmv[worker,onnx]'"
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # fatal; what is wrong is raised
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise InvalidSettings(
            f"{path} cannot be run by ONNX Runtime ({_in_a_line(error)}); it has to be one file, with all of "
            "its weights in it"
        ) from error


def _in_a_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _listed(names: Any) -> str:
    return ", ".join(sorted(names)) or "none"
