"""A vision tower in a local folder of Hugging Face's, run by transformers; nothing is ever asked of a network."""

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from typing_extensions import override

from gmv.encoders.pretrained.backbone import Activations, ActivationsShape, KnownBackbone, Origin, finite
from gmv.encoders.pretrained.recipe import HuggingFaceRecipe, VectorPart, checked, find_recipe, read_recipe
from gmv.encoders.pretrained.weight_files import model_files, weights_digest
from gmv.encoders.projection import unit_length
from gmv.encoders.working_size import to_working_size
from gmv.errors import InvalidSettings, PackagesMissing

KIND: Final = "transformers/1"

CLASS_TOKENS: Final = {
    "dinov2": 1,
    "dinov2_with_registers": 1,
    "dinov3_vit": 1,
    "clip": 1,
    "clip_vision_model": 1,
    "siglip": 0,
    "siglip_vision_model": 0,
}
"""How many class tokens come before the patches, by the `model_type` of a model that can be run; registers follow."""

_TRIED_SIDE = 64


def open_chosen(folder: Path) -> "HuggingFaceBackbone":
    """Open a folder by the recipe beside it, or as it is where there is none.

    Raises:
        InvalidSettings: something in folder or recipe is missing, wrong, or of a kind that is not run.
        PackagesMissing: transformers is not installed.
    """
    path = find_recipe(folder)
    recipe = read_recipe(path, HuggingFaceRecipe) if path else HuggingFaceRecipe()
    return HuggingFaceBackbone(folder, recipe.model_copy(update={"name": recipe.name or folder.resolve().name}))


def open_kept(folder: Path, options: Mapping[str, Any]) -> "HuggingFaceBackbone":
    """Open the network that an index keeps. Raises as `open_chosen`."""
    return HuggingFaceBackbone(folder, checked(options, HuggingFaceRecipe, "the recipe of the index"))


