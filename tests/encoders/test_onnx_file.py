"""ONNX files: what a recipe says is what is run, by ONNX's own reference; what does not fit is said in a sentence."""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx.reference import ReferenceEvaluator

from gmv.encoders.pretrained import onnx_file
from gmv.encoders.pretrained.backbones import choose_backbone
from gmv.encoders.pretrained.onnx_file import OnnxBackbone, open_chosen, open_kept
from gmv.encoders.pretrained.recipe import PIXEL_MEAN_OF_IMAGENET, PIXEL_SPREAD_OF_IMAGENET
from gmv.encoders.pretrained.storage import open_pretrained
from gmv.errors import IndexRefused, InvalidSettings, PackagesMissing, Poison, Reason
from tests.encoders.kinds import PARAMETERS, write_pretrained
from tests.encoders.networks import ONNX_SIDE, RECIPE, onnx_network, write_onnx
from tests.encoders.pictures import picture

FLOAT16, UINT8, INT64 = 10, 2, 7
IMAGE = picture(3, ONNX_SIDE, ONNX_SIDE)


def with_input(**stated: Any) -> dict[str, Any]:
    return RECIPE | {"input": RECIPE["input"] | stated}


def with_outputs(**stated: Any) -> dict[str, Any]:
    return RECIPE | {"outputs": RECIPE["outputs"] | stated}


def reference(network: onnx.ModelProto, pixels: np.ndarray) -> list[np.ndarray]:
    return list(ReferenceEvaluator(network).run(["embedding", "map"], {"pixels": pixels}))


def test_pixels_are_normalised_as_the_recipe_says(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "n.onnx", recipe=with_input(mean=[1, 2, 3], spread=[4, 5, 6]))
    pixels = ((IMAGE - np.array([1.0, 2, 3])) / [4.0, 5, 6]).astype(np.float32).transpose(2, 0, 1)[None]
    vector, planes = reference(onnx_network(), pixels)
    found = open_chosen(path).run(IMAGE)

    np.testing.assert_allclose(found.vector, vector.ravel(), rtol=1e-4)
    np.testing.assert_allclose(found.feature_map, planes[0].transpose(1, 2, 0), rtol=1e-3, atol=1e-3)


def test_channels_may_be_last_and_blue_first(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "n.onnx", recipe=with_input(layout="NHWC", channels="BGR"), nhwc=True)
    mean, spread = np.array(PIXEL_MEAN_OF_IMAGENET), np.array(PIXEL_SPREAD_OF_IMAGENET)
    vector, _ = reference(onnx_network(nhwc=True), ((IMAGE[:, :, ::-1] - mean) / spread).astype(np.float32)[None])

    np.testing.assert_allclose(open_chosen(path).run(IMAGE).vector, vector.ravel(), rtol=1e-4)


def test_a_sequence_is_laid_out_as_a_map_without_what_is_skipped(tmp_path: Path) -> None:
    as_map = open_chosen(write_onnx(tmp_path / "map.onnx")).run(IMAGE)
    recipe = with_outputs(layout="NLC", skipped=1)
    as_sequence = open_chosen(write_onnx(tmp_path / "sequence.onnx", recipe=recipe, sequence=True)).run(IMAGE)

    np.testing.assert_allclose(as_sequence.feature_map, as_map.feature_map, rtol=1e-5)


