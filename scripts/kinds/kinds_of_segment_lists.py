"""Text lists of segments: a video, from where to where, and a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kind import Kind
from kinds_of_segments import Found, read_list, refuse_list, until

from vdroppath_tf import data

FRAMES: Found = [("0", until(0, 12)), ("1", until(12, 24))]
SECONDS: Found = [("0", until(10, 20)), ("1", until(20, 30))]
NAMED: Found = [("run", until(10, 20)), ("walk", until(20, 30))]
BY_FRAME = ("a.mp4 0 12 0", "a.mp4 12 24 1")
BY_TIME = ("a.mp4 0.4 0.8 0", "a.mp4 0.8 1.2 1")
BOTH = ("a.mp4 0 1 0", "a.mp4 1 2 1")


def _read(
    name: str, lines: Sequence[str], expected: Found, file: str = "l.txt", **more: Any
) -> Kind:
    return read_list(f"list, {name}", file, "\n".join(lines), expected, **more)


def _refused(
    name: str, lines: Sequence[str], pattern: str, file: str = "l.txt", **more: Any
) -> Kind:
    return refuse_list(f"list, {name}", file, "\n".join(lines), pattern, **more)


def _csv(header: str, lines: Sequence[str], separator: str = ",") -> list[str]:
    return [header, *(line.replace(" ", separator) for line in lines)]


KINDS = (
    _read("frames", BY_FRAME, FRAMES, notes=["start_frame", "counted from 0"]),
    _read("seconds", BY_TIME, SECONDS, notes=["start_second"]),
    _read("whole seconds and parts", ("a.mp4 0 0.4 0", "a.mp4 1 2 1"),
        [("0", until(0, 10)), ("1", until(25, 50))]),
    _read("tabs and names", [line.replace(" ", "\t") for line in
        ("a.mp4 0.4 0.8 run", "a.mp4 0.8 1.2 walk")], NAMED),
    _read("video,start,end,label in frames", _csv("video,start,end,label", BY_FRAME), FRAMES,
        "l.csv"),
    _read("video,start,end,label in seconds", _csv("video,start,end,label", BY_TIME), SECONDS,
        "l.csv"),
    _read("label first", ["label,start,end,path", "0,0.4,0.8,a.mp4", "1,0.8,1.2,a.mp4"], SECONDS,
        "l.csv"),
    _read("start_frame,end_frame", _csv("path,start_frame,end_frame,label", BOTH),
        [("0", [0]), ("1", [1])], "l.csv"),
    _read("start_time,end_time", _csv("path,start_time,end_time,label", BOTH),
        [("0", until(0, 25)), ("1", until(25, 50))], "l.csv"),
    _read("start_sec,end_sec, semicolons", _csv("path;start_sec;end_sec;label", BOTH, ";"),
        [("0", until(0, 25)), ("1", until(25, 50))], "l.csv"),
    _read("hours, minutes and seconds", _csv("path,start,end,label",
        ("a.mp4 00:00:00.40 00:00:00.80 0", "a.mp4 0:00.8 0:01.2 1")), SECONDS, "l.csv"),
    _read("hours, minutes and seconds, no header",
        ("a.mp4 00:00:00.40 00:00:00.80 run", "a.mp4 00:00:00.80 00:00:01.20 walk"), NAMED),
    _read("names without suffix", _csv("video_id,start,end,label",
        ("a 0.4 0.8 run", "a 0.8 1.2 walk")), NAMED, "l.csv"),
    _read("JSON lines", ['{"video": "a.mp4", "start": 0.4, "end": 0.8, "label": "run"}',
        '{"video": "a.mp4", "start": 0.8, "end": 1.2, "label": "walk"}'], NAMED, "l.jsonl"),
    _read("a label of several words", ("a.mp4 0.4 0.8 riding a bike", "a.mp4 0.8 1.2 sitting down"),
        [("riding a bike", until(10, 20)), ("sitting down", until(20, 30))]),
    _read("label first, no header", ("run,a.mp4,0.4,0.8", "walk,a.mp4,0.8,1.2"), NAMED, "l.csv"),
    _read("label behind the path", ("a.mp4,run,0.4,0.8", "a.mp4,walk,0.8,1.2"), NAMED, "l.csv"),
    _read("pictures", ("a 2 5 0", "a 5 8 1"), [("0", until(2, 5)), ("1", until(5, 8))],
        videos=["a/"]),
    _refused("frames or seconds", BOTH, "start_frame.*start_second.*--columns"),
    _refused("frames or seconds, with a header", _csv("video,start,end,label", BOTH),
        "start_frame.*start_second.*--columns", "l.csv"),
    _read("start_time,end", _csv("path,start_time,end,label", BOTH),
        [("0", until(0, 25)), ("1", until(25, 50))], "l.csv"),
    *(
        _refused(f"{header}: half a segment", [f"path,{header},label", f"a.mp4,{row},x"],
            "other end.*--columns", "l.csv")
        for header, row in (("start", "0.5"), ("start_frame,num_frames", "5,10"),
                            ("start,duration", "0.5,0.4"), ("end_time", "0.5"))
    ),
    Kind("segments: list, half a segment, named so", "refused",
        lambda _: data.Layout(columns=("path", "start_second", "label")), "one end of a segment"),
    _refused("an end before the start", (*BY_TIME, "a.mp4 1.2 0.8 1"), "l.txt:3"),
    _refused("the same segment twice", (*BY_TIME, "a.mp4 0.8 1.2 1"), ":3.*listed already.*:2"),
    _refused("a segment with two labels", (*BY_TIME, "a.mp4 0.8 1.2 0"), ":3.*--allow_two_labels"),
    _refused("a time that is none", (*BY_TIME, "a.mp4 0.8 x 0"), "l.txt:3"),
)  # fmt: skip
