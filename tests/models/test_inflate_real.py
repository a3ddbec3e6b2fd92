"""A real 2D network, with ImageNet weights, keeps its answers for photographs when inflated."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import lite0
import numpy as np
import pytest
import sources_2d as two_d
from lite0_2d import Lite0


@pytest.fixture(scope="module")
def network() -> Lite0:
    return Lite0(lite0.state())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lite0.write_safetensors(tmp_path_factory.mktemp("lite0"))


def as_padded_here(network: Lite0, image: np.ndarray) -> Any:
    """What the 2D network answers with ImageNet's mean colour round the picture, as here."""
    return network(image, tuple(two_d.MEAN))


@pytest.mark.parametrize("name", lite0.PICTURES)
@pytest.mark.parametrize("side", [224, lite0.SIDE])
def test_the_2d_network_knows_the_pictures(network: Lite0, name: str, side: int) -> None:
    """So weights, statistics and padding are read as they were meant."""
    assert lite0.best(network(lite0.picture(name, side)), 1)[0] in lite0.PICTURES[name][1]


def test_every_real_weight_is_accounted_for(file: Path) -> None:
    _, report = lite0.inflated(file, "S+ST", "normalized")
    assert report.new == ()
    assert {name.rpartition(".")[2] for name in report.unused} == {"num_batches_tracked"}
    assert len(report.unused) == 49


def test_spatial_paths_answer_as_the_2d_network(network: Lite0, file: Path) -> None:
    """Only the stem sees time: the middle of nine frames is away from the ends."""
    model, _ = lite0.inflated(file, "S", "authors")
    image = lite0.picture("cat")
    centre, _ = lite0.answers(model, image, 9)
    np.testing.assert_allclose(centre, as_padded_here(network, image), atol=1e-5, rtol=0)
    assert lite0.best(centre) == lite0.best(network(image))


@pytest.mark.slow
@pytest.mark.parametrize(("unit", "scaling"), [("ST", "authors"), ("S+ST", "normalized")])
def test_so_do_paths_that_see_time(network: Lite0, file: Path, unit: str, scaling: str) -> None:
    model, _ = lite0.inflated(file, unit, scaling)
    for name in lite0.PICTURES:
        image = lite0.picture(name)
        expected = as_padded_here(network, image)
        centre, clip = lite0.answers(model, image, lite0.FRAMES)
        np.testing.assert_allclose(centre, expected, atol=1e-5, rtol=0)
        assert lite0.best(centre) == lite0.best(expected)
        # of the whole clip some frames see the zeros beyond its ends
        assert lite0.best(clip, 1) == lite0.best(expected, 1)
        assert 1e-3 < np.abs(clip - expected).max() < 0.05


@pytest.mark.slow
def test_two_paths_at_full_strength_lose_the_answer(file: Path) -> None:
    """The authors' scaling of S+ST: ReLU6 and the copied statistics do not bear twice the value."""
    model, _ = lite0.inflated(file, "S+ST", "authors")
    centre, _ = lite0.answers(model, lite0.picture("cat"), lite0.FRAMES)
    assert not set(lite0.best(centre)) & set(lite0.PICTURES["cat"][1])