def test_a_recipe_may_be_toml(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "n.onnx", recipe=None)
    (tmp_path / "n.toml").write_text(
        'name = "a network"\nlicence = "MIT"\n[input]\nsize = 32\nmean = [0, 0, 0]\n'
        '[outputs]\nvector = "embedding"\ntokens = "map"\nlayout = "NCHW"\n'
    )
    found = open_chosen(path)

    assert (found.origin.name, found.origin.licence) == ("a network", "MIT")
    assert found.shape == (12, 4, 12)


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "no such output": (with_outputs(vector="logits"), {}, "has the outputs embedding, map, and none 'logits'"),
    "no such tokens": (with_outputs(tokens="patches"), {}, "has the outputs embedding, map, and none 'patches'"),
    "vector is a map": (with_outputs(vector="map"), {}, r"gives \[1, 12, 4, 4\] as 'map', not a vector"),
    "tokens are a vector": (with_outputs(tokens="embedding", layout="NLC"), {}, "no square of places"),
    "map is a sequence": (with_outputs(), {"sequence": True}, r"gives \[1, 17, 12\] as 'map', which is no square"),
    "class token is not skipped": (with_outputs(layout="NLC"), {"sequence": True}, "no square of places in the layout"),
    "all is skipped": (with_outputs(layout="NLC", skipped=17), {"sequence": True}, "no square of places"),
    "layout is turned": (with_outputs(layout="NHWC"), {}, "no square of places in the layout NHWC"),
    "text": (RECIPE, {"strings": True}, "gives no numbers as 'embedding'"),
    "another size": (with_input(size=64), {}, "cannot be run on an image of 64 pixels a side"),
    "channels last": (with_input(layout="NHWC"), {}, "cannot be run on an image of 32 pixels"),
    "two inputs": (RECIPE, {"inputs": 2}, "has the inputs more, pixels; state one as input.name"),
    "two inputs, one named": (
        with_input(name="pixels"),
        {"inputs": 2},
        "has the inputs more, pixels, where one is need",
    ),
    "no such input": (with_input(name="image"), {}, "has the inputs pixels, where one is needed, 'image'"),
    "unknown name": (RECIPE | {"colour": "RGB"}, {}, r"n\.json: colour: Extra inputs are not permitted"),
    "no licence": ({key: RECIPE[key] for key in ("name", "input", "outputs")}, {}, r"n\.json: licence: Field required"),
    "no size": (RECIPE | {"input": {}}, {}, r"n\.json: input\.size: Field required"),
    "size of 0": (with_input(size=0), {}, r"input\.size: Input should be greater than or equal to 16"),
    "size of a million": (with_input(size=10**6), {}, r"input\.size: Input should be less than or equal to"),
    "unknown layout": (with_outputs(layout="CHW"), {}, r"outputs\.layout: Input should be 'NCHW'"),
    "a spread of 0": (with_input(spread=[1, 0, 1]), {}, r"input\.spread.*greater than 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_said(tmp_path: Path, case: str) -> None:
    recipe, how, sentence = WRONG[case]
    path = write_onnx(tmp_path / "n.onnx", recipe=recipe, **how)

    with pytest.raises(InvalidSettings, match=sentence) as refused:
        open_chosen(path)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("content", [b"", b"no network", onnx_network().SerializeToString()[:-100], b"\x08\x09"])
def test_a_file_that_is_no_network_is_refused(tmp_path: Path, content: bytes) -> None:
    path = write_onnx(tmp_path / "n.onnx")
    path.write_bytes(content)

    with pytest.raises(InvalidSettings, match=r"n\.onnx cannot be run by ONNX Runtime"):
        open_chosen(path)


def test_weights_in_a_second_file_are_not_read(tmp_path: Path) -> None:
    path = write_onnx(tmp_path / "n.onnx")
    onnx.save_model(onnx_network(), path, save_as_external_data=True, location="weights.bin", size_threshold=0)
    assert (tmp_path / "weights.bin").stat().st_size > 1_000

    with pytest.raises(InvalidSettings, match="it has to be one file, with all of its weights in it"):
        open_chosen(path)


def test_numbers_of_another_kind_than_pixels_have_are_refused(tmp_path: Path) -> None:
    network = onnx_network()
    network.graph.input[0].type.tensor_type.elem_type = INT64
    network.graph.node[0].op_type = "Cast"
    network.graph.node[0].attribute.append(onnx.helper.make_attribute("to", 1))
    path = write_onnx(tmp_path / "n.onnx")
    path.write_bytes(network.SerializeToString())

    with pytest.raises(InvalidSettings, match=r"takes tensor\(int64\), not images in float32, float16 or uint8"):
        open_chosen(path)


def test_raw_pixels_are_taken_by_a_network_that_scales_them_itself(tmp_path: Path) -> None:
    network = onnx_network()
    network.graph.input[0].type.tensor_type.elem_type = UINT8
    network.graph.node[0].op_type = "Cast"
    network.graph.node[0].attribute.append(onnx.helper.make_attribute("to", 1))
    path = write_onnx(tmp_path / "n.onnx")
    path.write_bytes(network.SerializeToString())
    vector, _ = reference(onnx_network(), IMAGE.astype(np.float32).transpose(2, 0, 1)[None])

    np.testing.assert_allclose(open_chosen(path).run(IMAGE).vector, vector.ravel(), rtol=1e-4)


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"n\.onnx is no file that is there"):
        open_chosen(tmp_path / "n.onnx")
    path = write_onnx(tmp_path / "n.onnx", recipe=None)
    with pytest.raises(InvalidSettings, match=r"has no recipe beside it; .*n\.toml"):
        open_chosen(path)
    (tmp_path / "n.json").write_text(json.dumps(RECIPE))
    (tmp_path / "n.toml").touch()
    with pytest.raises(InvalidSettings, match=r"n\.toml and .*n\.json are both there"):
        open_chosen(path)
    with pytest.raises(InvalidSettings, match=r"neither efficientnet-lite0 nor an \.onnx file nor a folder"):
        choose_backbone(str(tmp_path / "n.pt"))


