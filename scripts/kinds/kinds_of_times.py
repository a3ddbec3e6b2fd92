"""Kinds of lists in the form of a data set that have more columns of times than it, or fewer."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path

import numbered
from kind import Kind, expect
from kinds_of_kinetics import HEAD, ONE, TWO, noted, write
from kinds_of_segments import (
    EPIC,
    EPIC_ROWS,
    Found,
    read_list,
    refuse_list,
    segments,
    until,
)

from vdroppath_tf import data

JESTER = "video_id,label,label_id"
ITEM = '[{{"id": "a", "template": "Moving [something] up", {}}}]'
PARTS: Found = [("run", until(10, 20)), ("walk", until(20, 30))]


def _kinetics(start: str, end: str) -> Kind:
    """Makes a kind: whole videos named by their ids, and the frames that each row stands for."""

    def try_it(at: Path) -> None:
        numbered.video(at / f"{ONE}.mp4", 60)
        lines = (f"youtube_id,{start},{end},label", f"{ONE},0,1,run", f"{ONE},1,2,run")
        found = data.open_manifest(write(at / "train.csv", *lines))
        expect(segments(found), [("run", until(0, 25)), ("run", until(25, 50))], "segments")
        noted(found, "whole videos")

    return Kind(f"Kinetics: times named {start} and {end}", "those frames", try_it)


def _refused(name: str, header: str, row: str, words: str) -> Kind:
    """Makes a kind: times of Kinetics that would be lost, and are refused."""

    def try_it(at: Path) -> None:
        numbered.video(at / f"{ONE}.mp4", 60)
        data.open_manifest(write(at / "train.csv", header, row))

    return Kind(f"Kinetics: {name}", "refused, with the columns", try_it, words)


def _jester(name: str, times: str, words: str, **options: str) -> Kind:
    text = f"{JESTER},{times}\na,run,0,0.4,0.8\n"
    return refuse_list(f"Jester's columns and {name}", "train.csv", text, words, **options)


def _from_zero(zipped: bool) -> Kind:
    """Makes a kind: frame numbers of EPIC-KITCHENS are those of the file names, from any first."""

    def try_it(at: Path) -> None:
        names = [f"frame_{k:010d}.jpg" for k in range(12)]
        if zipped:
            with zipfile.ZipFile(at / "P01_01.zip", "w") as archive:
                for name, content in numbered.pictures(names).items():
                    archive.writestr(name, content)
        else:
            numbered.folder(at / "P01_01", names)
        path = write(at / "EPIC_100_train.csv", EPIC + EPIC_ROWS)
        for lookup in (None, data.Lookup(template="frame_{:010d}.jpg")):
            found = data.open_manifest(path, format="epic-kitchens-verbs", lookup=lookup)
            expect(segments(found), [("1", until(3, 6)), ("0", until(6, 9))], "segments")

    where = "a zip file" if zipped else "a folder"
    return Kind(f"segments: EPIC-KITCHENS, frames from 0 in {where}", "by name", try_it)


def _later(name: str, files: Mapping[str, int], times: Mapping[str, list[int]]) -> Kind:
    """Makes a kind: files named by their ids only, clips of a second first, then whole videos."""

    def try_it(at: Path) -> None:
        made = {count: numbered.video(at / "made" / f"{count}.mp4", count) for count in (25, 60)}
        for file, count in files.items():
            (at / f"{file}.mp4").write_bytes(made[count].read_bytes())
        lines = [f"run,{row},train" for row in times]
        found = data.open_manifest(write(at / "train.csv", HEAD, *lines))
        got = [numbered.numbers(entry.source) for entry in found]
        expect(got, [*times.values()], "frames")

    return Kind(f"Kinetics: ids only, {name}", "distinguished", try_it)


CLIPS = {f"{k:04d}{ONE}": 25 for k in range(17)}
CLIP_ROWS = {f"{name},30,31": until(0, 25) for name in CLIPS}
KINDS = (
    _kinetics("start_sec", "end_sec"),
    _kinetics("Start Time", "End Time"),
    _kinetics("t_start", "t_end"),
    _kinetics("Start (s)", "End (s)"),
    _refused(
        "times in frames",
        "youtube_id,start_frame,end_frame,label",
        f"{ONE},0,25,run",
        ":1: has the columns 'start_frame' and 'end_frame', .*'time_start' and 'time_end'",
    ),
    _refused(
        "times in other words",
        "youtube_id,onset,offset,label",
        f"{ONE},0,1,run",
        ":1: has the column 'onset', which may belong to segments",
    ),
    *(
        _refused(
            f"times in one column {name}",
            f"youtube_id,{name},label",
            f"{ONE},0-1,run",
            f":1: has the column '{name}', which may belong to segments",
        )
        for name in ("segment", "timestamps", "start_and_end")
    ),
    _refused(
        "a start without an end",
        "youtube_id,time_start,label",
        f"{ONE},1,run",
        ":1: has the column 'time_start'",
    ),
    _refused(
        "parts in a column set",
        "youtube_id,time_start,time_end,label,set",
        f"{ONE},0,1,run,train\n{ONE},1,2,run,val",
        r"--split.*'train', 'val'",
    ),
    *(
        read_list(
            f"Jester's columns and times, between: {between}",
            "train.csv",
            f"{JESTER},{names}\na,run,0,0.4,0.8\na,walk,1,0.8,1.2\n".replace(",", between),
            PARTS,
        )
        for names, between in (("start_time,end_time", ","), ("start,end", ";"))
    ),
    _jester(
        "times, as Jester", "start_time,end_time", "'start_time'.*--format=table", format="jester"
    ),
    _jester("half a segment", "start_time,more", "'start_time' is one end of segments"),
    _jester("times in other words", "t0,t1", "'t0' and 't1'.*--format=table"),
    *(
        refuse_list(
            f"Something-Something's members and {members}",
            "train.json",
            ITEM.format(members),
            "item 0: has .*--format=table",
        )
        for members in ('"start": 0.4, "end": 0.8', '"from": 1, "to": 2')
    ),
    _from_zero(zipped=False),
    _from_zero(zipped=True),
    _later(
        "whole videos after many clips",
        CLIPS | {f"{ONE}": 60, TWO: 60},
        CLIP_ROWS | {f"{ONE},0,1": until(0, 25), f"{TWO},1,2": until(25, 50)},
    ),
)
