"""Batches of clips as numpy arrays: what `pipeline` runs inside tf.data, and tests run eagerly."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from vdroppath_tf.data.augment import Augmentation
from vdroppath_tf.data.cache import VideoCache
from vdroppath_tf.data.clips import epoch_order, item_rng
from vdroppath_tf.data.container import VideoError
from vdroppath_tf.data.decode import scaled_size
from vdroppath_tf.data.frame_source import Box, FrameInfo
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.plans import (
    ClipPlan,
    crop_boxes,
    cut_views,
    enclosing,
    evaluation_plan,
    training_plan,
)
from vdroppath_tf.data.transforms import ClipSampling

Batch = tuple[np.ndarray, np.ndarray]
"""Clips, uint8 `(batch, time, height, width, 3)`, and labels, int64 `(batch,)`."""


class ClipLoader:
    """Makes batches of clips; each is a pure function of its arguments, whatever came before.

    Args:
        manifest: the videos, at least one.
        sampling: how to make clips of them.
        cache: where decoded videos are kept.
        workers: threads that decode.
        augment: what training does to clips; None leaves them as they are cut.

    Raises:
        VideoError: the first video cannot be read.
        ValueError: the manifest is empty.
    """

    def __init__(
        self,
        manifest: Manifest,
        sampling: ClipSampling,
        *,
        cache: VideoCache,
        workers: int,
        augment: Augmentation | None = None,
    ) -> None:
        if not len(manifest):
            raise ValueError(f"{manifest.source}: no video is selected. Expected at least one.")
        self.manifest, self.sampling, self.cache = manifest, sampling, cache
        self.augment = augment
        first = self._info(manifest.entries[0])
        self.clip_shape = (sampling.frames, *sampling.clip_size(first.height, first.width), 3)
        self._workers = workers
        self._pool = ThreadPoolExecutor(workers)

    def training_batch(self, seed: int, epoch: int, step: int, batch_size: int) -> Batch:
        """Clips of the videos at `step * batch_size ...` of the epoch's order, each drawn anew."""
        order = epoch_order(seed, epoch, len(self.manifest))
        items = order[step * batch_size : (step + 1) * batch_size]

        def plan(item: int, num_frames: int) -> ClipPlan:
            rng = item_rng(seed, epoch, item)
            return training_plan(self.sampling, num_frames, rng, self.augment)

        return self._batch(items.tolist(), plan, 1)

    def evaluation_batch(self, first: int, count: int, split: str) -> Batch:
        """All clips of up to `count` videos from number `first` on, video by video."""
        items = range(first, min(first + count, len(self.manifest)))
        clips = self.sampling.views(split)
        return self._batch(
            items, lambda _, frames: evaluation_plan(self.sampling, frames, split), clips
        )

    def _batch(
        self, items: Sequence[int], plan: Callable[[int, int], ClipPlan], clips: int
    ) -> Batch:
        labels = np.array([self.manifest.entries[i].label for i in items], np.int64)
        batch = np.empty((len(items), clips, *self.clip_shape), np.uint8)

        def fill(rows: range) -> None:
            for row in rows:
                entry = self.manifest.entries[items[row]]
                self._clip(entry, plan(items[row], self._num_frames(entry)), batch[row])

        # A share for each thread, not a task for each clip: kept videos cost less than a task.
        shares = [range(k, len(items), self._workers) for k in range(self._workers)]
        list(self._pool.map(fill, shares))
        return batch.reshape(-1, *self.clip_shape), np.repeat(labels, clips)

    def _clip(self, entry: VideoEntry, plan: ClipPlan, out: np.ndarray) -> None:
        boxes = self._boxes(entry, plan)
        indices, part = plan.indices.reshape(-1), enclosing(boxes)
        frames = self.cache.frames(entry.source, indices, plan.short_edge, part)
        out[...] = cut_views(frames, plan, boxes)

    def _boxes(self, entry: VideoEntry, plan: ClipPlan) -> list[Box] | None:
        """The parts that are wanted of the scaled frames; clips have the size of all others."""
        info = self._info(entry)
        height, width = scaled_size(info.height, info.width, plan.short_edge)
        boxes = crop_boxes(plan, height, width, entry.path)
        size = (height, width) if plan.crop is None else plan.crop
        if size != self.clip_shape[1:3]:
            raise VideoError(
                f"{entry.path} ({entry.origin}): frames are {width}x{height}, but those of "
                f"{self.manifest.entries[0].path} are {self.clip_shape[2]}x{self.clip_shape[1]}. "
                "Set crop in ClipSampling (and short_edge) to bring them to one size."
            )
        return boxes

    def check(self, entry: VideoEntry) -> None:
        """Stops at a video that cannot become a clip of this shape; nothing is decoded."""
        self._num_frames(entry)
        edges, crop = self.sampling.short_edge, self.sampling.crop
        edge = min(edges) if isinstance(edges, tuple) else edges
        size = None if crop is None else self.sampling.crop_size
        self._boxes(entry, ClipPlan(np.zeros((1, 1), np.int64), edge, size))

    def _info(self, entry: VideoEntry) -> FrameInfo:
        return entry.source.info(self.cache.index_dir)

    def _num_frames(self, entry: VideoEntry) -> int:
        found = self._info(entry).num_frames
        if entry.num_frames is None:
            return found
        if found < entry.num_frames:
            raise VideoError(
                f"{entry.path}: holds {found} frames, but {entry.origin} lists "
                f"{entry.num_frames}. Correct the list, or copy the file again if it was cut short."
            )
        return entry.num_frames
