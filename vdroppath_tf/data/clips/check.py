"""Validates every video before a long run, so that bad files are reported at its beginning."""

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
"""Up to this many videos are indexed, which training does anyway; of more videos only headers are
read, since their indices would not fit into the cache."""


@named
def check_videos(
    manifest: Manifest,
    sampling: ClipSampling,
    *,
    cache: VideoCache | None = None,
    split: str = "train",
    faults: FaultLog | None = None,
) -> None:
    """Opens every video of a manifest; damage inside pictures is found only by decoding.

    Args:
        manifest: The videos.
        sampling: How clips are made of them.
        cache: The cache of indices, see `VideoCache`. Defaults to None, a new one.
        split: "train", "validation" or "test". Defaults to "train".
        faults: Records bad videos; as many as it allows are no error, since the run replaces them
            or leaves them out. Defaults to None, which allows none.

    Raises:
        VideoError: If files are missing, empty, cut short, not videos, or shorter than listed; the
            message names the first ten. Or if clips of a video would have another size than the
            others (a `ClipSizeError`, whatever `faults` allows).

    Example:
        ```python
        check_videos(manifest, ClipSampling(frames=16, short_edge=256, crop=224))
        ```
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

    videos = loader.manifest  # with the options of the loader
    for entry, error in zip(videos, map_ahead(validate, videos), strict=True):
        if error is None:
            faults.good(split, entry)
        else:
            faults.bad(split, entry, error, found="check")
    faults.raise_if_too_many(split)
