"""Vision towers in local folders: what is taken of them, against the library itself; what does not fit; no network."""

import json
import os
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from PIL import Image
from safetensors.torch import load_file, save_file

from gmv.encoders.pretrained import hugging_face
from gmv.encoders.pretrained.backbones import choose_backbone
from gmv.encoders.pretrained.hugging_face import CLASS_TOKENS, HuggingFaceBackbone
from gmv.encoders.pretrained.storage import open_pretrained
from gmv.errors import IndexRefused, InvalidSettings, PackagesMissing
from tests.encoders.kinds import PARAMETERS, write_pretrained
from tests.encoders.networks import FOLDERS, write_folder
from tests.encoders.pictures import picture

IMAGE = picture(3, 40, 40)
LEADING = {"dinov2": 1, "dinov2_with_registers": 3, "dinov3_vit": 4, "clip": 1, "clip_vision_model": 1}


def opened(folder: Path) -> HuggingFaceBackbone:
    found = choose_backbone(str(folder))
    assert isinstance(found, HuggingFaceBackbone)
    return found


def theirs(folder: Path, **how: Any) -> Any:
    """What the library itself puts out for `IMAGE`."""
    model = transformers.AutoModel.from_pretrained(folder)
    tower = getattr(model, "vision_model", model).eval()
    processor = transformers.AutoImageProcessor.from_pretrained(folder, backend="pil")
    with torch.inference_mode():
        return tower(**processor(images=Image.fromarray(IMAGE), return_tensors="pt"), **how)


def unit(vector: torch.Tensor) -> np.ndarray:
    found: np.ndarray = (vector / vector.norm()).numpy()
    return found


def test_every_kind_that_is_run_is_tested() -> None:
    assert set(FOLDERS) == CLASS_TOKENS.keys()


@pytest.mark.parametrize("model_type", FOLDERS)
def test_patches_and_the_pooled_vector_are_the_librarys(tmp_path: Path, model_type: str) -> None:
    folder = write_folder(tmp_path / "m", model_type)
    expected, found = theirs(folder), opened(folder).run(IMAGE)
    patches = expected.last_hidden_state[0, LEADING.get(model_type, 0) :]

    assert found.feature_map.shape == (4, 4, 32)
    np.testing.assert_allclose(found.feature_map.reshape(16, 32), patches, atol=1e-5)
    np.testing.assert_allclose(found.vector, unit(expected.pooler_output[0]), atol=1e-5)


def test_parts_of_the_vector_stand_in_a_row(tmp_path: Path) -> None:
    recipe = {"vector": ["mean", "class", "registers"]}
    folder = write_folder(tmp_path / "m", "dinov2_with_registers", recipe=recipe)
    hidden = theirs(folder).last_hidden_state[0]
    expected = [unit(part) for part in (hidden[3:].mean(0), hidden[0], hidden[1:3].mean(0))]

    np.testing.assert_allclose(opened(folder).run(IMAGE).vector, np.concatenate(expected), atol=1e-5)


def test_clip_projects_to_the_space_of_texts(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", "clip", recipe={"vector": ["projected"]})
    model = transformers.CLIPModel.from_pretrained(folder)
    with torch.inference_mode():
        expected = model.visual_projection(theirs(folder).pooler_output)[0]

    np.testing.assert_allclose(opened(folder).run(IMAGE).vector, unit(expected), atol=1e-5)


@pytest.mark.parametrize("layer", [1, 2, 3])
def test_a_layer_is_taken_with_the_last_normalisation(tmp_path: Path, layer: int) -> None:
    folder = write_folder(tmp_path / "m", "dinov2", recipe={"layer": layer})
    states = theirs(folder, output_hidden_states=True).hidden_states[layer]
    with torch.inference_mode():
        states = transformers.AutoModel.from_pretrained(folder).layernorm(states)

    np.testing.assert_allclose(opened(folder).run(IMAGE).feature_map.reshape(16, 32), states[0, 1:], atol=1e-5)


@pytest.mark.parametrize("precision", ["float16", "bfloat16"])
def test_half_precision_is_near_the_whole(tmp_path: Path, precision: str) -> None:
    whole = opened(write_folder(tmp_path / "m", "dinov3_vit")).run(IMAGE)
    half = opened(write_folder(tmp_path / "h", "dinov3_vit", recipe={"precision": precision})).run(IMAGE)

    assert 0 < np.abs(half.vector - whole.vector).max() < 0.05


def test_an_oblong_image_is_squeezed_and_not_cut(tmp_path: Path) -> None:
    """A processor would scale the short side up first: a line of a million pixels to 32 x 32,000,000."""
    backbone = opened(write_folder(tmp_path / "m", "siglip"))
    line = np.zeros((1, 1_000_000, 3), np.uint8)
    line[:, :1_000] = 255

    assert (backbone.run(line).vector != backbone.run(np.zeros_like(line)).vector).any()


def test_nothing_is_asked_of_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "m", "clip")

    def refuse(*address: object) -> None:
        raise AssertionError(f"a connection to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert opened(folder).run(IMAGE).vector.shape == (32,)
    for name in ("config.json", "preprocessor_config.json", "model.safetensors"):
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        with pytest.raises(InvalidSettings, match=rf"holds no {name}"):
            opened(folder)
        (folder / name).write_bytes(content)


def test_weights_in_several_files_are_read(tmp_path: Path) -> None:
    whole = opened(write_folder(tmp_path / "m", "dinov2"))
    model = transformers.AutoModel.from_pretrained(tmp_path / "m")
    model.save_pretrained(tmp_path / "s", max_shard_size="20KB")
    (tmp_path / "s" / "preprocessor_config.json").write_bytes((tmp_path / "m/preprocessor_config.json").read_bytes())
    shards = opened(tmp_path / "s")

    assert len(shards.files) > 4
    assert shards.origin.sha256 != whole.origin.sha256
    assert (shards.run(IMAGE).vector == whole.run(IMAGE).vector).all()
    (index,) = (tmp_path / "s").glob("*.index.json")
    index.write_text(json.dumps({"weight_map": {"x": "../m/model.safetensors"}}))
    with pytest.raises(InvalidSettings, match="does not list files of weights"):
        opened(tmp_path / "s")


def drop_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    del weights[max(weights)]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})


