"""Generators are trained the same each time, stop where a loss is no number, and are opened as they were stored."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from gmv.errors import ExperimentRefused
from gmv.experiments.generators.averaging import Average
from gmv.experiments.generators.pixels import to_pixels, to_torch
from gmv.experiments.generators.presets import GENERATORS, SMALL, family
from gmv.experiments.generators.training import train
from gmv.experiments.stored import load, store, stored_network
from tests.experiments.world import CLASSES, SIDE, shapes

SHAPE = (1, SIDE, SIDE)
STAMP = {"generator": "any", "seed": 1, "configuration": {"steps": 3, "size": {"width": 8}}}


def tiny(name: str) -> Any:
    made: Any = family(name, SIDE)
    return replace(made, steps=3, batch=4)


@pytest.mark.parametrize("name", GENERATORS)
def test_the_same_seed_gives_the_same_images_and_another_gives_others(name):
    images, labels = shapes(per_class=4), np.arange(6) % CLASSES

    def drawn(training_seed, drawing_seed):
        network = train(tiny(name), images, training_seed)
        return tiny(name).generator(network, SHAPE, CLASSES).draw(labels, drawing_seed)

    first = drawn(1, 1)
    assert first.dtype == np.uint8
    assert first.shape == (6, SIDE, SIDE, 1)
    np.testing.assert_array_equal(first, drawn(1, 1))
    assert (first != drawn(1, 2)).any()
    assert (first != drawn(2, 1)).any()


@pytest.mark.parametrize("name", GENERATORS)
def test_training_changes_no_random_numbers_of_others(name):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(tiny(name), shapes(per_class=4), 0)
    torch.testing.assert_close(torch.rand(3), expected)


@pytest.mark.parametrize(
    ("name", "rates"),
    [
        ("biggan", {"discriminator_rate": math.inf}),
        ("biggan", {"generator_rate": math.inf}),
        ("diffusion", {"learning_rate": math.inf}),
        ("diffusion", {"learning_rate": 1e38}),
    ],
)
def test_training_that_diverges_is_refused(name, rates):
    with pytest.raises(ExperimentRefused, match=rf"training of {name} \(seed 7\) diverged at step [012]: its loss"):
        train(replace(tiny(name), **rates), shapes(per_class=4), 7)


@pytest.mark.parametrize("name", GENERATORS)
def test_a_stored_generator_draws_what_it_drew(name, tmp_path):
    made, labels, path = tiny(name), np.arange(3), tmp_path / "network.safetensors"
    network = train(made, shapes(per_class=4), 0)
    store(path, network.state_dict(), STAMP)
    opened = stored_network(path, made.empty_network(SHAPE, CLASSES), STAMP)

    assert opened is not None
    drawn = (made.generator(each, SHAPE, CLASSES).draw(labels, 3) for each in (network, opened))
    np.testing.assert_array_equal(*drawn)


def test_guidance_is_that_of_drawing_alone():
    """The same weights draw by another w as a configuration does that has it; what is not guided draws as before."""
    labels, images = np.arange(3), shapes(per_class=4)
    for name in GENERATORS:
        made = tiny(name)
        network = train(made, images, 0)
        own, other = (made.generator(network, SHAPE, CLASSES, w).draw(labels, 3) for w in (None, 2.5))
        assert (own != other).any() == made.is_guided
        if made.is_guided:
            configured = replace(made, sampling=replace(made.sampling, guidance=2.5))
            np.testing.assert_array_equal(configured.generator(network, SHAPE, CLASSES).draw(labels, 3), other)


@pytest.mark.parametrize("name", GENERATORS)
def test_small_generators_make_images_of_32_pixels(name):
    small: Any = family(name, 32, size=SMALL)
    assert small.length.steps < family(name, 32).length.steps
    made = replace(small, steps=1, batch=2)
    images = shapes(per_class=2, side=32)
    drawn = made.generator(train(made, images, 0), (1, 32, 32), CLASSES).draw(np.arange(2), 0)
    assert drawn.shape == (2, 32, 32, 1)


def test_what_is_not_there_is_not_opened(tmp_path):
    assert load(tmp_path / "nothing", STAMP) is None


@pytest.mark.parametrize(
    ("other", "sentence"),
    [
        (STAMP | {"seed": 2}, "seed is 1 there, now 2"),
        (STAMP | {"configuration": {"steps": 4, "size": {"width": 8}}}, "configuration.steps is 3 there, now 4"),
        (STAMP | {"configuration": {"steps": 3, "size": {"width": 16}}}, "configuration.size.width is 8 there, now 16"),
        ({"generator": "any", "seed": 1}, "configuration is .* there, now None"),
    ],
)
def test_a_checkpoint_of_another_configuration_is_refused(tmp_path, other, sentence):
    store(tmp_path / "file", {"weight": torch.ones(2)}, STAMP)
    with pytest.raises(ExperimentRefused, match=f"another configuration .{sentence}"):
        load(tmp_path / "file", other)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff" * 100])
def test_a_damaged_checkpoint_is_refused(tmp_path, content):
    (tmp_path / "file").write_bytes(content)
    with pytest.raises(ExperimentRefused, match=r"cannot be read .*; delete it"):
        load(tmp_path / "file", STAMP)


def test_weights_of_another_network_are_refused(tmp_path):
    store(tmp_path / "file", {"weight": torch.ones(2)}, STAMP)
    with pytest.raises(ExperimentRefused, match="weights of another network"):
        stored_network(tmp_path / "file", torch.nn.Linear(3, 4), STAMP)


def test_sizes_and_generators_that_there_are_not_are_refused():
    with pytest.raises(ExperimentRefused, match="no generator 'gan'; there are biggan and diffusion"):
        family("gan", SIDE)
    with pytest.raises(ExperimentRefused, match="12 x 12 pixels have no size of biggan; bring them to 8 x 8 or 32"):
        family("biggan", 12)
    with pytest.raises(ExperimentRefused, match="no size 'tiny' of generators; there are full and small"):
        family("biggan", 32, size="tiny")
    with pytest.raises(ExperimentRefused, match="one size for images of 8 x 8 pixels; leave out --size small"):
        family("diffusion", SIDE, size="small")


def test_an_average_follows_the_weights_by_its_decay():
    network = torch.nn.Linear(1, 1, bias=False)
    torch.nn.init.zeros_(network.weight)
    average = Average(network, 0.9)
    torch.nn.init.ones_(network.weight)
    expected = 0.0
    for step in range(100):
        average.add(network)
        decay = min(0.9, (1 + step) / (10 + step))
        expected = decay * expected + 1 - decay
    assert next(average.network.parameters()).item() == pytest.approx(expected, rel=1e-5)


def test_pixels_go_to_torch_and_back():
    pixels = np.arange(256, dtype=np.uint8).reshape(1, 16, 16, 1)
    np.testing.assert_array_equal(to_pixels(to_torch(pixels)), pixels)
    assert to_torch(pixels).min() == -1
    assert to_torch(pixels).max() == 1
    assert to_pixels(torch.tensor([-3.0, 3.0]).reshape(1, 2, 1, 1)).tolist() == [[[[0, 255]]]]
