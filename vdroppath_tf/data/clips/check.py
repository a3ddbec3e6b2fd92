"""Validates every video before a long run, so that a bad file is named now and not in the night."""

from __future__ import annotations

from vdroppath_tf.data.clips.cache import VideoCache
from vdroppath_tf.data.clips.crops import ClipSizeError
from vdroppath_tf.data.clips.loader import ClipLoader
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.parallel import map_ahead
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.names import named

_INDEXED = 10_000
"""Up to so many videos are indexed, which training needs to do anyway; of more, only headers are
read, since their indices would not stay in memory."""


@named
def check_videos(
    manifest: Manifest,
    sampling: ClipSampling,
    *,
    cache: VideoCache | None = None,
    split: str = "train",
    faults: FaultLog | None = None,
) -> None:
    """Opens every video of a manifest; damage inside the pictures shows only in decoding.

    Args:
        manifest: the videos.
        sampling: how clips are to be made of them.
        cache: where indices are kept, see `VideoCache`.
        split: "train", "validation" or "test".
        faults: where bad videos are noted; as many as it allows are no error, since the run
            replaces them or leaves them out. None allows none.

    Raises:
        VideoError: naming the first ten files that are missing, empty, cut short, no video,
            shorter than listed; or the first of a size that gives other clips than the others
            (a `ClipSizeError`, whatever `faults` allows).
    """
    faults = FaultLog(0.0) if faults is None else faults
    loader = ClipLoader(
        manifest, sampling, cache=cache or VideoCache(), workers=1, split=split, faults=faults
    )

    def validate(entry: VideoEntry) -> VideoError | None:
        try:
            if len(manifest) > _INDEXED:
                entry.source.validate_quickly()
            else:
                entry.source.validate(loader.cache.index_dir)
                loader.check(entry)
        except ClipSizeError:
            raise
        except VideoError as error:
            return error
        return None

    videos = loader.manifest  # as the loader reads them
    for entry, error in zip(videos, map_ahead(validate, videos), strict=True):
        if error is None:
            faults.good(split, entry)
        else:
            faults.bad(split, entry, error, found="check")
    faults.raise_if_too_many(split)
