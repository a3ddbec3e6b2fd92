"""Kinds of data sets that list segments of videos: exactly their frames, with their classes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numbered
from kind import Kind, expect
from kinds_of_kinetics import noted, write

from vdroppath_tf import data

FRAMES = 60  # of each video, at 25 frames per second
Found = list[tuple[str, list[int]]]
"""The class and the frames of each segment."""


def segments(manifest: data.Manifest) -> Found:
    """Returns the class of each segment, and the frames that its pixels show."""
    return [(manifest.labels[e.label], numbered.numbers(e.source)) for e in manifest]


def read_list(
    name: str,
    file: str,
    text: str,
    expected: Found,
    *,
    videos: Sequence[str] = ("a.mp4",),
    others: dict[str, str] | None = None,
    notes: Sequence[str] = (),
    **options: Any,
) -> Kind:
    """Makes a kind: a list that must be read, as must its manifest file."""

    def try_it(at: Path) -> None:
        _make(at, videos, others or {})
        found = data.open_manifest(write(at / file, text), **options)
        expect(segments(found), expected, "classes and frames")
        noted(found, *notes)
        data.write_manifest(found, at / "again.jsonl")
        again = data.open_manifest(at / "again.jsonl")
        expect((again.digest(), segments(again)), (found.digest(), expected), "manifest file")

    return Kind(f"segments: {name}", "those frames, those classes", try_it)


def refuse_list(
    name: str,
    file: str,
    text: str,
    pattern: str,
    *,
    videos: Sequence[str] = ("a.mp4",),
    **options: Any,
) -> Kind:
    """Makes a kind: a list that must be refused, with a message that matches the pattern."""

    def try_it(at: Path) -> None:
        _make(at, videos, {})
        data.open_manifest(write(at / file, text), **options)

    return Kind(f"segments: {name}", "refused, with the reason", try_it, pattern)


def _make(at: Path, videos: Sequence[str], others: dict[str, str]) -> None:
    for name in videos:
        if name.endswith("/"):
            names = [f"frame_{k:010d}.jpg" for k in range(1, 13)]
            numbered.folder(at / name, names)
        else:
            numbered.video(at / name, FRAMES)
    for name, text in others.items():
        write(at / name, text)


def until(first: int, end: int) -> list[int]:
    """Returns the numbers of a segment's frames."""
    return list(range(first, end))


def _diving(*rows: tuple[str, int, int, int]) -> str:
    names = ("vid_name", "label", "start_frame", "end_frame")
    return json.dumps([dict(zip(names, row, strict=True)) for row in rows])


def _net(**parts: dict[str, list[tuple[float, float, str]]]) -> str:
    items = {
        key: {
            "subset": part,
            "duration": FRAMES / 25 + 0.01,
            "resolution": "320x240",
            "annotations": [{"segment": [s, e], "label": label} for s, e, label in rows],
        }
        for part, found in parts.items()
        for key, rows in found.items()
    }
    return json.dumps({"version": "VERSION 1.3", "taxonomy": [], "database": items})


EPIC = (
    "narration_id,participant_id,video_id,start_timestamp,stop_timestamp,start_frame,stop_frame,"
    "narration,verb,verb_class,noun,noun_class\n"
)
EPIC_ROWS = (
    "P01_01_0,P01,P01_01,00:00:00.40,00:00:00.80,3,6,open door,open,1,door,0\n"
    'P01_01_1,P01,P01_01,00:00:00.80,00:00:01.20,6,9,"take cup",take,0,cup,1\n'
)
EPIC_NAMES = {
    "EPIC_100_verb_classes.csv": "id,key,instances,category\n0,take,\"['take']\",x\n1,open,o,x\n",
    "EPIC_100_noun_classes.csv": "id,key,instances,category\n0,door,d,x\n1,cup,c,x\n",
}
CHARADES = (
    "id,subject,scene,quality,relevance,verified,script,objects,descriptions,actions,length\n"
)
CHARADES_ROWS = (
    'A1B2C,X,Kitchen,6,7,Yes,"A person, who sits.",door,x,c001 0.40 0.80;c000 2.00 2.90,2.40\n'
    "D3E4F,X,Kitchen,6,7,Yes,b,door,x,,2.40\n"
)
CHARADES_NAMES = {"Charades_v1_classes.txt": "c000 Holding a cup\nc001 Opening a door\n"}
PARTS = _net(
    training={"aaa": [(0.4, 0.8, "run"), (0.8, 1.2, "walk")]},
    validation={"bbb": [(2.0, 2.9, "walk")]},
    testing={"ccc": []},
)


