"""What is written of an answer, and what a server says of a body without a media type."""

from __future__ import annotations

import json

import pytest

from vdroppath_tf.commands.answer_rows import AnswerRows
from vdroppath_tf.serving.answers import Answer
from vdroppath_tf.serving.server.bodies import kind_of
from vdroppath_tf.serving.server.limits import RefusedError


def test_times_are_written_in_microseconds() -> None:
    answer = Answer("a.mp4", "up", {"up": 1.0}, (), 0.29 * 2 + 1e-16, 0.1 + 0.2)
    for kind, expected in (
        ("csv", "a.mp4,0.58,0.3,up,1.0"),
        ("jsonl", '"start": 0.58, "end": 0.3'),
    ):
        written: list[str] = []
        AnswerRows(kind, 1, windows=True, write=written.append).add(answer)
        assert expected in written[-1]
    assert json.loads(written[-1])["start"] == 0.58
    assert Answer("a.mp4", "up", {"up": 1.0}).span() == {}


def test_a_body_that_curl_sends_without_a_header() -> None:
    with pytest.raises(RefusedError, match="-H 'Content-Type: video/mp4'"):
        kind_of("application/x-www-form-urlencoded")
