"""Kinds of folders and lists of Kinetics, as download tools leave them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numbered
from kind import Kind, expect

from vdroppath_tf import data
from vdroppath_tf.data import Lookup

HEAD = "label,youtube_id,time_start,time_end,split"
ONE, TWO = "-abc_DEF123", "0000000_1_2"
ROWS = ((f"riding a bike,{ONE},1,11,train"), f"clay making,{TWO},9,19,train")
STEMS = (f"{ONE}_000001_000011", f"{TWO}_000009_000019")


def write(path: Path, *lines: str) -> Path:
    """Writes lines to a text file, and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def classes(manifest: data.Manifest) -> dict[str, str]:
    """Returns the name of the class of each video, by the video's name."""
    return {entry.name: manifest.labels[entry.label] for entry in manifest}


def noted(manifest: data.Manifest, *words: str) -> None:
    """Checks that each of the texts is in a note of the manifest."""
    for word in words:
        expect(any(word in note for note in manifest.notes), True, f"{word!r} in {manifest.notes}")


def _files(
    name: str, files: Sequence[str], lines: Sequence[str] = (HEAD, *ROWS), note: str = ""
) -> Kind:
    """Makes a kind: a list of two rows, a bike ride and clay making, and their video files."""

    def try_it(at: Path) -> None:
        for file in files:
            numbered.video(at / "videos" / f"{file}.mp4", 2)
        found = data.open_manifest(write(at / "list.csv", *lines), root=at / "videos")
        expected = dict(zip(files, ("riding a bike", "clay making"), strict=True))
        expect(classes(found), {f"{k}.mp4": v for k, v in expected.items()}, "videos")
        noted(found, *([note] if note else []))

    return Kind(f"Kinetics: {name}", "both clips with their classes", try_it)


def _rows(name: str, label: str, folder: str) -> Kind:
    """Makes a kind: a class folder whose name differs from that of the class."""

    def try_it(at: Path) -> None:
        numbered.video(at / folder / f"{STEMS[0]}.mp4", 2)
        numbered.video(at / "other" / f"{STEMS[0]}.mp4", 2)
        path = write(at / "train.csv", HEAD, f'"{label}",{ONE},1,11,train')
        found = data.open_manifest(path)
        expect(classes(found), {f"{folder}/{STEMS[0]}.mp4": label}, "videos")

    return Kind(f"Kinetics: class folder with {name}", "found", try_it)


def _part(part: str, folder: str) -> Kind:
    def try_it(at: Path) -> None:
        numbered.video(at / folder / "riding_a_bike" / f"{STEMS[0]}.mp4", 2)
        for other in ("train", "test", "training_256"):
            numbered.video(at / other / f"{STEMS[0]}.mp4", 3)
        path = write(at / "list.csv", HEAD, f"riding a bike,{ONE},1,11,{part}")
        found = data.open_manifest(path)
        expect(list(classes(found)), [f"{folder}/riding_a_bike/{STEMS[0]}.mp4"], "videos")

    return Kind(f"Kinetics: split {part} in the folder {folder}", "found only there", try_it)


def _json(at: Path) -> None:
    item = {
        "annotations": {"label": "riding a bike", "segment": [1.0, 11.0]},
        "duration": 10.0,
        "subset": "validate",
        "url": f"https://www.youtube.com/watch?v={ONE}",
    }
    numbered.video(at / "val" / f"{STEMS[0]}.mp4", 2)
    found = data.open_manifest(write(at / "kinetics_val.json", json.dumps({ONE: item})))
    expect(classes(found), {f"val/{STEMS[0]}.mp4": "riding a bike"}, "videos")


def _json_indented(at: Path) -> None:
    item = {
        "duration": 10.0,
        "subset": "train",
        "annotations": {"segment": [1, 11], "label": "riding a bike"},
    }
    numbered.video(at / f"{STEMS[0]}.mp4", 2)
    text = json.dumps({ONE: item}, indent=4)
    found = data.open_manifest(write(at / "kinetics_train.json", text))
    expect(classes(found), {f"{STEMS[0]}.mp4": "riding a bike"}, "videos")


def _all_parts(at: Path) -> Path:
    for stem in STEMS:
        numbered.video(at / f"{stem}.mp4", 2)
    return write(at / "all.csv", HEAD, *ROWS, f",{ONE},30,40,test")


def _no_test_labels(at: Path) -> None:
    found = data.open_manifest(_all_parts(at), split="train")
    expect(found.labels, ("clay making", "riding a bike"), "classes")


def _json_test(at: Path) -> None:
    item = {"annotations": {"segment": [1.0, 11.0]}, "duration": 10.0, "subset": "test"}
    data.open_manifest(write(at / "kinetics_test.json", json.dumps({ONE: item})))


def _splits(at: Path) -> Path:
    for stem in STEMS:
        numbered.video(at / f"{stem}.mp4", 2)
    return write(at / "all.csv", HEAD, ROWS[0], ROWS[1].replace("train", "validate"))


