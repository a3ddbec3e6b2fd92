"""A softmax over one class is 1 whatever the clip shows: no network has it."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import rows
import tiny

from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.sources.video import VideoFile
from vdroppath_tf.derivation import replace_classifier
from vdroppath_tf.models.build import build_network
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.training import Clips, build_derived, build_template
from vdroppath_tf.zoo import get_model

WRONG = r"num_classes must be a whole number of 2 or more"


@pytest.mark.parametrize("classes", [1, 0, -3, True, 2.0])
def test_no_network_has_one_class(classes: Any) -> None:
    for make in (
        lambda: build_network(rows.TINY, classes),
        lambda: get_model("template_nano", classes),
        lambda: get_model("derived_nano", "S S S", classes),
    ):
        with pytest.raises(ValueError, match=WRONG):
            make()


def test_a_number_of_numpy_is_a_number() -> None:
    """As ``labels.max() + 1`` is."""
    model = get_model("template_nano", np.int64(3))
    assert type(model.get_config()["architecture"]["num_classes"]) is int
    assert model.output_shape[-1] == 3


def test_nor_comes_to_have_it() -> None:
    model = build_network(rows.TINY, 3)
    with pytest.raises(ValueError, match=WRONG):
        replace_classifier(model, 1)
    config = model.get_config()
    config["architecture"] = {**config["architecture"], "num_classes": 1}
    with pytest.raises(ValueError, match=WRONG):
        FusionModel.from_config(config)
    with pytest.raises(ValueError, match=WRONG):
        build_network(dataclasses.replace(rows.TINY, num_classes=1))


def test_features_need_no_classes() -> None:
    assert build_network(rows.TINY, 1, include_top=False).output_shape[-1] == 16


def test_videos_of_one_class() -> None:
    entry = VideoEntry(VideoFile("/a.mp4"), 0, None, "/list.txt:1")
    clips = Clips(Manifest((entry,) * 30, ("falling",), "/list.txt"))
    for make in (
        lambda: build_template(tiny.recipe(), clips),
        lambda: build_derived(tiny.recipe(), clips, "S S S"),
    ):
        with pytest.raises(ValueError, match=r"/list\.txt: all videos are of one class, 'falling'"):
            make()