def _charades_videos(at: Path) -> None:
    _make(at, ["Charades_v1_480/A1B2C.mp4", "Charades_v1_480/D3E4F.mp4"], CHARADES_NAMES)
    path = write(at / "Charades_v1_train.csv", CHARADES + CHARADES_ROWS)
    found = data.open_manifest(path, format="charades-videos")
    expect([entry.labels for entry in found], [(0, 1), ()], "classes of each video")
    expect(found.multi_label, True, "whether videos have several classes")


def _leaks(at: Path) -> None:
    """Checks that videos with segments in both training and validation are found."""
    _make(at, ["a.mp4", "b.mp4"], {})
    one = write(at / "train.json", _diving(("a", 0, 0, 9), ("a", 1, 9, 20), ("b", 1, 0, 9)))
    other = write(at / "test.json", _diving(("a", 1, 30, 40), ("a", 1, 40, 50)))
    pairs = data.lists.shared_videos(data.open_manifest(one), data.open_manifest(other))
    expect([(a.name, b.name) for a, b in pairs], [("a.mp4", "a.mp4")], "videos in both")


def _missing(at: Path) -> None:
    _make(at, ["aaa.mp4"], {})
    rows = [(0.4, 0.8, "run"), (0.8, 1.2, "walk")]
    path = write(at / "net.json", _net(training={"aaa": rows, "bbb": rows}))
    found = data.open_manifest(path)
    expect((len(found), found.missing), (2, ("bbb",)), "segments, and missing videos")


def _after_the_end(at: Path) -> None:
    """Checks that `diagnose` names the faulty segment, and accepts its video's other segments."""
    _make(at, ["a.mp4"], {})
    path = write(at / "train.json", _diving(("a", 0, 0, 9), ("a", 1, 50, 90)))
    found = data.diagnose([("train", data.open_manifest(path))], at / "journal")
    expect([fault.path[-22:] for fault in found.faults], ["a.mp4: frames 50 to 90"], "faults")


def _kinds_of_net() -> list[Kind]:
    def net(name: str, expected: Found, file: str, **options: Any) -> Kind:
        return read_list(
            f"ActivityNet, {name}", "net.json", PARTS, expected, videos=[file], **options
        )

    training: Found = [("run", until(10, 20)), ("walk", until(20, 30))]
    return [
        net("training", training, "v_aaa.mp4", split="training"),
        net("named train", training, "aaa.mp4", split="train"),
        net(
            "in a folder validate",
            [("walk", until(50, 60))],
            "validate/v_bbb.mp4",
            split="validation",
        ),
        net("in a folder of the part", training, "train_val/training/aaa.mp4"[10:], split="train"),
        net(
            "an end after the duration",
            [("walk", until(50, 60))],
            "v_bbb.mp4",
            split="val",
            notes=["1 segments end after the duration"],
        ),
        refuse_list("ActivityNet, several parts", "net.json", PARTS, "--split.*'training'"),
        refuse_list("ActivityNet, the test part", "net.json", PARTS, "no labels", split="testing"),
        refuse_list("ActivityNet, another part", "net.json", PARTS, "no split 'dev'", split="dev"),
        read_list(
            "ActivityNet, the same segment twice",
            "net.json",
            _net(training={"aaa": [(0.4, 0.8, "run"), (0.4, 0.8, "run")]}),
            [("run", until(10, 20))],
            videos=["aaa.mp4"],
            notes=["listed twice"],
        ),
        refuse_list(
            "ActivityNet, a segment that ends before it starts",
            "net.json",
            _net(training={"a": [(1.0, 0.4, "run")]}),
            "'a'.*ends at 0.4, not after its start 1",
        ),
        refuse_list(
            "ActivityNet, a segment with two labels",
            "net.json",
            _net(training={"a": [(0.0, 0.4, "run"), (0.0, 0.4, "walk")]}),
            "'walk' is listed already.*--allow_two_labels",
        ),
    ]


