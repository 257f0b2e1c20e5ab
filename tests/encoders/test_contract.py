"""What every encoder that sees images has to do: the same tests over all of them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from gmv.encoders.open import open_encoder
from gmv.encoders.port import LENGTH_TOLERANCE, Encoder
from gmv.encoders.pretrained.storage import open_pretrained
from gmv.encoders.storage import open_descriptor
from gmv.errors import IndexRefused
from gmv.threads import one_thread
from tests.encoders.kinds import KINDS, NETWORK_KINDS, PARAMETERS
from tests.encoders.pictures import picture

IMAGES = [
    picture(1, 48, 48),
    picture(2, 32, 32),
    picture(3, 20, 90),
    picture(4, 1, 1),
    picture(5, 700, 3),
    np.zeros((40, 40, 3), np.uint8),
    np.full((17, 31, 3), 255, np.uint8),
]


class Written(NamedTuple):
    """An encoder as an index has it."""

    kind: str
    path: Path
    encoder: Encoder

    def reopened(self, **other: object) -> Encoder:
        """As its manifest says, but for what is given here."""
        meant = {
            "kind": self.kind,
            "encoder_id": self.encoder.encoder_id,
            "parameters": self.path,
            "vector_size": self.encoder.vector_size,
            "tokens_shape": self.encoder.tokens_shape,
        }
        return open_encoder(**(meant | other))  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=KINDS)
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Written]:
    write: Callable[[Path], str] = KINDS[request.param]
    folder = tmp_path_factory.mktemp("encoder")
    with one_thread():
        kind, path = write(folder), folder / PARAMETERS
        opened = open_pretrained(path) if kind in NETWORK_KINDS else open_descriptor(path)
        yield Written(kind, path, opened)


def bits(encoder: Encoder, images: list[np.ndarray]) -> list[bytes]:
    """Each image's features, bit for bit."""
    found = encoder.encode(images)
    return [vector.tobytes() + tokens.tobytes() for vector, tokens in zip(found.vectors, found.tokens, strict=True)]


def test_an_image_has_the_same_features_in_any_batch_and_thread(written: Written) -> None:
    alone = [bits(written.encoder, [image])[0] for image in IMAGES]

    assert bits(written.encoder, IMAGES) == alone
    assert bits(written.encoder, IMAGES[::-1]) == alone[::-1]
    assert bits(written.encoder, [IMAGES[0]] * 3) == alone[:1] * 3
    with ThreadPoolExecutor(3) as pool:
        assert [each[0] for each in pool.map(lambda image: bits(written.encoder, [image]), IMAGES * 2)] == alone * 2


def test_other_images_have_other_features(written: Written) -> None:
    assert len(set(bits(written.encoder, IMAGES[:4]))) == 4


def test_features_have_the_sizes_that_are_stated(written: Written) -> None:
    found = written.encoder.encode(IMAGES)

    assert found.vectors.shape == (len(IMAGES), written.encoder.vector_size)
    assert found.tokens.shape == (len(IMAGES), *written.encoder.tokens_shape)
    assert found.vectors.dtype == found.tokens.dtype == np.float32
    assert len(written.encoder.encode([])) == 0


def test_features_are_finite_of_unit_length_and_as_float16_holds_them(written: Written) -> None:
    found = written.encoder.encode(IMAGES)

    assert np.isfinite(found.vectors).all()
    assert np.abs(np.linalg.norm(found.vectors.astype(np.float64), axis=1) - 1).max() <= LENGTH_TOLERANCE
    assert (found.tokens == found.tokens.astype(np.float16)).all()
    content = np.linalg.norm(found.tokens[..., :-2], axis=2)
    assert (np.abs(content - 1) <= LENGTH_TOLERANCE).all()


def test_tokens_say_where_they_are(written: Written) -> None:
    places = written.encoder.encode(IMAGES[:2]).tokens[..., -2:]
    side = int(written.encoder.tokens_shape[0] ** 0.5)

    assert (places[0] == places[1]).all()
    assert (places[0].reshape(side, side, 2)[:, :, 0] == places[0].reshape(side, side, 2)[:, :, 1].T).all()
    assert np.allclose(np.unique(places[0, :, 0]), 2 * np.arange(side) / side, atol=1e-3)


def test_opened_again_it_is_the_same(written: Written) -> None:
    again = written.reopened()

    assert again.encoder_id == written.encoder.encoder_id
    assert again.encoder_id.startswith(f"{written.kind}@")
    assert bits(again, IMAGES) == bits(written.encoder, IMAGES)


@pytest.mark.parametrize(
    "other",
    [{"encoder_id": "other"}, {"vector_size": 9_999}, {"tokens_shape": (1, 3)}, {"kind": "unheard-of/1"}],
    ids=lambda other: next(iter(other)),
)
def test_another_than_the_manifest_means_is_refused(written: Written, other: dict[str, object]) -> None:
    with pytest.raises(IndexRefused, match="build it again"):
        written.reopened(**other)


def test_no_parameter_can_be_missing_or_of_another_shape_or_type(written: Written, tmp_path: Path) -> None:
    sound = load(written.path.read_bytes())
    for file in written.path.parent.iterdir():
        if file.is_file() and file != written.path:
            (tmp_path / file.name).symlink_to(file)
    for name, tensor in sound.items():
        for tensors in (
            {key: value for key, value in sound.items() if key != name},
            sound | {name: torch.zeros(3, 3, 3)},
            sound | {name: tensor.to(torch.complex64)},
            sound | {name: torch.full(tensor.shape, torch.nan)},
        ):
            (tmp_path / PARAMETERS).write_bytes(save(tensors))
            with pytest.raises(IndexRefused, match="build the index again"):
                written.reopened(parameters=tmp_path / PARAMETERS)
