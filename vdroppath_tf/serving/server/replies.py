"""Answers and errors in the form in which they are sent."""

from __future__ import annotations

from typing import Any

from vdroppath_tf.data.manifest import VideoEntry
from vdroppath_tf.serving.answers import Answer
from vdroppath_tf.serving.server.asked import Asked
from vdroppath_tf.serving.server.bodies import Body
from vdroppath_tf.serving.server.parts import Part


def answer_fields(answer: Answer, part: Part, asked: Asked) -> dict[str, Any]:
    """Returns the fields of an answer, with pictures if they were requested."""
    found: dict[str, Any] = {**answer.span()}
    found |= {
        "label": answer.label,
        "top": [{"label": name, "score": score} for name, score in answer.best(asked.top)],
        "frames": [list(clip) for clip in answer.frames],
    }
    if part.clips.seconds is not None:
        found["seconds"] = [[round(s, 6) for s in clip] for clip in part.clips.seconds.tolist()]
    if asked.pictures:
        found["pictures"] = list(part.pictures)
    return found


def video_fields(entry: VideoEntry) -> dict[str, Any]:
    """Returns the facts about an uploaded video."""
    info, times = entry.info(), entry.times()
    found = {"frames": info.num_frames, "height": info.height, "width": info.width}
    return found if times is None else {**found, "seconds": round(float(times[-1]), 6)}


def plain_message(error: Exception, body: Body) -> str:
    """Returns the message of an error without the names of files on this machine."""
    text = str(error).split("\n")[0]
    text = text.replace(str(body.file), "video").replace(str(body.file.parent), "")
    return text.replace(", or take it off the list", "")
