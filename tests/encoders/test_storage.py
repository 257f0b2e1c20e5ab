from pathlib import Path

import pytest
import torch
from safetensors.torch import load, save

from gmv.encoders import descriptor, precomputed
from gmv.encoders.open import open_encoder
from gmv.encoders.storage import open_descriptor
from gmv.errors import IndexRefused, Poison, Reason
from tests.encoders.former import former_bytes
from tests.encoders.pictures import picture

PICTURES = [picture(seed) for seed in range(6)]
FILE = former_bytes()
FIRST_NUMBERS = [0.09171, 0.11106, 0.07295, 0.06757, 0.02464, -0.01318]
"""Of the vectors."""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "encoder.safetensors"
    path.write_bytes(FILE)
    return path


def test_a_file_opens_as_the_descriptor_that_it_was(path: Path) -> None:
    """As the last gmv that learnt such descriptors opened it."""
    opened = open_descriptor(path)

    assert opened.encoder_id == "fitted-descriptor/1@e34dc1af5ce0d1e5"
    assert (opened.vector_size, opened.tokens_shape) == (20, (64, 16))
    assert opened.encode(PICTURES).vectors[:, 0] == pytest.approx(FIRST_NUMBERS, abs=1e-4)


@pytest.mark.parametrize("name", sorted(load(FILE)))
def test_every_parameter_counts_for_the_id(path: Path, name: str) -> None:
    before = open_descriptor(path).encoder_id
    tensors = load(path.read_bytes())
    tensors[name] = tensors[name] + 1
    path.write_bytes(save(tensors))

    assert open_descriptor(path).encoder_id != before


@pytest.mark.parametrize("name", sorted(load(FILE)))
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


@pytest.mark.parametrize("content", [b"", b"no tensors", FILE[:-1]])
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
