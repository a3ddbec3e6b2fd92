"""Makes the clips of a recipe: for training, validation, recalibration and evaluation."""

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
    """Makes clips from videos as a recipe defines; the only place that does so.

    Attributes:
        recipe: The recipe: sizes, sampling, augmentation, batch size, seed.
        cache: The cache of decoded videos, which may be shared.
        faults: Records videos that cannot be read, and limits their number.
        shard: ``(i, n)`` makes the i-th of n equal parts of each training and validation batch, for
            one of n processes that train together. Defaults to whole batches.

    Example:
    ```python
    maker = RecipeClips(recipe)
    batch, labels = next(iter(maker.training(train_videos, classes=4)))
    vdroppath_tf.recalibrate(network, maker.recalibration(train_videos))
    for clips, labels in maker.evaluation(val_videos):
        logits = network.predict_on_batch(clips)
    ```
    """

    recipe: Recipe
    cache: VideoCache = field(default_factory=VideoCache)
    faults: FaultLog = field(default_factory=FaultLog)
    shard: tuple[int, int] = (0, 1)

    def training(
        self, videos: Manifest, *, classes: int, first_epoch: int = 0, first_step: int = 0
    ) -> tf.data.Dataset:
        """Returns an endless stream of shuffled and augmented training batches.

        Args:
            videos: The training videos.
            classes: The number of classes of the network.
            first_epoch: The number of the first epoch.
            first_step: The number of steps of that epoch to skip.

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
        """Returns the names of the videos in a training batch.

        Args:
            videos: The training videos.
            epoch: The number of the epoch in the whole run.
            step: The number of the batch in the epoch, from 0.
        """
        order = epoch_order(self.recipe.seed, epoch, len(videos)).tolist()
        size = self.recipe.batch_size
        return [videos.entries[k].name for k in order[step * size : (step + 1) * size]]

    def validation(self, videos: Manifest, *, classes: int) -> tf.data.Dataset:
        """Returns one clip from the centre of each video, labelled like training batches.

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
        """Returns one epoch of training clips for recalibration, even from very few videos.

        Args:
            videos: The training videos.

        Returns:
            Batches of clips and labels, without the augmentation ``recipe.augment``.
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
        """Returns the views of each video by a test protocol, all views in one batch.

        Args:
            videos: The videos to score.
            protocol: The test protocol. Defaults to one clip from the centre.
            batch_size: The number of clips in a batch, rounded down to whole videos. Defaults to
                the recipe's.

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
        """Returns frames, height and width of an evaluation clip; None where videos differ."""
        frames, height, width = self.evaluation(videos, protocol).element_spec[0].shape[1:4]
        return frames, height, width

    def _labelled(self, clips: tf.data.Dataset, classes: int, videos: Manifest) -> tf.data.Dataset:
        columns = self.recipe.augment.soft_labels or videos.multi_label
        return shares_of_classes(clips, classes) if columns else clips


def shares_of_classes(clips: tf.data.Dataset, classes: int) -> tf.data.Dataset:
    """Converts labels to rows over all classes, as the loss of mixed clips needs."""

    def widen(batch: tf.Tensor, labels: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        if labels.shape.rank == 1:
            return batch, tf.one_hot(labels, classes)
        return batch, tf.pad(labels, [[0, 0], [0, classes - labels.shape[1]]])

    return clips.map(widen)