@pytest.mark.parametrize(("name", "content"), [("n.toml", b"size = "), ("n.json", b"{"), ("n.toml", b"\xff\xfe")])
def test_a_recipe_that_cannot_be_read_is_named(tmp_path: Path, name: str, content: bytes) -> None:
    path = write_onnx(tmp_path / "n.onnx", recipe=None)
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InvalidSettings, match=rf"{name} is no {name[2:].upper()} \("):
        open_chosen(path)


@pytest.mark.parametrize("mean", ["nan, 0, 0", "0, inf, 0", "0, 0, 'a'", "0, 0"])
def test_a_mean_that_is_none_is_refused(tmp_path: Path, mean: str) -> None:
    path = write_onnx(tmp_path / "n.onnx", recipe=None)
    (tmp_path / "n.toml").write_text(f"name = 'n'\nlicence = 'MIT'\n[input]\nsize = 32\nmean = [{mean}]\n")

    with pytest.raises(InvalidSettings, match=r"n\.toml: input\.mean\.[012]: "):
        open_chosen(path)


@pytest.mark.parametrize("factor", [1e38, -1e38, 1e7])
def test_an_image_that_overflows_is_poison_and_others_are_not(tmp_path: Path, factor: float) -> None:
    recipe = with_input(mean=[0, 0, 0], spread=[1, 1, 1])
    backbone = open_chosen(write_onnx(tmp_path / "n.onnx", recipe=recipe, factor=factor))

    assert isinstance(backbone, OnnxBackbone)
    with pytest.raises(Poison, match="is not finite") as refused:
        backbone.run(np.full((8, 8, 3), 255, np.uint8))
    assert refused.value.reason is Reason.INVALID_FEATURES
    assert not backbone.run(np.zeros((8, 8, 3), np.uint8)).vector.any()


def test_an_index_with_another_network_file_is_refused(tmp_path: Path) -> None:
    write_pretrained(tmp_path, open_chosen(write_onnx(tmp_path / "chosen.onnx")))
    before = open_pretrained(tmp_path / PARAMETERS).encoder_id
    (tmp_path / onnx_file.KEPT).write_bytes(onnx_network(seed=1).SerializeToString())
    with pytest.raises(IndexRefused, match=r"a test's network has weights of SHA-256 .*, the index was built with"):
        open_pretrained(tmp_path / PARAMETERS)
    (tmp_path / onnx_file.KEPT).unlink()
    with pytest.raises(IndexRefused, match=r"network\.onnx: No such file.*build the index again"):
        open_pretrained(tmp_path / PARAMETERS)
    write_pretrained(tmp_path, open_chosen(write_onnx(tmp_path / "chosen.onnx", recipe=with_input(channels="BGR"))))
    assert open_pretrained(tmp_path / PARAMETERS).encoder_id != before


def test_without_onnx_runtime_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_onnx(tmp_path / "n.onnx")
    options = open_chosen(path).options
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(PackagesMissing, match=r"not installed: pip install 'gmv\[worker,onnx\]'"):
        open_chosen(path)
    (tmp_path / onnx_file.KEPT).write_bytes(path.read_bytes())
    with pytest.raises(PackagesMissing, match=r"pip install 'gmv\[worker,onnx\]'"):
        open_kept(tmp_path, options)
