"""From a recipe to clips: to train on, to validate on, to recalibrate by and to score."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import tensorflow as tf

from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.clips.order import ClipOrder
from vdroppath_tf.data.clips.pipeline import evaluation_clips, training_clips
from vdroppath_tf.data.clips.positions import epoch_order
from vdroppath_tf.data.clips.protocols import PROTOCOLS, Protocol
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.manifest import Manifest
from vdroppath_tf.names import named
from vdroppath_tf.scoring.videos import view_clips
from vdroppath_tf.training.recipe import Recipe

ONE_CLIP = PROTOCOLS["paper-1clip"]


@named
@dataclass(frozen=True)
class RecipeClips:
    """The clips that a recipe makes of videos; nothing else in the package makes them of a recipe.

    Attributes:
        recipe: Says how clips are made: sizes, sampling, augmentation, batch size, seed.
        cache: Keeps decoded videos; it may be shared.
        faults: Notes videos that cannot be read, and says how many may be.
        shard: ``(i, n)`` makes the i-th of n equal parts of the batches of training and validation,
            for one of n processes that train together. Defaults to all of them.

    Example:
        clips = RecipeClips(RECIPES["small"])
        recalibrate(network, clips.recalibration(videos))
    """

    recipe: Recipe
    cache: VideoCache = field(default_factory=VideoCache)
    faults: FaultLog = field(default_factory=FaultLog)
    shard: tuple[int, int] = (0, 1)

    def training(
        self, videos: Manifest, *, classes: int, first_epoch: int = 0, first_step: int = 0
    ) -> tf.data.Dataset:
        """An endless stream of shuffled and augmented training batches.

        Args:
            videos: The videos to learn from.
            classes: The number of classes of the network.
            first_epoch: The number of the first epoch.
            first_step: The steps of that epoch to leave out.

        Returns:
            Batches of clips and labels; see ``data.clips.pipeline.training_clips``.
        """
        stream = training_clips(
            videos,
            self.recipe.sampling,
            batch_size=self.recipe.batch_size,
            order=ClipOrder(
                self.recipe.seed,
                epochs=None,
                first_epoch=first_epoch,
                first_step=first_step,
                shard=self.shard,
            ),
            cache_bytes=self.cache,
            faults=self.faults,
            augment=self.recipe.augment,
        )
        return self._labelled(stream, classes, videos)

    def batch_names(self, videos: Manifest, *, epoch: int, step: int) -> list[str]:
        """The names of the videos that a training batch is made of.

        Args:
            videos: The videos to learn from.
            epoch: The number of the epoch in the whole run.
            step: The number of the batch in it, from 0.
        """
        order = epoch_order(self.recipe.seed, epoch, len(videos)).tolist()
        size = self.recipe.batch_size
        return [videos.entries[k].name for k in order[step * size : (step + 1) * size]]

    def validation(self, videos: Manifest, *, classes: int) -> tf.data.Dataset:
        """One clip of the centre of each video, labelled as the training batches are.

        Args:
            videos: The videos to validate on.
            classes: The number of classes of the network.

        Returns:
            Batches of clips and labels, of known number.
        """
        index, count = self.shard
        each = self.recipe.batch_size // count
        places = [k for k in range(len(videos)) if k % self.recipe.batch_size // each == index]
        clips = evaluation_clips(
            videos.select(places or [0]) if count > 1 else videos,
            self.recipe.evaluation,
            batch_size=each,
            cache_bytes=self.cache,
            faults=self.faults,
        )
        if not places:
            clips = clips.take(0)
        return self._labelled(clips, classes, videos)

    def recalibration(self, videos: Manifest) -> tf.data.Dataset:
        """One epoch of training clips to recalibrate batch norm by, however few videos there are.

        Args:
            videos: The training videos.

        Returns:
            Batches of clips and labels, without what ``recipe.augment`` does to clips.
        """
        return training_clips(
            videos,
            self.recipe.sampling,
            batch_size=min(self.recipe.batch_size, len(videos)),
            order=ClipOrder(self.recipe.seed),
            cache_bytes=self.cache,
            faults=self.faults,
        )

    def evaluation(
        self, videos: Manifest, protocol: Protocol = ONE_CLIP, *, batch_size: int | None = None
    ) -> tf.data.Dataset:
        """The views of each video by a test protocol, the views of a video in one batch.

        Args:
            videos: The videos to score.
            protocol: Says which views are scored. Defaults to one clip of the centre.
            batch_size: Clips in a batch, rounded down to whole videos. Defaults to the recipe's.

        Returns:
            Batches of clips and labels, of known number.
        """
        return view_clips(
            videos,
            protocol.sampling(self.recipe.evaluation),
            batch_size=self.recipe.batch_size if batch_size is None else batch_size,
            cache=self.cache,
            faults=self.faults,
        )

    def clip_shape(self, videos: Manifest, protocol: Protocol = ONE_CLIP) -> tuple[Any, Any, Any]:
        """Frames, height and width of a clip in evaluation; None where the videos differ."""
        frames, height, width = self.evaluation(videos, protocol).element_spec[0].shape[1:4]
        return frames, height, width

    def _labelled(self, clips: tf.data.Dataset, classes: int, videos: Manifest) -> tf.data.Dataset:
        columns = self.recipe.augment.soft_labels or videos.multi_label
        return shares_of_classes(clips, classes) if columns else clips


def shares_of_classes(clips: tf.data.Dataset, classes: int) -> tf.data.Dataset:
    """Labels as shares of all classes of a network: what a loss of mixed clips compares with."""

    def widen(batch: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if labels.shape.rank == 1:
            return batch, tf.one_hot(labels, classes)
        return batch, tf.pad(labels, [[0, 0], [0, classes - labels.shape[1]]])

    return clips.map(widen)
