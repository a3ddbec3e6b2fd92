"""Write videos as TFRecord shards of JPEG frames, the format that trains fastest."""

from __future__ import annotations

from collections.abc import Sequence

from absl import flags, logging

from vdroppath_tf import data
from vdroppath_tf.commands.places import define_output
from vdroppath_tf.commands.progress import bar
from vdroppath_tf.commands.sources import (
    define_faults,
    define_formats,
    define_part,
    define_source,
    open_source,
)

EXAMPLE = "vdroppath convert --data=clips/train.txt --out=records/train --short_edge=128"


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    define_source(values, "data", "the videos", needed=True)
    define_formats(values)
    define_part(values)
    text = "folder for the shards; the same command continues a stopped run"
    define_output(values, "out", text, mark=None, folder=True, needed=True)
    text = "scale frames to this many pixels on the shorter side; default: no scaling"
    flags.DEFINE_integer("short_edge", None, text, lower_bound=1, flag_values=values)
    text = "scale frames with non-square pixels to their display size"
    flags.DEFINE_boolean("square_pixels", False, text, flag_values=values)
    text = "JPEG quality"
    flags.DEFINE_integer("quality", 90, text, lower_bound=1, upper_bound=100, flag_values=values)
    text = "number of files; default: one for each 1,000 videos, at least 16"
    flags.DEFINE_integer("shards", None, text, lower_bound=1, flag_values=values)
    text = "threads that decode and encode; default: one for each core"
    flags.DEFINE_integer("workers", None, text, lower_bound=1, flag_values=values)
    define_faults(values)


def run(values: flags.FlagValues, arguments: Sequence[str]) -> None:
    """Writes the videos to shards and an index."""
    videos = open_source(values, "data", part=values.part)
    if values.square_pixels:
        videos = videos.with_square_pixels()
    with bar("convert", "videos", len(videos)) as shown:
        written = data.write_records(
            values.out,
            videos,
            short_edge=values.short_edge,
            quality=values.quality,
            shards=values.shards,
            workers=values.workers,
            max_bad_fraction=values.max_bad_fraction,
            on_video=lambda done, _: shown.update(done - shown.n),
        )
    for video in written.bad[:10]:
        logging.warning("%s", video.reason)
    size = f"{written.bytes / 1e6:.1f} MB in {written.folder}"
    logging.info("Wrote %d of %d videos, %s", written.videos, len(videos), size)
    if written.bad:
        logging.warning(
            "%d are left out: see %s", len(written.bad), written.folder / data.records.BAD_FILE
        )
