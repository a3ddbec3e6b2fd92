"""Classify videos: files, folders, lists, or a long video window by window."""

from __future__ import annotations

import dataclasses
import itertools
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from absl import flags, logging

from vdroppath_tf import data, serving
from vdroppath_tf.commands.answer_rows import ROWS, AnswerRows
from vdroppath_tf.commands.artefacts import open_artefact
from vdroppath_tf.commands.error_words import one_message
from vdroppath_tf.commands.flag_kinds import define_string, only_with
from vdroppath_tf.commands.sources import (
    KINDS,
    define_open_end,
    define_source_fps,
    define_video_stream,
)

EXAMPLE = "vdroppath predict --model=served/1 a.mp4 folder/ videos.txt --format=csv"


def define(values: flags.FlagValues) -> None:
    """Declares the flags of the command."""
    text = "an exported network (a folder of versions: the newest), or a network, .keras"
    define_string(values, "model", text, needed=True)
    define_string(values, "data", f"videos: {KINDS}; their classes are ignored")
    define_string(values, "data_root", "folder of the videos of --data")
    only_with(values, "data_root", "data")
    flags.DEFINE_integer("top", 3, "classes in each answer", lower_bound=1, flag_values=values)
    text = "text, JSON objects, or a table for spreadsheets, with a line for each answer"
    flags.DEFINE_enum("format", "table", ROWS, text, flag_values=values)
    flags.DEFINE_boolean("json", False, "the same as --format=jsonl", flag_values=values)
    text = "length in seconds of the windows that are classified; default: whole videos"
    flags.DEFINE_float("window", None, text, 1e-3, 1e6, flag_values=values)
    text = "seconds from the start of one window to the start of the next (default: --window)"
    flags.DEFINE_float("hop", None, text, 1e-3, 1e6, flag_values=values)
    only_with(values, "hop", "window")
    text = "largest number of clips in a step of the network"
    flags.DEFINE_integer("batch_size", 8, text, lower_bound=1, flag_values=values)
    text = "number of videos that are decoded at a time; default: one for each core"
    flags.DEFINE_integer("workers", None, text, lower_bound=1, flag_values=values)
    define_video_stream(values)
    define_open_end(values)
    define_source_fps(values)


def run(values: flags.FlagValues, videos: Sequence[str]) -> None:
    """Prints answers; lists videos without one when they occur, and at the end."""
    if not videos and values.data is None:
        raise ValueError(
            "Name at least one video: a file, a folder, a list of paths (.txt), or --data."
        )
    if values.hop is not None and values.hop > values.window:
        raise ValueError(
            f"--hop={values.hop:g}: is longer than --window={values.window:g}, so frames between "
            "windows would be left out. Expected a --hop of at most --window."
        )
    options = serving.PredictOptions(
        batch_size=values.batch_size, workers=values.workers, window=values.window, hop=values.hop
    )
    network = open_artefact(values.model)
    failed: dict[str, Exception] = {}
    answered = 0

    def note(video: str, error: Exception) -> None:
        failed[video] = error
        if list(videos) != [video]:
            logging.error("%s", one_message(error))

    kind = "jsonl" if values.json else values.format
    rows = AnswerRows(kind, values.top, windows=options.window is not None, write=_print)
    entries = _entries(values, videos, network, note)
    for answer in serving.predict_videos(network, entries, options, on_error=note):
        rows.add(answer)
        answered += 1
    if failed and list(videos) == list(failed) and len(failed) == 1:
        raise next(iter(failed.values()))
    if failed:
        more = ", ..." if len(failed) > 5 else ""
        which = f"{len(failed):,} of {answered + len(failed):,} videos have no answer"
        if options.window is not None:
            have = "video has" if len(failed) == 1 else "videos have"
            which = f"{len(failed):,} {have} no answer, or not for all windows"
        raise ValueError(f"{which}, for the reasons above: {', '.join(list(failed)[:5])}{more}")


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()  # so that an answer appears as soon as it is known


def _entries(
    values: flags.FlagValues,
    videos: Sequence[str],
    network: Any,
    note: Callable[[str, Exception], None],
) -> Iterator[data.VideoEntry]:
    """Yields the videos in the arguments, then those of --data."""
    flow = network.channels == 2
    reading = data.lists.VideoReading(
        flow, values.video_stream, values.source_fps, values.allow_open_end
    )
    named = (each for v in videos for each in data.lists.named_videos(v, reading, on_error=note))
    return itertools.chain(named, () if values.data is None else _listed(values, flow))


def _listed(values: flags.FlagValues, flow: bool) -> Iterator[data.VideoEntry]:
    lookup = data.Lookup(video_stream=values.video_stream, allow_open_end=values.allow_open_end)
    videos = data.open_manifest(values.data, root=values.data_root, lookup=lookup)
    videos = data.lists.flow_manifest(videos) if flow else videos
    videos = videos if values.source_fps is None else videos.at_rate(values.source_fps)
    return (dataclasses.replace(entry, name=entry.path) for entry in videos)
