from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from gmv.encoders import descriptor, precomputed
from gmv.encoders.fitting import FittingSettings, fit_descriptor
from gmv.encoders.open import open_encoder
from gmv.encoders.storage import open_descriptor, to_bytes
from gmv.errors import IndexRefused, Poison, Reason
from tests.encoders.pictures import WORKING_SIZE, picture

PICTURES = [picture(seed) for seed in range(6)]
PARAMETERS = fit_descriptor(PICTURES, FittingSettings(working_size=WORKING_SIZE))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "encoder.safetensors"
    path.write_bytes(to_bytes(PARAMETERS))
    return path


def test_an_opened_descriptor_encodes_as_the_fitted_one(path: Path) -> None:
    opened = open_descriptor(path)
    fitted = descriptor.FittedDescriptor(opened.encoder_id, PARAMETERS)

    assert opened.encoder_id.startswith("fitted-descriptor/1@")
    assert opened.encode(PICTURES).tokens.tobytes() == fitted.encode(PICTURES).tokens.tobytes()
    assert opened.encode(PICTURES).vectors.tobytes() == fitted.encode(PICTURES).vectors.tobytes()


@pytest.mark.parametrize("name", sorted(load(to_bytes(PARAMETERS))))
def test_every_parameter_counts_for_the_id(path: Path, name: str) -> None:
    before = open_descriptor(path).encoder_id
    tensors = load(path.read_bytes())
    tensors[name] = tensors[name] + 1
    path.write_bytes(save(tensors))

    assert open_descriptor(path).encoder_id != before


@pytest.mark.parametrize("name", sorted(load(to_bytes(PARAMETERS))))
@pytest.mark.parametrize("damage", ["missing", "shape", "type", "not finite"])
def test_a_file_of_something_else_is_refused(path: Path, name: str, damage: str) -> None:
    tensors = load(path.read_bytes())
    match damage:
        case "missing":
            del tensors[name]
        case "shape":
            tensors[name] = torch.zeros(3, 3, 3)
        case "type":
            tensors[name] = tensors[name].to(torch.complex64)
        case "not finite":
            tensors[name] = torch.full(tensors[name].shape, torch.nan)
    path.write_bytes(save(tensors))

    with pytest.raises(IndexRefused, match=r"encoder\.safetensors"):
        open_descriptor(path)


@pytest.mark.parametrize("content", [b"", b"no tensors", to_bytes(PARAMETERS)[:-1]])
def test_a_damaged_file_is_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)

    with pytest.raises(IndexRefused, match="build the index again"):
        open_descriptor(path)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IndexRefused, match="No such file"):
        open_descriptor(tmp_path / "none")


def test_the_manifest_has_to_mean_this_encoder(path: Path) -> None:
    meant = open_descriptor(path)
    entry = (meant.encoder_id, path, meant.vector_size, meant.tokens_shape)

    assert open_encoder(descriptor.KIND, *entry).encoder_id == meant.encoder_id
    with pytest.raises(IndexRefused, match="but the index was built by other"):
        open_encoder(descriptor.KIND, "other", *entry[1:])
    with pytest.raises(IndexRefused, match="'unheard-of'"):
        open_encoder("unheard-of", *entry)
    with pytest.raises(IndexRefused, match="build it again"):
        open_encoder(descriptor.KIND, meant.encoder_id, path, meant.vector_size + 1, meant.tokens_shape)


def test_an_encoder_that_lives_elsewhere_names_features_and_makes_none() -> None:
    encoder = open_encoder(precomputed.KIND, "theirs/7", None, 5, (4, 3))

    assert (encoder.encoder_id, encoder.vector_size, encoder.tokens_shape) == ("theirs/7", 5, (4, 3))
    with pytest.raises(Poison, match=r"theirs/7.*send features") as refused:
        encoder.encode(PICTURES)
    assert refused.value.reason is Reason.WRONG_ENCODER
