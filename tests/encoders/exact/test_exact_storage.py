from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load, save

from gmv.encoders.exact import descriptor
from gmv.encoders.exact.storage import open_exact, to_bytes
from gmv.encoders.open import open_encoder
from gmv.errors import IndexRefused
from tests.encoders.exact.descriptors import ENCODER, PARAMETERS, PICTURES

NAMES = sorted(load(to_bytes(PARAMETERS)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "encoder.safetensors"
    path.write_bytes(to_bytes(PARAMETERS))
    return path


def test_an_opened_descriptor_encodes_as_the_fitted_one(path: Path) -> None:
    opened = open_exact(path)

    assert opened.encoder_id.startswith("exact-descriptor/1@")
    assert opened.encode(PICTURES).tokens.tobytes() == ENCODER.encode(PICTURES).tokens.tobytes()
    assert opened.encode(PICTURES).vectors.tobytes() == ENCODER.encode(PICTURES).vectors.tobytes()


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_counts_for_the_id(path: Path, name: str) -> None:
    before = open_exact(path).encoder_id
    arrays = load(path.read_bytes())
    changed = np.array(arrays[name])
    changed.flat[0] = -changed.flat[0] if name.endswith("signs") else changed.flat[0] // 2 + 9
    path.write_bytes(save(arrays | {name: changed}))

    assert open_exact(path).encoder_id != before


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("damage", ["missing", "shape", "type", "another beside it"])
def test_a_file_of_something_else_is_refused(path: Path, name: str, damage: str) -> None:
    arrays = load(path.read_bytes())
    match damage:
        case "missing":
            del arrays[name]
        case "shape":
            arrays[name] = np.zeros((3, 3, 3), arrays[name].dtype)
        case "type":
            arrays[name] = arrays[name].astype(np.float16)
        case "another beside it":
            arrays[f"{name}.more"] = arrays[name]
    path.write_bytes(save(arrays))

    with pytest.raises(IndexRefused, match=r"encoder\.safetensors"):
        open_exact(path)


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("working_size", 5_000),
        ("whitening_factor", np.nan),
        ("roots_factor", 0.0),
        ("cells_factor", np.inf),
        ("tokens.signs", 0),
        ("whitening", -128),
        ("atoms", -128),
    ],
)
def test_a_number_out_of_its_range_is_refused(path: Path, name: str, number: float) -> None:
    arrays = load(path.read_bytes())
    path.write_bytes(save(arrays | {name: np.full_like(arrays[name], number)}))

    with pytest.raises(IndexRefused, match="does not hold"):
        open_exact(path)


@pytest.mark.parametrize("content", [b"", b"no tensors", to_bytes(PARAMETERS)[:-1]])
def test_a_damaged_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(IndexRefused, match="build the index again"):
        open_exact(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexRefused, match="No such file"):
        open_exact(tmp_path / "none")


def test_the_manifest_has_to_mean_this_encoder(path: Path) -> None:
    meant = open_exact(path)
    entry = (meant.encoder_id, path, meant.vector_size, meant.tokens_shape)

    assert open_encoder(descriptor.KIND, *entry).encoder_id == meant.encoder_id
    with pytest.raises(IndexRefused, match="but the index was built by other"):
        open_encoder(descriptor.KIND, "other", *entry[1:])