def _epic(classes: str, expected: Found, videos: Sequence[str], *, named: bool = True) -> Kind:
    return read_list(
        f"EPIC-KITCHENS, {classes}s in {videos[0]}{'' if named else ', without names'}",
        "EPIC_100_train.csv",
        EPIC + EPIC_ROWS,
        expected,
        videos=videos,
        others=EPIC_NAMES if named else {},
        format=f"epic-kitchens-{classes}s",
        notes=[f"classes are of the {classes}"],
    )


FILE, FOLDER = ["P01/videos/P01_01.MP4"], ["P01/rgb_frames/P01_01/"]
BY_TIME, BY_NUMBER = (until(10, 20), until(20, 30)), (until(2, 5), until(5, 8))
_both: Callable[[Sequence[str], Sequence[list[int]]], Found] = lambda names, frames: [  # noqa: E731
    (name, part) for name, part in zip(names, frames, strict=True)
]

KINDS = (
    read_list(
        "Diving48",
        "Diving48_V2_train.json",
        _diving(("a", 2, 0, 12), ("a", 0, 12, 30)),
        [("2", until(0, 12)), ("0", until(12, 30))],
        notes=["frames, counted from 0"],
    ),
    read_list(
        "Diving48 with its vocabulary, in the folder rgb",
        "Diving48_V2_train.json",
        _diving(("a", 1, 0, 60)),
        [("Back 25som FREE", until(0, 60))],
        videos=["rgb/a.mp4"],
        others={"Diving48_vocab.json": '[["Back","15som"],["Back","25som","FREE"]]'},
    ),
    refuse_list("Diving48, no end", "a.json", '[{"vid_name": "a", "label": 1}]', "item 0"),
    refuse_list("Diving48, twice", "a.json", _diving(*2 * [("a", 1, 0, 9)]), "listed already"),
    _epic("verb", _both(("open", "take"), BY_TIME), FILE),
    _epic("noun", _both(("door", "cup"), BY_TIME), ["P01_01.mp4"]),
    _epic("action", _both(("open door", "take cup"), BY_TIME), FILE),
    _epic("action", _both(("verb 1, noun 0", "verb 0, noun 1"), BY_TIME), FILE, named=False),
    _epic("verb", _both(("open", "take"), BY_NUMBER), FOLDER),
    _epic("noun", _both(("0", "1"), BY_NUMBER), ["rgb/train/P01/P01_01/"], named=False),
    refuse_list(
        "EPIC-KITCHENS, without a choice of classes",
        "EPIC_100_train.csv",
        EPIC + EPIC_ROWS,
        "epic-kitchens-verbs.*epic-kitchens-nouns.*epic-kitchens-actions.*--format",
        videos=FILE,
    ),
    refuse_list(
        "EPIC-KITCHENS, an invalid time",
        "EPIC_100_train.csv",
        EPIC + EPIC_ROWS.replace("00:00:00.40", "0.4 s"),
        ":2: '0.4 s' is not a time",
        videos=FILE,
        format="epic-kitchens-verbs",
    ),
    read_list(
        "Charades, each action",
        "Charades_v1_train.csv",
        CHARADES + CHARADES_ROWS,
        [("Opening a door", until(10, 20)), ("Holding a cup", until(50, 60))],
        videos=["Charades_v1_480/A1B2C.mp4"],
        others=CHARADES_NAMES,
        notes=["each action is a segment", "1 videos have no action", "1 segments end after"],
    ),
    Kind("Charades: whole videos", "all classes of each video", _charades_videos),
    *_kinds_of_net(),
    Kind("segments: a video that was never downloaded", "left out, named once", _missing),
    Kind("segments: the same video in training and validation", "named once", _leaks),
    Kind("segments: one that ends after its video", "a fault, others are valid", _after_the_end),
)
