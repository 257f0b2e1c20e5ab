"""The files of a Hugging Face folder that its model consists of."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import orjson

from gmv.errors import InvalidSettings

CONFIG: Final = "config.json"
PROCESSOR: Final = "preprocessor_config.json"
WEIGHTS: Final = "model.safetensors"
SHARDS: Final = "model.safetensors.index.json"


def model_files(folder: Path) -> Mapping[str, Path]:
    """Return all files that a model is loaded from, by name.

    Raises:
        InvalidSettings: one is missing, or the weights are no safetensors.
    """
    names = [CONFIG, PROCESSOR, *_weights(folder)]
    for name in names:
        if not (folder / name).is_file():
            raise InvalidSettings(f"{folder} holds no {name}; name a whole folder, as save_pretrained writes it")
    return {name: folder / name for name in names}


def weights_digest(files: Mapping[str, Path]) -> str:
    """Return the SHA-256 of the one file of weights; of several, that of their digests in order of name."""
    digests = []
    for name in sorted(files.keys() - {CONFIG, PROCESSOR, SHARDS}):
        with files[name].open("rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _weights(folder: Path) -> list[str]:
    if not (folder / SHARDS).is_file():
        return [WEIGHTS]
    try:
        names = sorted(set(orjson.loads((folder / SHARDS).read_bytes())["weight_map"].values()))
        are_names = all(Path(name).name == name and name.endswith(".safetensors") for name in names)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        are_names = False
    if not are_names:
        raise InvalidSettings(f"{folder / SHARDS} does not list files of weights; copy the folder again")
    return [SHARDS, *names]
