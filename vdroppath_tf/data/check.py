"""A look at every video before a long run, so that a bad file is named now and not in the night."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from vdroppath_tf.data.cache import VideoCache
from vdroppath_tf.data.loader import ClipLoader
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.transforms import ClipSampling

_INDEXED = 10_000
"""Up to so many videos are indexed, which training needs to do anyway; of more, only headers are
read, since their indices would not stay in memory."""


def check_videos(
    manifest: Manifest, sampling: ClipSampling, *, cache: VideoCache | None = None
) -> None:
    """Opens every video of a manifest; damage inside the pictures shows only in decoding.

    Args:
        manifest: the videos.
        sampling: how clips are to be made of them.
        cache: where indices are kept, see `VideoCache`.

    Raises:
        VideoError: naming the first file that is missing, empty, cut short, no video, shorter than
            its list says, or of a size that gives other clips than the first one.
    """
    workers = len(os.sched_getaffinity(0))
    loader = ClipLoader(manifest, sampling, cache=cache or VideoCache(), workers=workers)
    look = loader.check if len(manifest) <= _INDEXED else _look
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(look, manifest):
            pass


def _look(entry: VideoEntry) -> None:
    entry.source.look()
