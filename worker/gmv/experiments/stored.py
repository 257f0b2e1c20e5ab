"""Arrays kept on disk with all that decided them, so that a second run uses them, and no run uses those of another."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from gmv.errors import ExperimentRefused
from gmv.whole_file import write_whole

_STAMP = "made_from"


def store(path: Path, tensors: Mapping[str, Tensor], stamp: Mapping[str, Any]) -> None:
    """Write tensors, and what they were made from, as JSON has it; the file is whole or not there."""
    told = orjson.dumps(stamp, option=orjson.OPT_SORT_KEYS).decode()
    write_whole(path, save({name: each.contiguous() for name, each in tensors.items()}, {_STAMP: told}))


def load(path: Path, stamp: Mapping[str, Any]) -> dict[str, Tensor] | None:
    """Return what is stored at a path; None where nothing is.

    Raises:
        ExperimentRefused: it was made from something else, or is no such file.
    """
    if not path.exists():
        return None
    try:
        with safe_open(path, "pt") as file:
            found = orjson.loads((file.metadata() or {}).get(_STAMP, "{}"))
            _compare(path, found, orjson.loads(orjson.dumps(stamp)))
            return {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (SafetensorError, orjson.JSONDecodeError, UnicodeDecodeError) as error:
        raise ExperimentRefused(f"{path} cannot be read ({error}); delete it, and it is made again") from error


def _compare(path: Path, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for name, there, here in _differing("", found, wanted):
        raise ExperimentRefused(
            f"{path} was made with another configuration ({name} is {there!r} there, now {here!r}); give another "
            "folder with --out, or delete that file"
        )


def _differing(prefix: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    differing: list[tuple[str, Any, Any]] = []
    for name in sorted(found.keys() | wanted.keys()):
        there, here = found.get(name), wanted.get(name)
        if isinstance(there, dict) and isinstance(here, dict):
            differing += _differing(f"{prefix}{name}.", there, here)
        elif there != here:
            differing.append((prefix + name, there, here))
    return differing


def stored_network(path: Path, network: torch.nn.Module, stamp: Mapping[str, Any]) -> torch.nn.Module | None:
    """Return a network with the weights stored at a path, ready to draw; None where nothing is.

    Raises:
        ExperimentRefused: they are of another configuration.
    """
    weights = load(path, stamp)
    if weights is None:
        return None
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        raise ExperimentRefused(
            f"{path} holds weights of another network; delete it, and it is trained again"
        ) from error
    return network.eval().requires_grad_(False)
