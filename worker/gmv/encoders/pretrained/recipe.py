"""What a user states of a network: a TOML or JSON file beside it."""

import tomllib
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gmv.errors import InvalidSettings
from gmv.first_error import first_error

PIXEL_MEAN_OF_IMAGENET = (123.675, 116.28, 103.53)
PIXEL_SPREAD_OF_IMAGENET = (58.395, 57.12, 57.375)


class _Stated(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


R = TypeVar("R", bound=_Stated)
_Spread = Annotated[float, Field(gt=0)]


class OnnxInput(_Stated):
    """How an image becomes the input: scaled to a square, (pixel - mean) / spread per channel, pixels 0 to 255."""

    name: str | None = None
    size: int = Field(ge=16, le=1_024)
    layout: Literal["NCHW", "NHWC"] = "NCHW"
    channels: Literal["RGB", "BGR"] = "RGB"
    mean: tuple[float, float, float] = PIXEL_MEAN_OF_IMAGENET
    spread: tuple[_Spread, _Spread, _Spread] = PIXEL_SPREAD_OF_IMAGENET


class OnnxOutputs(_Stated):
    """Which outputs are taken, by name.

    Attributes:
        vector: [1, G], or with further sides of 1.
        tokens: by `layout`: a feature map [1, c, side, side] or [1, side, side, c], or a sequence [1, k + side^2, c].
        skipped: k tokens at the start of a sequence that are no places of the image, such as a class token.
    """

    vector: str
    tokens: str
    layout: Literal["NCHW", "NHWC", "NLC"]
    skipped: int = Field(0, ge=0)


class OnnxRecipe(_Stated):
    """What an ONNX file does not say of itself."""

    name: str = Field(min_length=1)
    licence: str = Field(min_length=1)
    input: OnnxInput
    outputs: OnnxOutputs


VectorPart = Literal["class", "registers", "mean", "pooled", "projected"]


class HuggingFaceRecipe(_Stated):
    """How a vision tower is run, and what of its output is taken.

    Attributes:
        name: of the network; by default that of its folder.
        licence: of its weights.
        layer: whose hidden states are taken: 1 is the first; None: the last, after its normalisation.
        vector: what the global vector is made of, in a row: the class token, the mean of register tokens, the mean
            of all patches, what the model pools, or what it projects to texts' space. None: pooled where there is that.
        precision: that it computes in.
        device: that it computes on, at build and afterwards.
    """

    name: str = ""
    licence: str = "not stated"
    layer: int | None = Field(None, ge=1)
    vector: tuple[VectorPart, ...] | None = Field(None, min_length=1)
    precision: Literal["float32", "float16", "bfloat16"] = "float32"
    device: Literal["cpu", "cuda"] = "cpu"


def find_recipe(network: Path) -> Path | None:
    """Return the recipe beside a file or folder: its name with .toml or .json at the end.

    Raises:
        InvalidSettings: there are both.
    """
    stem = network.with_suffix("") if network.is_file() else network
    found = [path for path in (Path(f"{stem}.toml"), Path(f"{stem}.json")) if path.is_file()]
    if len(found) > 1:
        raise InvalidSettings(f"{found[0]} and {found[1]} are both there; keep the recipe that is meant")
    return found[0] if found else None


def read_recipe(path: Path, model: type[R]) -> R:
    """Read a recipe.

    Raises:
        InvalidSettings: it is no TOML or JSON, or a name or value in it is wrong.
    """
    try:
        content = path.read_bytes()
        stated = tomllib.loads(content.decode()) if path.suffix == ".toml" else orjson.loads(content)
    except OSError as error:
        raise InvalidSettings(f"{path}: {error.strerror}; let this user read it") from error
    except ValueError as error:
        raise InvalidSettings(f"{path} is no {path.suffix[1:].upper()} ({error}); correct it there") from error
    return checked(stated, model, str(path))


def checked(stated: object, model: type[R], where: str) -> R:
    """Return a recipe of what was stated.

    Raises:
        InvalidSettings: a name or value in it is wrong.
    """
    try:
        return model.model_validate(stated)
    except ValidationError as error:
        raise InvalidSettings(f"{where}: {first_error(error, 'the recipe')}; docs/encoders.md has the names") from None
