"""The data sets people have, as they come, in miniature: real videos of three frames."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import barcode
from pictures import barcodes

FRAMES = 3


@dataclasses.dataclass
class Miniature:
    train: dict[str, Any]  # arguments of open_manifest
    val: dict[str, Any]
    labels: tuple[str, ...]
    names: tuple[str, ...]  # of the training videos
    classes: tuple[int, ...]  # of the training videos
    val_classes: tuple[int, ...]
    directional: bool = False


def video(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    barcode.write(path, FRAMES, codec="libvpx" if path.suffix == ".webm" else "mpeg4")


def folder(path: Path, template: str = "{:05d}.jpg") -> None:
    path.mkdir(parents=True)
    for k, data in enumerate(barcodes(FRAMES)):
        (path / template.format(k + 1)).write_bytes(data)


def archive(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        for k, data in enumerate(barcodes(FRAMES)):
            file.writestr(f"{k + 1:05d}.jpg", data)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())
    return path


def ucf101(at: Path) -> Miniature:
    for name in ("ApplyLipstick/v_ApplyLipstick_g01_c01", "YoYo/v_YoYo_g01_c01", "YoYo/v_YoYo_g08"):
        video(at / "UCF-101" / f"{name}.avi")
    folder(at / "UCF-101/ApplyLipstick/v_ApplyLipstick_g08_c01")  # extracted
    lists = at / "ucfTrainTestlist"
    write(lists / "classInd.txt", "1 ApplyLipstick\r\n2 YoYo\r\n")
    text = "YoYo/v_YoYo_g08.avi 2\r\nApplyLipstick/v_ApplyLipstick_g08_c01.avi 1\r\n"
    train = write(lists / "trainlist01.txt", text)
    text = "ApplyLipstick/v_ApplyLipstick_g01_c01.avi\r\nYoYo/v_YoYo_g01_c01.avi\r\n"
    test = write(lists / "testlist01.txt", text)
    names = ("YoYo/v_YoYo_g08.avi", "ApplyLipstick/v_ApplyLipstick_g08_c01")
    root = at / "UCF-101"
    return Miniature(
        {"source": train, "root": root},
        {"source": test, "root": root},
        ("ApplyLipstick", "YoYo"),
        names,
        (1, 0),
        (0, 1),
    )


def hmdb51(at: Path) -> Miniature:
    names = ("#122_Up_(1)_np1_ba_goo_0", "b;[x]&c_bad_1", "c_0", "c_1")
    splits = at / "testTrainMulti_7030_splits"
    for name in ("wave", "brush_hair"):
        for video_name in names:
            video(at / "hmdb51" / name / f"{video_name}.avi")
        lines = [f"{n}.avi {k} \n" for n, k in zip(names, (1, 2, 0, 1), strict=True)]
        for split in (1, 2):
            write(splits / f"{name}_test_split{split}.txt", "".join(lines[: 5 - split]))
    arguments = {"source": splits, "root": at / "hmdb51"}
    return Miniature(
        arguments | {"part": "train"},
        arguments | {"part": "test", "split": 2},
        ("brush_hair", "wave"),
        tuple(f"{c}/{names[k]}.avi" for c in ("brush_hair", "wave") for k in (0, 3)),
        (0, 0, 1, 1),
        (0, 1),
    )


def kinetics(at: Path) -> Miniature:
    head = "label,youtube_id,time_start,time_end,split\n"
    rows = "riding a bike,-abc_DEF123,1,11,train\nclay making,0000000000A,9,19,train\n"
    gone = "clay making,gone0000000,0,10,train\nclay making,gone0000001,0,10,train\n"
    train = write(at / "train.csv", head + rows + gone)
    val = write(at / "val.csv", head + "riding a bike,ZZZZZZZZZZZ,100,110,val\n")
    video(at / "videos/riding_a_bike/-abc_DEF123_000001_000011.mp4")
    archive(at / "videos/train/0000000000A_000009_000019.zip")
    video(at / "videos/val/riding a bike/ZZZZZZZZZZZ_000100_000110.mkv")
    return Miniature(
        {"source": train, "root": at / "videos"},
        {"source": val, "root": at / "videos"},
        ("clay making", "riding a bike"),
        ("riding_a_bike/-abc_DEF123_000001_000011.mp4", "train/0000000000A_000009_000019.zip"),
        (1, 0),
        (1,),
    )


def _v1(at: Path, name: str) -> Miniature:
    labels = ("Swiping Left", "Moving [up], then, down", "No gesture")
    write(at / f"{name}-labels.csv", "".join(f"{label}\n" for label in labels))
    train = write(at / f"{name}-train.csv", f"7;{labels[1]}\n34870;{labels[0]}\n")
    val = write(at / f"{name}-validation.csv", f"8;{labels[2]}\n")
    for key in ("7", "34870", "8"):
        folder(at / "frames" / key)
    root = at / "frames"
    return Miniature(
        {"source": train, "root": root},
        {"source": val, "root": root},
        labels,
        ("7", "34870"),
        (1, 0),
        (2,),
        directional=True,
    )


def something_v1(at: Path) -> Miniature:
    return _v1(at, "something-something-v1")


def jester(at: Path) -> Miniature:
    small = _v1(at, "jester-v1")
    small.train["format"] = small.val["format"] = "jester"
    return small


def _v2_item(key: str, template: str) -> dict[str, object]:
    label = template.replace("[something]", "a cup").lower()
    return {"id": key, "label": label, "template": template, "placeholders": ["a cup"]}


def something_v2(at: Path) -> Miniature:
    labels = {"Holding something": "1", "Approaching something with your camera": "0"}
    write(at / "labels.json", json.dumps(labels))
    items = [
        _v2_item("78687", "Holding [something]"),
        _v2_item("42326", "Approaching [something] with your camera"),
    ]
    train = write(at / "train.json", json.dumps(items))
    val = write(at / "validation.json", json.dumps([_v2_item("5", "Holding [something]")]))
    video(at / "20bn-something-something-v2/78687.webm")
    folder(at / "20bn-something-something-v2/42326", "{:06d}.jpg")
    archive(at / "20bn-something-something-v2/5/RGB_frames.zip")
    root = at / "20bn-something-something-v2"
    return Miniature(
        {"source": train, "root": root},
        {"source": val, "root": root},
        ("Approaching something with your camera", "Holding something"),
        ("78687.webm", "42326"),
        (1, 0),
        (1,),
        directional=True,
    )


DATA_SETS: dict[str, Callable[[Path], Miniature]] = {
    "ucf101": ucf101,
    "hmdb51": hmdb51,
    "kinetics": kinetics,
    "something-v1": something_v1,
    "something-v2": something_v2,
    "jester": jester,
}