def _chosen(at: Path) -> None:
    path = _splits(at)
    for split, stem in (("train", STEMS[0]), ("val", STEMS[1]), ("validate", STEMS[1])):
        found = data.open_manifest(path, split=split)
        expect([*classes(found)], [f"{stem}.mp4"], split)
        expect(found.labels, ("clay making", "riding a bike"), "classes, of all splits")


def _twice(at: Path) -> None:
    for stem in STEMS:
        numbered.video(at / f"{stem}.mp4", 2)
    found = data.open_manifest(write(at / "train.csv", HEAD, *ROWS, ROWS[0]))
    expect(len(found), 2, "videos")
    noted(found, "1 rows are listed twice")


def _two_labels(at: Path, lookup: Lookup | None = None) -> data.Manifest:
    for stem in STEMS:
        numbered.video(at / f"{stem}.mp4", 2)
    path = write(at / "train.csv", HEAD, *ROWS, f"clay making,{ONE},1,11,train")
    return data.open_manifest(path, lookup=lookup)


def _two_labels_kept(at: Path) -> None:
    found = _two_labels(at, Lookup(allow_two_labels=True))
    labels = sorted(found.labels[e.label] for e in found if e.name == f"{STEMS[0]}.mp4")
    expect(labels, ["clay making", "riding a bike"], "labels of one clip")
    noted(found, "further label")
    data.write_manifest(found, at / "again.jsonl")
    expect(data.open_manifest(at / "again.jsonl").digest(), found.digest(), "manifest file")


def _two_folders(folders: Sequence[str]) -> Callable[[Path], None]:
    def try_it(at: Path) -> None:
        for folder in folders:
            numbered.video(at / folder / f"{STEMS[0]}.mp4", 2)
        numbered.video(at / "clay making" / f"{STEMS[1]}.mp4", 2)
        rows = (*ROWS, f"clay making,{ONE},1,11,train")
        found = data.open_manifest(write(at / "train.csv", HEAD, *rows))
        expect((len(found), len(found.missing)), (1, 1), "videos, and those that are missing")

    return try_it


def _containers(good: str, bad: str) -> Kind:
    def try_it(at: Path) -> None:
        made = numbered.video(at / f"{STEMS[0]}{good}", 6)
        (at / f"{STEMS[0]}{bad}").write_bytes(made.read_bytes()[:700])
        found = data.open_manifest(write(at / "train.csv", HEAD, ROWS[0]))
        expect([*classes(found)], [f"{STEMS[0]}{good}"], "videos")
        noted(found, "in several files")

    return Kind(f"Kinetics: a clip in {good}, and damaged in {bad}", "the readable one", try_it)


def _replacement(folder: str) -> Kind:
    def try_it(at: Path) -> None:
        numbered.video(at / "train" / f"{STEMS[0]}.mp4", 3)
        numbered.video(at / folder / f"{STEMS[0]}.mp4", 6)
        numbered.video(at / "train" / f"{STEMS[1]}.mp4", 6)
        found = data.open_manifest(write(at / "train.csv", HEAD, *ROWS))
        expected = [f"{folder}/{STEMS[0]}.mp4", f"train/{STEMS[1]}.mp4"]
        expect([*classes(found)], expected, "videos")
        noted(found, "folder of replacements")

    return Kind(f"Kinetics: {folder}", "it replaces the broken clip", try_it)


def _alone(name: str, frames: int, rows: Mapping[str, list[int]]) -> Kind:
    """Makes a kind: a file named by its id only, and the frames that each row stands for."""

    def try_it(at: Path) -> None:
        numbered.video(at / f"{ONE}.mp4", frames)
        lines = [f"riding a bike,{ONE},{times},train" for times in rows]
        found = data.open_manifest(write(at / "train.csv", HEAD, *lines))
        got = [numbered.numbers(entry.source) for entry in found]
        expect(got, [*rows.values()], "frames")
        noted(found, "id")

    return Kind(f"Kinetics: ids only, {name}", "the frames between the times", try_it)


def _mixed(at: Path) -> None:
    """Reads files of which some are clips and some are whole videos: each is inspected."""
    numbered.video(at / f"{ONE}.mp4", 60)
    numbered.video(at / f"{TWO}.mp4", 25)
    lines = (f"a,{ONE},1,2,train", f"b,{TWO},30,31,train")
    found = data.open_manifest(write(at / "train.csv", HEAD, *lines))
    got = [numbered.numbers(entry.source) for entry in found]
    expect(got, [list(range(25, 50)), list(range(25))], "frames")


def _lines(change: Callable[[str], str]) -> tuple[str, ...]:
    return tuple(map(change, (HEAD, *ROWS)))


