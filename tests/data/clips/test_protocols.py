from __future__ import annotations

import dataclasses

import pytest

from vdroppath_tf.data.clips.protocols import PROTOCOLS, Protocol
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.training import PUBLISHED

EVALUATION = ClipSampling(
    8, 2, short_edge=256, crop=224, flip=True, clips_per_video=7, crop_scales=(1.0, 0.5)
)


def test_the_table() -> None:
    assert {name: (p.clips, p.crops, p.views) for name, p in PROTOCOLS.items()} == {
        "paper-1clip": (1, 1, 1),
        "paper-2clip": (2, 1, 2),
        "10x3": (10, 3, 30),
    }


def test_one_crop_keeps_the_networks_sizes() -> None:
    got = PROTOCOLS["paper-2clip"].sampling(EVALUATION)
    assert got == dataclasses.replace(EVALUATION, clips_per_video=2, crop_scales=())


@pytest.mark.parametrize(
    ("edge", "crop", "side"), [(256, 224, 224), (256, (224, 224), 224), (112, None, 112)]
)
def test_three_crops_are_as_high_as_the_frames(edge: int, crop: int | None, side: int) -> None:
    plain = ClipSampling(8, short_edge=edge, crop=crop)
    got = PROTOCOLS["10x3"].sampling(plain)
    assert (got.short_edge, got.crop) == (side, side)
    assert (got.clips_per_video, got.crops_per_clip, got.views("test")) == (10, 3, 30)


@pytest.mark.parametrize(
    "sampling", [ClipSampling(8), ClipSampling(8, short_edge=256, crop=(224, 200))]
)
def test_three_crops_need_a_square(sampling: ClipSampling) -> None:
    with pytest.raises(ValueError, match="'10x3' cuts 3 square crops"):
        PROTOCOLS["10x3"].sampling(sampling)
    assert Protocol("2x1", 2).sampling(sampling).views("test") == 2


def test_every_protocol_fits_the_published_recipes() -> None:
    for recipe in PUBLISHED.values():
        for protocol in PROTOCOLS.values():
            assert protocol.sampling(recipe.evaluation).views("test") == protocol.views
        # what the paper tested videos with
        assert PROTOCOLS["paper-2clip"].sampling(recipe.evaluation) == recipe.evaluation
