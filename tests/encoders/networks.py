"""Small networks that tests make themselves: of random weights, in ONNX files and Hugging Face folders."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

ONNX_SIDE = 32
RECIPE: dict[str, Any] = {
    "name": "a test's network",
    "licence": "CC0-1.0",
    "input": {"size": ONNX_SIDE},
    "outputs": {"vector": "embedding", "tokens": "map", "layout": "NCHW"},
}


def write_onnx(path: Path, *, seed: int = 0, recipe: dict[str, Any] | None = RECIPE, **how: Any) -> Path:
    """Write a network, and a recipe beside it unless that is None."""
    path.write_bytes(onnx_network(seed, **how).SerializeToString())
    if recipe is not None:
        path.with_suffix(".json").write_text(json.dumps(recipe))
    return path


def onnx_network(
    seed: int = 0,
    *,
    nhwc: bool = False,
    type_: int = TensorProto.FLOAT,
    inputs: int = 1,
    sequence: bool = False,
    factor: float = 1.0,
    strings: bool = False,
) -> onnx.ModelProto:
    """A convolution of 8 x 8 pixels to 12 channels, their squares as `map` [1, 12, 4, 4] and means as `embedding`.

    Args:
        seed: of its weights.
        nhwc: whether its input has channels last.
        type_: of its input and all numbers.
        inputs: one, or more that are ignored.
        sequence: whether `map` is [1, 1 + 16, 12] instead, with a first token that is no place.
        factor: that the means are multiplied by: of 1e38, a bright image's are infinite.
        strings: whether the means are put out as text.
    """
    draw = np.random.default_rng(seed)
    kind = helper.tensor_dtype_to_np_dtype(type_)
    weights = [("kernel", draw.normal(0, 0.2, (12, 3, 8, 8)).astype(kind))]
    nodes = [helper.make_node("Conv", ["planes", "kernel"], ["raw"], strides=[8, 8])]
    shape = [1, ONNX_SIDE, ONNX_SIDE, 3] if nhwc else [1, 3, ONNX_SIDE, ONNX_SIDE]
    moved = helper.make_node("Transpose", ["pixels"], ["planes"], perm=[0, 3, 1, 2])
    nodes.insert(0, moved if nhwc else helper.make_node("Identity", ["pixels"], ["planes"]))
    nodes.append(helper.make_node("Mul", ["raw", "raw"], ["squares"]))
    weights.append(("factor", np.array(factor, kind)))
    nodes.append(helper.make_node("Mul", ["squares", "factor"], ["multiplied"]))
    nodes.append(helper.make_node("GlobalAveragePool", ["multiplied"], ["means" if strings else "embedding"]))
    if strings:
        nodes.append(helper.make_node("Cast", ["means"], ["embedding"], to=TensorProto.STRING))
    map_shape = [1, 12, 4, 4]
    if sequence:
        weights += [("flat", np.array([1, 12, 16], np.int64)), ("token", np.zeros((1, 1, 12), kind))]
        nodes.append(helper.make_node("Reshape", ["squares", "flat"], ["columns"]))
        nodes.append(helper.make_node("Transpose", ["columns"], ["places"], perm=[0, 2, 1]))
        nodes.append(helper.make_node("Concat", ["token", "places"], ["map"], axis=1))
        map_shape = [1, 17, 12]
    else:
        nodes.append(helper.make_node("Identity", ["squares"], ["map"]))
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info(name, type_, shape) for name in ["pixels", "more", "most"][:inputs]],
        [
            helper.make_tensor_value_info("embedding", TensorProto.STRING if strings else type_, [1, 12, 1, 1]),
            helper.make_tensor_value_info("map", type_, map_shape),
        ],
        [numpy_helper.from_array(numbers, name) for name, numbers in weights],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


FOLDERS = (
    "dinov2",
    "dinov2_with_registers",
    "dinov3_vit",
    "clip",
    "clip_vision_model",
    "siglip",
    "siglip_vision_model",
)
TOWER = {"hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 2, "image_size": 32, "patch_size": 8}
TEXT = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 16, "vocab_size": 60}


def write_folder(path: Path, model_type: str, *, seed: int = 0, recipe: dict[str, Any] | None = None) -> Path:
    """Write a small model of a kind as the library itself does, 4 x 4 patches of 32 numbers, and a recipe if given."""
    import transformers as hf

    torch.manual_seed(seed)
    vision = TOWER | {"intermediate_size": 48}
    match model_type:
        case "dinov2":
            model: Any = hf.Dinov2Model(hf.Dinov2Config(**TOWER, mlp_ratio=2))
        case "dinov2_with_registers":
            model = hf.Dinov2WithRegistersModel(
                hf.Dinov2WithRegistersConfig(**TOWER, mlp_ratio=2, num_register_tokens=2)
            )
        case "dinov3_vit":
            model = hf.DINOv3ViTModel(hf.DINOv3ViTConfig(**vision, num_register_tokens=3))
        case "clip":
            model = hf.CLIPModel(hf.CLIPConfig(text_config=TEXT, vision_config=vision, projection_dim=24))
        case "clip_vision_model":
            model = hf.CLIPVisionModel(hf.CLIPVisionConfig(**vision))
        case "siglip":
            model = hf.SiglipModel(hf.SiglipConfig(text_config=TEXT, vision_config=vision))
        case "siglip_vision_model":
            model = hf.SiglipVisionModel(hf.SiglipVisionConfig(**vision))
        case _:
            model = hf.ViTModel(hf.ViTConfig(**vision))
    model.save_pretrained(path)
    _processor(hf, model_type).save_pretrained(path)
    if recipe is not None:
        Path(f"{path}.json").write_text(json.dumps(recipe))
    return path


def _processor(hf: Any, model_type: str) -> Any:
    side = {"height": 32, "width": 32}
    if model_type.startswith("clip"):
        return hf.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=side)
    if model_type == "dinov3_vit":
        return hf.DINOv3ViTImageProcessor(size=side)
    if model_type.startswith("siglip"):
        return hf.SiglipImageProcessorPil(size=side)
    return hf.BitImageProcessorPil(size={"shortest_edge": 36}, crop_size=side)
