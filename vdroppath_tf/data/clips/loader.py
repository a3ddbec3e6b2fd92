"""Batches of clips as numpy arrays, which `pipeline` makes inside tf.data and tests eagerly.

A video that cannot be read is replaced in training and left out in evaluation, see `faults`.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.clips.crops import ClipSizeError, crop_boxes, cut_views, enclosing
from vdroppath_tf.data.clips.labels import empty_labels, set_label
from vdroppath_tf.data.clips.plans import ClipPlan, evaluation_plan, training_plan
from vdroppath_tf.data.clips.positions import epoch_order, item_rng
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.clips.video_clips import times_for
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.data.sources.decode import scaled_size
from vdroppath_tf.data.sources.source import Box, FrameInfo
from vdroppath_tf.names import named

Batch = tuple[np.ndarray, np.ndarray]
"""Clips, uint8 `(batch, time, height, width, channels)`, and labels, see `labels.empty_labels`."""


_LOOK_AT = 100  # videos that are tried before the loader reports that none can be read
_NO_EPOCH = -1


@named
class ClipLoader:
    """Makes batches of clips; each batch depends on its arguments only, not on earlier calls.

    Args:
        manifest: The videos, at least one.
        sampling: How clips are made of them.
        cache: The cache of decoded videos.
        workers: The number of decoding threads.
        split: "train", "validation" or "test". Defaults to "train".
        faults: Records bad videos. Defaults to None: the first bad video is an error.
        augment: The augmentation of training clips. Defaults to None, none.

    Raises:
        VideoError: If no video can be read.
        ValueError: If the manifest is empty.

    Example:
        ```python
        loader = ClipLoader(manifest, sampling, cache=VideoCache(), workers=2)
        clips, labels = loader.training_batch(seed=0, epoch=0, step=0, batch_size=8)
        ```
    """

    def __init__(
        self,
        manifest: Manifest,
        sampling: ClipSampling,
        *,
        cache: VideoCache,
        workers: int,
        split: str = "train",
        faults: FaultLog | None = None,
        augment: Augmentation | None = None,
    ) -> None:
        if not len(manifest):
            raise ValueError(f"{manifest.source}: no video is selected. Expected at least one.")
        if sampling.square_pixels:
            manifest = manifest.with_square_pixels()
        self.manifest, self.sampling, self.cache, self.split = manifest, sampling, cache, split
        self.augment = augment
        self.faults = FaultLog(0.0) if faults is None else faults
        self.faults.expect(split, manifest)
        self._first, info = self._first_readable()
        self._times(self._first)
        size = sampling.clip_size(info.height, info.width)
        self.clip_shape = (sampling.frames, *size, self._first.source.channels)
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers)

    def _first_readable(self) -> tuple[VideoEntry, FrameInfo]:
        """Returns the video that sets the size of clips; bad ones are recorded later, in turn."""
        reasons = []
        for entry in self.manifest.entries[:_LOOK_AT]:
            try:
                return entry, self._info(entry)
            except VideoError as error:
                reasons.append(str(error))
        if len(reasons) == 1:
            raise VideoError(reasons[0])
        raise VideoError(
            f"{self.manifest.source}: none of the first {len(reasons)} videos can be read. The "
            f"first error: {reasons[0]}"
        )

    def training_batch(
        self, seed: int, epoch: int, step: int, batch_size: int, part: range | None = None
    ) -> Batch:
        """Draws clips of the videos at `step * batch_size ...` in the order of the epoch.

        `part` selects rows of the batch; None takes all.

        A video that cannot be read is replaced by the next in the order, and after the last by the
        first: with the same bad videos the batch is always the same.
        """
        order = epoch_order(seed, epoch, len(self.manifest)).tolist()

        def fill(row: int, out: np.ndarray) -> VideoEntry:
            place = step * batch_size + row
            for item in (*order[place:], *order[:place]):
                # The replacement also has its regular turn: other random numbers make another clip.
                drawn = item if item == order[place] else len(order) + place
                plan = partial(self._training_plan, item_rng(seed, epoch, drawn))
                if self._filled(item, plan, out, (epoch, place)):
                    return self.manifest.entries[item]
            raise VideoError(f"{self.manifest.source}: none of its videos can be read.")

        rows = range(batch_size)[: len(order) - step * batch_size] if part is None else part
        return self._batch(len(rows), 1, lambda row, out: fill(rows[row], out))

    def evaluation_batch(self, first: int, count: int) -> Batch:
        """Returns all clips of up to `count` videos from number `first` on, without bad videos."""

        def plan(num_frames: int, times: np.ndarray | None) -> ClipPlan:
            return evaluation_plan(self.sampling, num_frames, self.split, times=times)

        def fill(row: int, out: np.ndarray) -> VideoEntry | None:
            filled = self._filled(first + row, plan, out, (_NO_EPOCH, first + row))
            return self.manifest.entries[first + row] if filled else None

        clips = self.sampling.views(self.split)
        return self._batch(min(count, len(self.manifest) - first), clips, fill)

    def _training_plan(
        self, rng: np.random.Generator, num_frames: int, times: np.ndarray | None
    ) -> ClipPlan:
        return training_plan(self.sampling, num_frames, rng, self.augment, times=times)

    def _batch(
        self, rows: int, clips: int, fill: Callable[[int, np.ndarray], VideoEntry | None]
    ) -> Batch:
        """Fills rows with the clips of one video each; rows for which `fill` gives None are cut."""
        batch = np.empty((rows, clips, *self.clip_shape), np.uint8)
        labels, kept = empty_labels(self.manifest, rows), np.ones(rows, bool)

        def work(share: range) -> None:
            for row in share:
                entry = fill(row, batch[row])
                if entry is None:
                    kept[row] = False
                else:
                    set_label(labels, row, entry)

        # One share for each thread, since a task costs more than copying a cached clip.
        list(self._pool.map(work, [range(k, rows, self._workers) for k in range(self._workers)]))
        if not kept.all():
            batch, labels = batch[kept], labels[kept]
        return batch.reshape(-1, *self.clip_shape), np.repeat(labels, clips, 0)

    def _filled(
        self,
        item: int,
        plan: Callable[[int, np.ndarray | None], ClipPlan],
        out: np.ndarray,
        clip: tuple[int, int],
    ) -> bool:
        """Writes the clips of a video and returns True, or records a bad video."""
        entry = self.manifest.entries[item]
        try:
            self._clip(entry, plan(self._num_frames(entry), self._times(entry)), out)
        except ClipSizeError:  # the settings are wrong, not the video
            raise
        except VideoError as error:
            self.faults.bad(self.split, entry, error, clip=clip)
            self.faults.raise_if_too_many(self.split)
            return False
        self.faults.good(self.split, entry)
        return True

    def _clip(self, entry: VideoEntry, plan: ClipPlan, out: np.ndarray) -> None:
        boxes = self._boxes(entry, plan)
        indices, part = plan.indices.reshape(-1), enclosing(boxes)
        frames = self.cache.frames(entry.source, indices, plan.short_edge, part)
        out[...] = cut_views(frames, plan, boxes)

    def _boxes(self, entry: VideoEntry, plan: ClipPlan) -> list[Box] | None:
        """Returns the parts of the scaled frames, after checking that clips have a common size."""
        info = self._info(entry)
        if entry.source.channels != self.clip_shape[3]:
            raise ClipSizeError(
                f"{entry.path} ({entry.origin}): has {entry.source.channels} channels, but "
                f"{self.manifest.entries[0].path} has {self.clip_shape[3]}. Train separately "
                "on RGB frames and on optical flow."
            )
        height, width = scaled_size(info.height, info.width, plan.short_edge)
        boxes = crop_boxes(plan, height, width, entry.path)
        size = (height, width) if plan.crop is None else plan.crop
        if size != self.clip_shape[1:3]:
            raise ClipSizeError(
                f"{entry.path} ({entry.origin}): frames are {width}x{height}, but those of "
                f"{self._first.path} are {self.clip_shape[2]}x{self.clip_shape[1]}. For videos of "
                "several sizes, pass both short_edge= and crop=."
            )
        return boxes

    def check(self, entry: VideoEntry) -> None:
        """Raises an error if a video cannot become a clip of this shape; decodes nothing."""
        self._num_frames(entry)
        self._times(entry)
        edges, crop = self.sampling.short_edge, self.sampling.crop
        edge = min(edges) if isinstance(edges, tuple) else edges
        size = None if crop is None else self.sampling.crop_size
        self._boxes(entry, ClipPlan(np.zeros((1, 1), np.int64), edge, size))

    def _info(self, entry: VideoEntry) -> FrameInfo:
        return entry.source.info(self.cache.index_dir)

    def _times(self, entry: VideoEntry) -> np.ndarray | None:
        """Returns the time of each frame, if clips are sampled by time."""
        return times_for(entry, self.sampling.fps, self.cache.index_dir)

    def _num_frames(self, entry: VideoEntry) -> int:
        found = entry.info(self.cache.index_dir).num_frames
        return found if entry.num_frames is None else entry.num_frames
