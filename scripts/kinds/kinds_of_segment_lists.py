"""Kinds of text lists of segments: each line has a video, a start, an end, and a class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kind import Kind
from kinds_of_segments import FRAMES as FRAMES_OF_VIDEO
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
    _read("an offset and a number of frames, with columns", ("a.mp4 0 12 0", "a.mp4 12 12 1"),
        FRAMES, format=data.Layout(columns=("path", "start_frame", "segment_frames", "label"))),
    _refused("an offset and a number of frames", ("a.mp4 0 12 0", "a.mp4 12 12 1", "a.mp4 24 12 1"),
        "--columns=path,start_frame,segment_frames,label"),
    _refused("starts in Spanish", _csv("path,inicio,fin,label", BY_TIME),
        "'inicio' seems to hold segments.*--columns", "l.csv"),
    _refused("starts in Chinese", _csv("path,开始,结束,label", BY_TIME),
        "'开始' seems to hold segments.*--columns", "l.csv"),
    _read("seconds", BY_TIME, SECONDS, notes=["start_second"]),
    _read("whole and fractional seconds", ("a.mp4 0 0.4 0", "a.mp4 1 2 1"),
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
    _read("label after the path", ("a.mp4,run,0.4,0.8", "a.mp4,walk,0.8,1.2"), NAMED, "l.csv"),
    _read("pictures", ("a 2 5 0", "a 5 8 1"), [("0", until(2, 5)), ("1", until(5, 8))],
        videos=["a/"]),
    _refused("frames or seconds", BOTH, "start_frame.*start_second.*--columns"),
    *(
        _refused(f"frames or seconds, one of which ends after its video, {what}", lines,
            "start_frame.*start_second.*--columns", "l.csv", videos=("a.mp4", "b.mp4"))
        for rows in [(*BOTH, "b.mp4 0 2 0", "b.mp4 1 2 1", "a.mp4 1 9 1")]
        for what, lines in (("last", rows), ("first", rows[::-1]),
                            ("header", _csv("video,start,end,label", rows)))
    ),
    _read("frames, few of which may be seconds", ("a.mp4 0 2 0", *BY_FRAME),
        [("0", [0, 1]), *FRAMES]),
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
    *(
        _refused(f"{header}: unknown words", [f"path,{header},label", f"a.mp4,{row},x"],
            "seems to hold segments.*--columns", "l.csv")
        for header, row in (
            ("start_timestamp,stop_timestamp", "00:00:00.40,00:00:00.80"), ("t0,t1", "0.4,0.8"),
            ("t_0,t_1", "0.4,0.8"), ("start_ms,end_ms", "400,800"), ("onset,offset", "0.4,0.8"),
            ("from,to", "0.4,0.8"), ("clip_start,clip_end", "0.4,0.8"), ("begins,ends", "1,2"),
            ("sframe,eframe", "1,2"),
            ("startIndex,endIndex", "10,20"), ("in,out", "1,2"), ("offset,duration", "0.4,0.4"),
            ("beginning", "0.4"), ("segment", "0.4-0.8"), ("interval", '"[0.4, 0.8]"'),
            ("start_at,end_at", "0.4s,0.8s"))
    ),
    _refused("JSON lines, a list of both ends",
        ['{"video": "a.mp4", "segment": [0.4, 0.8], "label": "run"}'],
        "seems to hold segments.*--columns", "l.jsonl"),
    _refused("JSON lines, of which the first has no segment",
        ['{"video": "a.mp4", "label": "run"}',
         '{"video": "b.mp4", "start_sec": 0.4, "end_sec": 0.8, "label": "run"}'],
        "jsonl:1: its segment", "l.jsonl", videos=("a.mp4", "b.mp4")),
    _refused("JSON lines, of which a late one has a segment",
        ['{"video": "a.mp4", "label": "run"}'] * 1200 +
        ['{"video": "b.mp4", "start_sec": 0.4, "end_sec": 0.8, "label": "run"}'],
        "jsonl:1201: has 'start_sec'", "l.jsonl", videos=("a.mp4", "b.mp4")),
    _refused("JSON lines, an object of both ends",
        ['{"video": "a.mp4", "segment": {"start": 0.4, "end": 0.8}, "label": "run"}'],
        "'segment.start' seems to hold segments.*--columns", "l.jsonl"),
    _read("JSON lines, other members in later lines", ['{"video": "a.mp4", "label": "run"}',
        '{"video": "b.mp4", "label": "run", "mood": "good", "width": 9}'],
        [("run", until(0, FRAMES_OF_VIDEO))] * 2, "l.jsonl", videos=("a.mp4", "b.mp4")),
    *(
        _read(header, _csv(f"path,{header},label", BOTH),
            [("0", until(0, 25)), ("1", until(25, 50))], "l.csv")
        for header in ("starttime,endtime", "start_s,end_s", "begin_time,finish_time",
                       "startTime,stop_time", "Start (s),End (s)",
                       "start time [sec],end time [sec]")
    ),
    *(
        _read(f"{header}: not a segment", [f"path,{header},label", f"a.mp4,{row},x"],
            [("x", until(0, FRAMES_OF_VIDEO))], "l.csv")
        for header, row in (("fps,duration", "25,2.4"), ("gender,weekend", "1,0"),
                            ("timestamp,rank", "2020-01-02 10:00:00,1"), ("from,city", "a,b"))
    ),
    _read("frames and seconds, of a video", ["path,start_frame,end_frame,start_sec,end_sec,label",
        "a.mp4,3,6,0.4,0.8,0", "a.mp4,6,9,0.8,1.2,1"], SECONDS, "l.csv"),
    _read("frames and seconds, of pictures", ["path,start_sec,end_sec,start_frame,end_frame,label",
        "a,0.4,0.8,2,5,0", "a,0.8,1.2,5,8,1"], [("0", until(2, 5)), ("1", until(5, 8))], "l.csv",
        videos=["a/"], notes=["counted from 0"]),
    _read("frames or seconds, by row", ["path,start_frame,end_frame,start_sec,end_sec,label",
        "a.mp4,,,0.4,0.8,0", "a.mp4,20,30,,,1"], SECONDS, "l.csv"),
    _refused("frames and seconds, neither", ["path,start_frame,end_frame,start_sec,end_sec,label",
        "a.mp4,3,6,0.4,0.8,0", "a.mp4,,,,,1"], "csv:3: the columns of its segment are empty",
        "l.csv"),
    Kind("segments: list, half a segment, with columns", "refused",
        lambda _: data.Layout(columns=("path", "start_second", "label")), "one end of a segment"),
    _refused("an end before the start", (*BY_TIME, "a.mp4 1.2 0.8 1"), "l.txt:3"),
    _refused("the same segment twice", (*BY_TIME, "a.mp4 0.8 1.2 1"), ":3.*listed already.*:2"),
    _refused("a segment with two labels", (*BY_TIME, "a.mp4 0.8 1.2 0"), ":3.*--allow_two_labels"),
    _refused("a time that is not a number", (*BY_TIME, "a.mp4 0.8 x 0"), "l.txt:3"),
)  # fmt: skip
