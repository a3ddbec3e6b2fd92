"""Say what a SavedModel sees in video files."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence

from absl import flags, logging

from vdroppath_tf import serving
from vdroppath_tf.commands.error_words import one_message
from vdroppath_tf.commands.flag_kinds import define_string
from vdroppath_tf.commands.sources import define_source_fps, define_video_stream

EXAMPLE = "vdroppath predict --model=served/1 a.mp4 b.avi"


def define(values: flags.FlagValues) -> None:
    """Flags of the command."""
    define_string(values, "model", "a SavedModel that vdroppath export wrote", needed=True)
    flags.DEFINE_integer("top", 3, "classes to show", lower_bound=1, flag_values=values)
    define_video_stream(values)
    define_source_fps(values)
    flags.DEFINE_boolean("json", False, "one JSON object a video", flag_values=values)


def run(values: flags.FlagValues, videos: Sequence[str]) -> None:
    """Answers for video files; those that have none are said as they come, and at the end."""
    if not videos:
        raise ValueError("Name at least one video file.")
    failed: dict[str, Exception] = {}

    def note(video: str, error: Exception) -> None:
        failed[video] = error
        if len(videos) > 1:
            logging.error("%s", one_message(error))

    for answer in serving.ServedModel(values.model).predict(
        videos,
        video_stream=values.video_stream,
        source_fps=values.source_fps,
        on_error=note,
    ):
        if values.json:
            print(json.dumps(dataclasses.asdict(answer)), flush=True)
            continue
        shown = list(answer.probabilities.items())[: values.top]
        print(f"{answer.file}: " + ", ".join(f"{name} {p:.3f}" for name, p in shown), flush=True)
    if failed and len(videos) == 1:
        raise next(iter(failed.values()))
    if failed:
        more = ", ..." if len(failed) > 5 else ""
        raise ValueError(
            f"{len(failed):,} of {len(videos):,} videos have no answer, for the reasons above: "
            f"{', '.join(list(failed)[:5])}{more}"
        )
