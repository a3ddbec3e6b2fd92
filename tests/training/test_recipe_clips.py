"""From a recipe to clips: the same clips as asked for by hand, whatever they are for."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
import tiny

from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import evaluation_clips, training_clips
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.training.clips import RecipeClips

RECIPE = tiny.recipe().replace(seed=3)


def arrays(clips: Any) -> list[tuple[np.ndarray, np.ndarray]]:
    return [(batch.numpy(), labels.numpy()) for batch, labels in clips]


def same(one: Any, other: Any) -> None:
    for mine, expected in zip(arrays(one), arrays(other), strict=True):
        for part, expected_part in zip(mine, expected, strict=True):
            np.testing.assert_array_equal(part, expected_part)


def test_training_begins_at_any_epoch(motion: Any) -> None:
    videos = motion.manifest("train")
    stream = RecipeClips(RECIPE).training(videos, classes=4, first_epoch=2).take(3)
    order = ClipOrder(3, first_epoch=2)
    same(stream, training_clips(videos, RECIPE.sampling, batch_size=tiny.BATCH, order=order))


def test_recalibration_takes_as_many_videos_as_there_are(motion: Any) -> None:
    videos = motion.manifest("train")
    clips = RecipeClips(RECIPE)
    same(
        clips.recalibration(videos),
        training_clips(videos, RECIPE.sampling, batch_size=tiny.BATCH, order=ClipOrder(3)),
    )
    few = videos.select(range(5))
    [(batch, _)] = arrays(clips.recalibration(few))
    assert len(batch) == 5


def test_one_clip_of_the_centre_is_what_validation_sees(motion: Any) -> None:
    """So strategies, networks and epochs are scored on the same clips."""
    videos, clips = motion.manifest("validation"), RecipeClips(RECIPE)
    same(clips.evaluation(videos), clips.validation(videos, classes=4))
    larger = [batch for batch, _ in arrays(clips.evaluation(videos, batch_size=64))]
    assert [len(batch) for batch in larger] == [tiny.COUNTS[1]]


def test_views_of_a_video_stay_together(motion: Any) -> None:
    recipe = RECIPE.replace(sampling=dataclasses.replace(RECIPE.sampling, crop=12))
    videos, protocol = motion.manifest("test"), PROTOCOLS["10x3"]
    clips = RecipeClips(recipe)
    batches = arrays(clips.evaluation(videos, protocol))
    assert {len(batch) for batch, _ in batches} == {30}  # a batch of 8 holds no whole video
    expected = evaluation_clips(
        videos, protocol.sampling(recipe.evaluation), batch_size=30, split="test"
    )
    same(clips.evaluation(videos, protocol), expected)
    assert clips.clip_shape(videos, protocol) == (tiny.SHAPE[0], 12, 12)


def test_soft_labels_are_shares_in_training_and_validation(motion: Any) -> None:
    recipe = RECIPE.replace(augment=Augmentation(label_smoothing=0.1))
    clips = RecipeClips(recipe)
    [(_, trained)] = arrays(clips.training(motion.manifest("train"), classes=6).take(1))
    assert trained.shape == (tiny.BATCH, 6)
    validation = arrays(clips.validation(motion.manifest("validation"), classes=6))
    assert all(labels.shape[1] == 6 for _, labels in validation)
    [*scored] = arrays(clips.evaluation(motion.manifest("validation")))
    assert all(labels.ndim == 1 for _, labels in scored)
    with pytest.raises(TypeError, match=r"no argument 'cash'\. Did you mean 'cache'\?"):
        RecipeClips(recipe, cash=1)  # type: ignore[call-arg]
