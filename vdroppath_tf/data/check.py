"""A look at every video before a long run, so that a bad file is named now and not in the night."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

from vdroppath_tf.data.catalog import Manifest, VideoEntry
from vdroppath_tf.data.container import open_video
from vdroppath_tf.data.loader import frames_to_use

_INDEXED = 10_000
"""Up to so many videos are indexed, which training needs to do anyway; of more, only headers are
read, since their indices would not stay in memory."""


def check_videos(
    manifest: Manifest,
    *,
    index_dir: str | os.PathLike[str] | None = None,
    workers: int | None = None,
) -> None:
    """Opens every video of a manifest; damage inside the pictures shows only in decoding.

    Args:
        manifest: the videos.
        index_dir: folder that keeps indices between runs, see `index_video`.
        workers: threads; default one for each core.

    Raises:
        VideoError: naming the first file that is missing, empty, cut short, no video, or shorter
            than its list says.
    """

    def look(entry: VideoEntry) -> None:
        if len(manifest) <= _INDEXED:
            frames_to_use(entry, index_dir)
            return
        with open_video(entry.path):
            pass

    with ThreadPoolExecutor(workers or len(os.sched_getaffinity(0))) as pool:
        for _ in pool.map(look, manifest):
            pass