KINDS = (
    _files("as published", STEMS),
    _files("times without zeros", (f"{ONE}_1_11", f"{TWO}_9_19")),
    _files("ids only", (ONE, TWO), note="id only"),
    _files("train_256", tuple(f"train_256/{stem}" for stem in STEMS)),
    _files("float times", STEMS, _lines(lambda line: line.replace("1,11", "1.0,11.0"))),
    _files("tabs", STEMS, _lines(lambda line: line.replace(",", "\t"))),
    _files("semicolons", STEMS, _lines(lambda line: line.replace(",", ";"))),
    _files("quotes", STEMS, _lines(lambda line: '"' + line.replace(",", '","') + '"')),
    _files("further columns", STEMS, _lines(lambda line: f"0,{line},1")),
    _files(
        "no split column, folders of parts",
        (f"train/{STEMS[0]}", f"val/{STEMS[1]}"),
        _lines(lambda line: line.rpartition(",")[0]),
    ),
    _files("no split column", STEMS, _lines(lambda line: line.rpartition(",")[0])),
    _files("ids without times", (ONE, TWO), ("label,youtube_id", f"riding a bike,{ONE}",
        f"clay making,{TWO}"), "id only"),
    _rows("underscores", "riding a bike", "riding_a_bike"),
    _rows("parentheses", "catching (or) throwing", "catching__or__throwing"),
    _rows("an apostrophe", "massaging person's head", "massaging persons head"),
    _rows("other capital letters", "Riding a Bike", "riding a bike"),
    *(
        _part(part, folder)
        for part, folder in (
            ("validate", "val"),
            ("val", "validation"),
            ("val", "val_256"),
            ("validate", "videos_val"),
            ("val", "k400_val_320p"),
        )
    ),
    Kind("Kinetics: DeepMind's JSON", "the clip", _json),
    Kind("Kinetics: DeepMind's JSON of the test part", "no labels", _json_test, "no labels"),
    Kind("Kinetics: DeepMind's JSON, indented, in another order", "the clip", _json_indented),
    Kind("Kinetics: all splits, the test part without labels", "the part", _no_test_labels),
    Kind(
        "Kinetics: the test part", "no labels",
        lambda at: data.open_manifest(_all_parts(at), split="test"), ":4: has no label",
    ),
    Kind(
        "Kinetics: two columns of classes", "refused",
        lambda at: data.open_manifest(write(at / "a.csv", f"classname,{HEAD}", f"run,{ROWS[0]}")),
        "'label' and 'classname'",
    ),
    Kind(
        "Kinetics: ids that a spreadsheet has corrupted", "refused",
        lambda at: data.open_manifest(write(at / "a.csv", HEAD, "run,#NAME?,1,11,train")),
        ":2: its id is '#NAME\\?'.*spreadsheets",
    ),
    Kind(
        "Kinetics: classes that differ in case", "refused, with both names",
        lambda at: data.open_manifest(write(at / "a.csv", HEAD, ROWS[0], ROWS[0].title())),
        ":3: class 'Riding A Bike' differs from 'riding a bike' of .*:2 in case",
    ),
    Kind(
        "Kinetics: several splits in one file",
        "refused, with --split",
        lambda at: data.open_manifest(_splits(at)),
        r"--split.*'train', 'validate'",
    ),
    Kind("Kinetics: several splits, one chosen", "its clips", _chosen),
    Kind(
        "Kinetics: a split that does not exist",
        "refused, with the existing splits",
        lambda at: data.open_manifest(_splits(at), split="test"),
        "no split 'test'.*'train', 'validate'",
    ),
    Kind("Kinetics: the same row twice", "one is kept, with a note", _twice),
    Kind(
        "Kinetics: a clip with two labels",
        "refused, with both labels",
        _two_labels,
        "'clay making'.*:2.*'riding a bike'.*--allow_two_labels",
    ),
    Kind("Kinetics: a clip with two labels, allowed", "both are kept", _two_labels_kept),
    *(
        Kind(
            f"Kinetics: a clip with two labels, {what}",
            "refused, with both labels",
            _two_folders(folders),
            "'clay making'.*:2.*'riding a bike'.*--allow_two_labels",
        )
        for what, folders in (
            ("in the folder of one", ("riding a bike",)),
            ("in the folders of both", ("riding a bike", "clay making")),
        )
    ),
    Kind(
        "Kinetics: a clip with two labels that was never downloaded",
        "left out",
        _two_folders(()),
    ),
    _containers(".mp4", ".mkv"),
    _containers(".mkv", ".mp4"),
    _replacement("replacement"),
    _replacement("replacement/replacement_for_corrupted_k400"),
    _replacement("k400_replacements"),
    _alone("whole videos", 60, {"0,1": list(range(25)), "1,2": list(range(25, 50))}),
    _alone("whole videos, parts of seconds", 60, {"0.5,1.02": list(range(13, 26))}),
    _alone("clips", 25, {"30,31": list(range(25))}),
    Kind("Kinetics: ids only, some are clips and some whole videos", "distinguished", _mixed),
)  # fmt: skip
