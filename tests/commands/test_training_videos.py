"""Whether the videos of a report are among the training videos, and what is said of it."""

from __future__ import annotations

import dataclasses
import logging
from typing import Any

import pytest

from vdroppath_tf.commands.sources import say_trained_on
from vdroppath_tf.data.sources.segment import Segment, Span


def test_videos_of_both(motion: Any, caplog: pytest.LogCaptureFixture) -> None:
    train, test = motion.manifest("train"), motion.manifest("test")
    with caplog.at_level(logging.WARNING, "absl"):
        assert say_trained_on("data", test, train) == 0
        assert say_trained_on("data", train, None) == 0
        assert not caplog.messages
        assert say_trained_on("test_data", train.select(range(3)), train) == 3
    (line,) = caplog.messages
    assert line.startswith("3 of the 3 videos of --test_data that are reported on are among those")


def test_other_parts_of_a_video_are_other_videos(motion: Any) -> None:
    train = motion.manifest("train").select([0])
    (entry,) = train.entries

    def part(start: int, end: int) -> Any:
        source = Segment(entry.source, Span(start, end, "frames"))
        return dataclasses.replace(train, entries=(dataclasses.replace(entry, source=source),))

    assert say_trained_on("data", part(0, 2), part(0, 2)) == 1
    assert say_trained_on("data", part(0, 2), part(2, 4)) == 0