def turn_weight(folder: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    name = next(name for name, each in weights.items() if each.ndim == 2 and each.shape[0] != each.shape[1])
    save_file(weights | {name: weights[name].T.contiguous()}, folder / "model.safetensors", {"format": "pt"})


def only_pickled(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def code_of_its_own(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config |= {"model_type": "their own", "auto_map": {"AutoConfig": "theirs.Config", "AutoModel": "theirs.Model"}}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "theirs.py").write_text("raise SystemExit('run')")


WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "a weight is missing": (drop_weight, r"lacks 1 of the model's weights, \S+ among them"),
    "a weight is turned": (turn_weight, "cannot be used for its weights"),
    "pickled weights": (only_pickled, "holds no model.safetensors"),
    "code of its own": (code_of_its_own, "cannot be used for its config.json"),
    "weights of another model": (
        lambda folder: (
            write_folder(folder.parent / "o", "clip"),
            (folder.parent / "o/model.safetensors").replace(folder / "model.safetensors"),
        ),
        "lacks .* of the model's weights",
    ),
    "cut off": (
        lambda folder: (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:-9]),
        "cannot be used for its weights",
    ),
    "config is no JSON": (lambda folder: (folder / "config.json").write_text("{"), "cannot be used for its config"),
    "processor is no JSON": (
        lambda folder: (folder / "preprocessor_config.json").write_text("{"),
        "cannot be used for its image processor",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_folder_that_is_not_whole_is_refused(tmp_path: Path, case: str) -> None:
    damage, sentence = WRONG[case]
    folder = write_folder(tmp_path / "m", "dinov2")
    damage(folder)

    with pytest.raises(InvalidSettings, match=sentence) as refused:
        opened(folder)
    assert "\n" not in str(refused.value)


RECIPES: dict[str, tuple[str, dict[str, Any], str]] = {
    "too many layers": ("dinov2", {"layer": 4}, "has 3 layers, and layer 4 is wanted"),
    "layer 0": ("dinov2", {"layer": 0}, r"m\.json: layer: Input should be greater than or equal to 1"),
    "no class token": ("siglip", {"vector": ["class"]}, "has nothing that is 'class'"),
    "no registers": ("dinov2", {"vector": ["registers"]}, "has nothing that is 'registers'"),
    "no projection": ("siglip", {"vector": ["projected"]}, "has nothing that is 'projected'"),
    "no such part": ("clip", {"vector": ["text"]}, r"m\.json: vector\.0: Input should be 'class'"),
    "no part": ("clip", {"vector": []}, r"m\.json: vector: "),
    "no such precision": ("clip", {"precision": "int8"}, r"m\.json: precision: Input should be 'float32'"),
    "no such name": ("clip", {"pooling": "mean"}, r"m\.json: pooling: Extra inputs are not permitted"),
    "another kind": ("vit", {}, "holds a 'vit'; what can be run is dinov2, "),
}


@pytest.mark.parametrize("case", RECIPES)
def test_a_recipe_that_does_not_fit_is_refused(tmp_path: Path, case: str) -> None:
    model_type, recipe, sentence = RECIPES[case]
    folder = write_folder(tmp_path / "m", model_type, recipe=recipe)

    with pytest.raises(InvalidSettings, match=sentence):
        opened(folder)


def test_a_device_that_is_not_there_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    folder = write_folder(tmp_path / "m", "dinov2", recipe={"device": "cuda"})
    with pytest.raises(InvalidSettings, match='"cuda", which torch has none of here; say "cpu"'):
        opened(folder)


def test_an_index_with_other_weights_is_refused(tmp_path: Path) -> None:
    write_pretrained(tmp_path, opened(write_folder(tmp_path / "m", "siglip_vision_model")))
    kept = open_pretrained(tmp_path / PARAMETERS)
    assert kept.backbone.origin.name == "m"
    other = write_folder(tmp_path / "o", "siglip_vision_model", seed=1)
    (tmp_path / "model.safetensors").write_bytes((other / "model.safetensors").read_bytes())
    with pytest.raises(IndexRefused, match=r"m has weights of SHA-256 .*, the index was built with"):
        open_pretrained(tmp_path / PARAMETERS)
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(IndexRefused, match=r"holds no model\.safetensors.*build the index again"):
        open_pretrained(tmp_path / PARAMETERS)


def test_without_transformers_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_folder(tmp_path / "m", "dinov2")
    monkeypatch.setitem(sys.modules, "transformers", None)
    with pytest.raises(PackagesMissing, match=r"not installed: pip install 'gmv\[worker,transformers\]'"):
        opened(folder)


def test_the_library_is_told_to_stay_off_line(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE"):
        monkeypatch.setenv(name, "0")
    hugging_face._transformers()
    assert {os.environ[name] for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")} == {"1"}