class HuggingFaceBackbone(KnownBackbone):
    """A `Backbone`. Run once when it is opened, so that a recipe that does not fit is known before any image."""

    def __init__(self, folder: Path, recipe: HuggingFaceRecipe) -> None:
        files = model_files(folder)
        transformers = _transformers()
        origin = Origin(recipe.name, recipe.licence, weights_digest(files))
        super().__init__(KIND, origin, recipe.model_dump(mode="json"), files)
        self._folder = folder
        self._recipe = recipe
        self._type = getattr(torch, recipe.precision)
        config = self._config(transformers)
        model = self._model(transformers, config).to(self._device()).eval().requires_grad_(False)
        self._processor = self._loaded("its image processor", transformers.AutoImageProcessor, backend="pil")
        self._tower = getattr(model, "vision_model", model)
        self._projection = getattr(model, "visual_projection", None)
        self._class_tokens = CLASS_TOKENS[config.model_type]
        self._leading = self._class_tokens + getattr(self._tower.config, "num_register_tokens", 0)
        self._cut_layers()
        self._shape = self._tried_shape()

    @override
    def run(self, image: NDArray[np.uint8]) -> Activations:
        return finite(self._activations(image))

    @torch.inference_mode()
    def _activations(self, image: NDArray[np.uint8]) -> Activations:
        """An oblong image is squeezed to a square of as many pixels: a processor would cut off what is long.

        It would also scale the shorter side up first, and a line of 1 x 1,000,000 pixels to 50 billion.
        """
        square = to_working_size(image, max(1, math.isqrt(image.shape[0] * image.shape[1])))
        pixels = self._processor(images=Image.fromarray(square), return_tensors="pt")["pixel_values"]
        output = self._tower(pixel_values=pixels.to(self._device(), self._type))
        hidden = output.last_hidden_state[0].float().cpu()
        patches = hidden[self._leading :]
        side = math.isqrt(len(patches))
        if side * side != len(patches):
            raise self._unfit(f"makes {len(patches)} patches, which are no square; give it a processor that makes one")
        parts = [self._part(part, hidden, output.pooler_output) for part in self._parts(output.pooler_output)]
        vector = torch.cat([unit_length(each.unsqueeze(0))[0] for each in parts])
        return Activations(vector.numpy(), patches.reshape(side, side, -1).numpy())

    def _tried_shape(self) -> ActivationsShape:
        try:
            tried = self._activations(np.zeros((_TRIED_SIDE, _TRIED_SIDE, 3), np.uint8))
        except InvalidSettings:
            raise
        except Exception as error:
            raise self._unfit(f"cannot be run on what its image processor makes ({_reason(error)})") from error
        return ActivationsShape(len(tried.vector), *tried.feature_map.shape[1:])

    def _parts(self, pooled: Tensor | None) -> tuple[VectorPart, ...]:
        return self._recipe.vector or (("mean",) if pooled is None else ("pooled",))

    def _part(self, part: VectorPart, hidden: Tensor, pooled: Tensor | None) -> Tensor:
        """Return one part of the global vector, float32 [size]."""
        match part:
            case "class" if self._class_tokens:
                return hidden[0]
            case "registers" if self._leading > self._class_tokens:
                return hidden[self._class_tokens : self._leading].mean(0)
            case "mean":
                return hidden[self._leading :].mean(0)
            case "pooled" if pooled is not None:
                return pooled[0].float().cpu()
            case "projected" if pooled is not None and self._projection is not None:
                projected: Tensor = self._projection(pooled)
                return projected[0].float().cpu()
        raise self._unfit(f"has nothing that is {part!r}; take it out of the recipe's vector")

    def _cut_layers(self) -> None:
        """Let the network end after the layer that is wanted; its last normalisation and pooling stay."""
        count, wanted = self._tower.config.num_hidden_layers, self._recipe.layer
        if wanted is None:
            return
        if wanted > count:
            raise self._unfit(f"has {count} layers, and layer {wanted} is wanted; correct the recipe")
        (layers,) = (
            each for each in self._tower.modules() if isinstance(each, torch.nn.ModuleList) and len(each) == count
        )
        del layers[wanted:]

    def _config(self, transformers: Any) -> Any:
        config = self._loaded("its config.json", transformers.AutoConfig)
        if config.model_type not in CLASS_TOKENS:
            raise self._unfit(f"holds a {config.model_type!r}; what can be run is {', '.join(CLASS_TOKENS)}")
        return config

    def _model(self, transformers: Any, config: Any) -> Any:
        model, loading = self._loaded(
            "its weights",
            transformers.AutoModel,
            config=config,
            dtype=self._type,
            use_safetensors=True,
            output_loading_info=True,
        )
        if missing := sorted(loading["missing_keys"]):
            raise self._unfit(f"lacks {len(missing)} of the model's weights, {missing[0]} among them; copy it again")
        return model

    def _device(self) -> torch.device:
        if self._recipe.device == "cuda" and not torch.cuda.is_available():
            raise self._unfit('is to be run by device = "cuda", which torch has none of here; say "cpu" in its recipe')
        return torch.device(self._recipe.device)

    def _loaded(self, what: str, loader: Any, **how: Any) -> Any:
        try:
            return loader.from_pretrained(self._folder, local_files_only=True, trust_remote_code=False, **how)
        except Exception as error:
            raise self._unfit(f"cannot be used for {what} ({_reason(error)}); copy the folder again") from error

    def _unfit(self, why: str) -> InvalidSettings:
        return InvalidSettings(f"{self._folder} {why}")


def _reason(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def _transformers() -> Any:
    """Import the library, told to ask nothing of a network; it reads that once, when it is imported."""
    os.environ.update(dict.fromkeys(("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"), "1"))
    try:
        import transformers
    except ImportError as error:
        raise PackagesMissing(
            "an encoder in a Hugging Face folder needs transformers, which is not installed: "
            "pip install 'gmv[worker,transformers]'"
        ) from error
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers
