"""Kinds of lists of Something-Something, Jester, Moments in Time and HMDB51, as they circulate."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numbered
from kind import Kind, expect
from kinds_of_kinetics import classes, noted, write

from vdroppath_tf import data

UP, DOWN = "Moving something up", "Moving something down"
LIST = json.dumps({UP: "0", DOWN: "1"})
V2 = [{"id": "7", "template": "Moving [something] up"}, {"id": "8", "template": DOWN}]
CLASSES = {"7.webm": UP, "8.webm": DOWN}

PATHS = [{"file_name": "a.mp4", "label": "run"}, {"file_name": "b.mp4", "label": "walk"}]


def _read(
    name: str,
    file: str,
    text: str,
    expected: Mapping[str, str],
    *,
    others: Mapping[str, str] | None = None,
    notes: tuple[str, ...] = (),
    directional: bool = True,
    **options: Any,
) -> Kind:
    """Makes a kind: a list next to empty files, which are never decoded."""

    def try_it(at: Path) -> None:
        for video in expected:
            path = at / video
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch() if path.suffix else path.mkdir()
        for other, content in (others or {}).items():
            write(at / other, content)
        found = data.open_manifest(write(at / file, text), **options)
        expect(classes(found), dict(expected), "videos and classes")
        expect(found.directional, directional, "whether labels have a direction")
        noted(found, *notes)

    return Kind(name, "videos and their classes", try_it)


def _something(name: str, file: str, text: str, labels: str = "labels.json", **more: Any) -> Kind:
    content = LIST if labels.endswith(".json") else f"{UP}\n{DOWN}\n"
    return _read(
        f"Something-Something: {name}", file, text, CLASSES, others={labels: content}, **more
    )


def _listed(name: str, rows: list[dict[str, Any]], indent: int | None) -> Kind:
    """Makes a kind: a JSON list of paths and classes that is not Something-Something's."""
    return _read(
        f"JSON list: {name}",
        "train.json",
        json.dumps(rows, indent=indent),
        {"a.mp4": "run", "b.mp4": "walk"},
        directional=False,
    )


def _numbers(name: str, file: str, text: str) -> Kind:
    """Makes a kind: numeric classes, whose order must not depend on the form of the list."""

    def try_it(at: Path) -> None:
        for video in ("x", "y", "z"):
            numbered.video(at / f"{video}.mp4", 12)
        found = data.open_manifest(write(at / file, text))
        expect(found.labels, ("1", "2", "10"), "classes")
        noted(found, "in numeric order: 1, 2, 10")
        again = data.open_manifest(at / file, labels=("1", "10", "2"))
        expect(again.labels, ("1", "10", "2"), "requested classes")

    return Kind(f"{name}: numeric classes", "in numeric order, with a note", try_it)


def _hmdb(
    name: str, *files: str, lists: str = "", options: Mapping[str, Any] | None = None
) -> Kind:
    def try_it(at: Path) -> None:
        for file in files:
            numbered.video(at / "hmdb" / f"{file}.avi", 2).rename(at / "hmdb" / file)
        for label in ("wave", "run"):
            text = f"{label}_x_nm_np1_ba_goo_0.avi 1 \n{label}_y_nm_np1_ba_goo_1.avi 2 \n"
            write(at / "hmdb" / lists / f"{label}_test_split1.txt", text)
        found = data.open_manifest(at / "hmdb", part="train")
        expect(classes(found), {files[1]: "run", files[0]: "wave"}, "videos and classes")

    return Kind(f"HMDB51: {name}", "its videos", try_it)


def _asked_for(part: str) -> Kind:
    """Makes a kind: a part that is requested by another of its names."""

    def try_it(at: Path) -> None:
        for k in (0, 1):
            numbered.video(at / "run" / f"{k}.avi", 2)
        write(at / "run_test_split1.txt", "0.avi 1", "1.avi 2")
        found = data.open_manifest(at, part=part)
        expect([*classes(found)], [f"run/{int(part == 'testing')}.avi"], "videos")

    return Kind(f"HMDB51: the part {part}", "its videos", try_it)


def _split(part: str) -> Kind:
    def try_it(at: Path) -> None:
        for video in ("a.mp4", "b.mp4"):
            numbered.video(at / video, 2)
        path = write(at / "list.txt", "a.mp4,run,train", f"b.mp4,walk,{part}")
        found = data.open_manifest(path, split=part)
        expect(classes(found), {"b.mp4": "walk"}, "videos")

    return Kind(f"list: a part named {part}", "its videos", try_it)


def _packed(at: Path) -> None:
    write(at / "run_test_split1.txt", "a.avi 1")
    write(at / "run.rar", "Rar!")
    data.open_manifest(at, part="train")


KAGGLE = "video_id,label,frames,label_id,shape,format\n"
JESTER = {"Train/7": "Swiping Left", "Train/8": "Swiping Right"}
MOMENTS = "clapping/a.mp4,clapping,3,0\nadult+female+singing/b.mp4,adult+female+singing,4,1\n"
CATEGORIES = {"moments_categories.txt": "adult+female+singing,0\nclapping,1\n"}
OF_MOMENTS = {"clapping/a.mp4": "clapping", "adult+female+singing/b.mp4": "adult+female+singing"}


def _moments(
    name: str, below: str, others: Mapping[str, str], file: str = "trainingSet.csv"
) -> Kind:
    expected = {below + path: label for path, label in OF_MOMENTS.items()}
    return _read(f"Moments: {name}", file, MOMENTS, expected, others=others, directional=False)


def _multi_moments(at: Path) -> None:
    for name in ("a", "b"):
        numbered.video(at / "training" / f"{name}.mp4", 2)
    write(at / "moments_categories.txt", "clapping,0", "singing,1", "running,2")
    found = data.open_manifest(write(at / "trainingSet.csv", "a.mp4,2,0", "b.mp4,1"))
    expect([entry.labels for entry in found], [(0, 2), (1,)], "classes")


KINDS = (
    _something("as published", "train.json", json.dumps(V2)),
    _something("ids that are numbers", "train.json", json.dumps([{**V2[0], "id": 7}, V2[1]])),
    _something("JSON lines", "train.jsonl", "".join(json.dumps(x) + "\n" for x in V2)),
    _something("JSON lines in .json", "train.json", "".join(json.dumps(x) + "\n" for x in V2)),
    _something(
        "answers of the test part", "test-answers.csv", f"7;{UP}\n8;{DOWN}\n",
        notes=("labels.json",),
    ),
    _something(
        "labels in another case", "validation.json",
        json.dumps([{"id": "7", "template": "moving [Something] UP"}, V2[1]]),
        notes=("1 labels differ from their classes in spelling",),
    ),
    _something("labels by number", "train.csv", "7;0\n8;1\n", "labels.csv", notes=("numbers",)),
    _something("TSM's classes", "train.csv", f"7;{UP}\n8;{DOWN}\n", "category.txt"),
    *(
        _read(
            f"TSM: {name}", "train_videofolder.txt", text, {"7": UP, "8": DOWN},
            others={"category.txt": f"{UP}\n{DOWN}\n"}, directional=False,
            notes=("classes are those of category.txt",),
        )
        for name, text in (("path num_frames label", "7 42 0\n8 37 1\n"),
                           ("path label", "7 0\n8 1\n"))
    ),
    _read(
        "TSM: classes with a direction", "train_videofolder.txt", "7 42 0\n8 37 1\n",
        {"7": "Swiping Left", "8": "Swiping Right"},
        others={"category.txt": "Swiping Left\nSwiping Right\n"}, notes=("left and right",),
    ),
    _something("the older names", "something-something-v2-train.json", json.dumps(V2),
        "something-something-v2-labels.json"),
    _read(
        "Something-Something: the published folder below the root", "train.json", json.dumps(V2),
        {f"20bn-something-something-v2/{k}": v for k, v in CLASSES.items()},
        others={"labels.json": LIST},
    ),
    Kind(
        "Something-Something: a class that is missing from the list", "refused",
        _something("x", "train.json", json.dumps([{**V2[0], "template": "Eating"}, V2[1]])).try_it,
        "class 'Eating' is not among",
    ),
    _read(
        "Jester: CSV from Kaggle", "Train.csv",
        f'{KAGGLE}7,Swiping Left,37,0,"(37, 176, 100, 3)",jpg\n8,Swiping Right,37,1,"(3)",jpg\n',
        JESTER,
    ),
    _read(
        "Jester: CSV from Kaggle, semicolons", "Train.csv",
        f"{KAGGLE}7,Swiping Left,37,0,x,jpg\n8,Swiping Right,37,1,x,jpg\n".replace(",", ";"),
        JESTER,
    ),
    Kind(
        "Jester: CSV from Kaggle, some classes only", "refused: names are needed",
        _read("x", "Train.csv", f"{KAGGLE}7,Swiping Left,37,4,x,jpg\n", {"7": "x"}).try_it,
        r"label_id are \[4\].*labels=",
    ),
    _read(
        "Jester: CSV from Kaggle, some classes only, all named", "Train.csv",
        f"{KAGGLE}7,Swiping Left,37,4,x,jpg\n", {"7": "Swiping Left"},
        labels=("No gesture", "Swiping Left"),
    ),
    *(
        _listed(f"{name}, {'one line' if indent is None else 'pretty'}", rows, indent)
        for name, rows in (("paths and classes", PATHS),
                           ("paths after other members",
                            [{"more": {"x": 1}, **row} for row in PATHS]))
        for indent in (None, 2)
    ),
    Kind(
        "JSON list: uninformative names", "refused, with --format=table",
        _listed("x", [{"a": row["file_name"], "b": row["label"]} for row in PATHS], 2).try_it,
        "item 0: is .*--format=table",
    ),
    _numbers(
        "Kinetics", "train.csv",
        "label,youtube_id,time_start,time_end\n10,x,0,1\n2,y,0,1\n1,z,0,1\n",
    ),
    _numbers(
        "ActivityNet", "net.json",
        json.dumps({"database": {
            key: {"subset": "training", "annotations": [{"segment": [0.0, 0.2], "label": label}]}
            for key, label in (("x", "10"), ("y", "2"), ("z", "1"))
        }}),
    ),
    _moments("as published", "training/", CATEGORIES),
    _moments("in the root", "", CATEGORIES),
    _moments("validation", "validation/", CATEGORIES, "validationSet.csv"),
    _moments("no categories", "training/", {}),
    Kind("Moments: Multi-Moments", "several classes per video", _multi_moments),
    *map(_asked_for, ("training", "testing")),
    *map(_split, ("validate", "dev", "testing")),
    *(
        _read(
            f"Something-Something: classes next to a list of {part}", f"a-{part}.csv",
            f"7;{UP}\n8;{DOWN}\n", CLASSES,
            others={"a-labels.csv": f"{UP}\n{DOWN}\n", "b-labels.csv": "x\n"},
        )
        for part in ("training", "valid", "validate", "dev", "testing")
    ),
    _hmdb("as unpacked", "wave/wave_x_nm_np1_ba_goo_0.avi", "run/run_x_nm_np1_ba_goo_0.avi"),
    Kind("HMDB51: archives not unpacked", "refused, with the archive", _packed,
         "run.rar: is packed.*unrar"),
    _hmdb(
        "archives unpacked into separate folders",
        "wave/wave/wave_x_nm_np1_ba_goo_0.avi", "run/run/run_x_nm_np1_ba_goo_0.avi",
    ),
    _hmdb(
        "stabilised, with two suffixes",
        "wave/wave_x_nm_np1_ba_goo_0.avi.avi", "run/run_x_nm_np1_ba_goo_0.avi.avi",
    ),
    _hmdb(
        "the folder that holds the folder of the lists",
        "wave/wave_x_nm_np1_ba_goo_0.avi", "run/run_x_nm_np1_ba_goo_0.avi",
        lists="testTrainMulti_7030_splits",
    ),
)  # fmt: skip
