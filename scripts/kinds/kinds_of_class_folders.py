"""Kinds of class folders as users have them: mixed, nested, incomplete, or split into parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import av
import numbered
from kind import Kind, expect
from kinds_of_folders import names, noted

from vdroppath_tf import data

_FRAMES = [f"{k}.jpg" for k in range(1, 7)]
_FORMATS = {
    "m4v": "mp4", "mpg": "mpeg", "mpeg": "mpeg", "ts": "mpegts", "MTS": "mpegts", "flv": "flv",
    "3gp": "3gp", "divx": "avi", "MP4": "mp4", "wmv": "asf", "vob": "vob", "qt": "mov",
    "gif": "gif", "": "matroska", "dat": "avi",
}  # fmt: skip
_CODECS = {"mpeg": "mpeg1video", "mpegts": "mpeg2video", "vob": "mpeg2video", "flv": "flv1"}


def _container(path: Path, suffix: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    format = _FORMATS[suffix]
    with av.open(str(path), "w", format=format) as container:
        codec = "gif" if format == "gif" else _CODECS.get(format, "mpeg4")
        stream = container.add_stream(codec, rate=25)
        stream.height, stream.width = 2 * numbered.BLOCK, numbered.BITS * numbered.BLOCK
        stream.pix_fmt = "rgb8" if format == "gif" else "yuv420p"
        for k in range(6):
            frame = av.VideoFrame.from_ndarray(numbered.pixels(k), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _suffix(suffix: str) -> Kind:
    def try_it(at: Path) -> None:
        name = f"b.{suffix}" if suffix else "b"
        numbered.video(at / "run/a.mp4")
        _container(at / "run" / name, suffix)
        manifest = data.open_manifest(at)
        expect(names(manifest), {"run/a.mp4": "run", f"run/{name}": "run"}, "videos")

    return Kind(f"suffix: class folder with {'.' + suffix if suffix else 'none'}", "found", try_it)


def _passed_over(at: Path) -> None:
    numbered.video(at / "run/a.mp4")
    for name in ("a.txt", "b.TXT", "a.json", "a.jpg", "b.mp4.part", "c.mp4.crdownload"):
        (at / "run" / name).write_text("{}")
    manifest = data.open_manifest(at)
    expect(names(manifest), {"run/a.mp4": "run"}, "videos")
    noted(manifest, "2 .txt", "1 .json", "1 .jpg", "2 partial downloads")


def _tree(
    name: str,
    files: str,
    expected: Mapping[str, str] | None,
    *said: str,
    refusal: str | None = None,
    options: Mapping[str, object] | None = None,
    then: Callable[[Path], None] = lambda _: None,
) -> Kind:
    """Makes a kind of class folders.

    A name that ends in a slash becomes a folder of frames, and one that ends in `/-` an empty
    folder.
    """

    def try_it(at: Path) -> None:
        root = at / "set"
        for file in files.split():
            if file.endswith("/"):
                numbered.folder(root / file, _FRAMES)
            elif file.endswith("/-"):
                (root / file[:-2]).mkdir(parents=True)
            elif file.endswith((".mp4", ".avi")):
                numbered.video(root / file)
            else:
                (root / file).parent.mkdir(parents=True, exist_ok=True)
                (root / file).write_bytes(numbered.picture(0))
        then(root)
        manifest = data.open_manifest(root, **(options or {}))
        expect(names(manifest), expected, "videos")
        noted(manifest, *said)
        for entry in manifest:
            expect(numbered.numbers(entry.source), [*range(6)], "frames")

    return Kind(
        f"class folders: {name}",
        "refused, with the options" if refusal else "read",
        try_it,
        refusal,
    )


def _videos(*found: str, level: int = 0) -> dict[str, str]:
    return {name: name.split("/")[level] for name in found}


def _validation(at: Path) -> None:
    for name in ("train/a/1.mp4", "train/b/2.mp4", "val/b/3.mp4"):
        numbered.video(at / name)
    train = data.open_manifest(at, part="train")
    val = data.open_manifest(at, part="validation", labels=train.labels)
    expect(names(train), _videos("train/a/1.mp4", "train/b/2.mp4", level=1), "training videos")
    expect([(entry.name, entry.label) for entry in val], [("val/b/3.mp4", 1)], "validation videos")
    expect(data.lists.parts_of(at), {"train": "train", "validation": "val"}, "parts")


def _loop(root: Path) -> None:
    (root / "run/again").symlink_to("..")
    (root / "run/self").symlink_to(".")


def _broken(root: Path) -> None:
    (root / "walk").symlink_to("nowhere")


_PARTS = r"part= \(one of train, "


def _listed(at: Path) -> None:
    """Reads parts as the Hugging Face Hub has them, with a list in each."""
    lists = {"train": "a.mp4,run\nb.mp4,walk\n", "validation": "c.mp4,walk\n"}
    for part, rows in lists.items():
        for row in rows.splitlines():
            numbered.video(at / part / row.partition(",")[0])
        (at / part / "metadata.csv").write_text(f"file_name,label\n{rows}")
    train = data.open_manifest(at, part="train")
    val = data.open_manifest(at, part="validation", labels=train.labels)
    expect(train.labels, ("run", "walk"), "classes")
    expect([entry.label for entry in val], [1], "labels of the validation video")
    noted(train, "the part 'train' is taken; other parts: validation")


KINDS = (
    Kind("parts: train and validation with a list each", "each read by its part", _listed),
    *map(_suffix, _FORMATS),
    Kind("suffix: other files in class folders", "counted and listed", _passed_over),
    Kind("parts: train and val, with labels", "each read by its part", _validation),
    _tree("mixed depth", "run/a.mp4 run/s1/b.mp4 run/s2/t/c.mp4 walk/d.mp4",
          _videos("run/a.mp4", "run/s1/b.mp4", "run/s2/t/c.mp4", "walk/d.mp4"),
          "below the classes"),
    _tree("mixed depth of frames", "run/a/ run/s1/b/ walk/d/",
          _videos("run/a", "run/s1/b", "walk/d"), "below the classes"),
    _tree("a folder for each video", "run/a/a.mp4 run/b/b.mp4 walk/c/c.mp4",
          _videos("run/a/a.mp4", "run/b/b.mp4", "walk/c/c.mp4"), "the first folder is the class"),
    _tree("subjects above or below the classes", "s1/run/a.mp4 s1/walk/b.mp4 s2/run/c.mp4", None,
          refusal=r"--class_level=1.*--class_level=2"),
    _tree("subjects above the classes, with class_level", "s1/run/a.mp4 s1/walk/b.mp4 s2/run/c.mp4",
          _videos("s1/run/a.mp4", "s1/walk/b.mp4", "s2/run/c.mp4", level=1),
          options={"lookup": data.Lookup(class_level=2)}),
    _tree("subjects below the classes, with class_level", "run/s1/a.mp4 walk/s1/b.mp4",
          _videos("run/s1/a.mp4", "walk/s1/b.mp4"),
          options={"lookup": data.Lookup(class_level=1)}),
    _tree("one folder around them", "videos/run/a.mp4 videos/walk/b.mp4", None,
          refusal=r"--class_level=1"),
    _tree("a class without videos", "run/a.mp4 swim/- walk/b.mp4",
          _videos("run/a.mp4", "walk/b.mp4"), "classes without a video: swim"),
    _tree("a class without videos, which is required", "run/a.mp4 swim/-", None,
          refusal=r"swim: holds no video", options={"lookup": data.Lookup(allow_empty=False)}),
    _tree("a folder of lists next to the classes", "annotations/list.txt run/a.mp4 walk/b.mp4",
          _videos("run/a.mp4", "walk/b.mp4"), "not classes"),
    _tree("an empty folder next to videos", "run/a.mp4 run/later/- walk/b.mp4",
          _videos("run/a.mp4", "walk/b.mp4"), "ignored empty folders: run/later"),
    _tree("covers next to videos",
          "run/a/a.mp4 run/a/a.jpg run/b/b.mp4 run/b/poster.jpg run/c.mp4",
          _videos("run/a/a.mp4", "run/b/b.mp4", "run/c.mp4"), "2 .jpg"),
    _tree("frames next to their video", "run/a/a.mp4 run/a/1.jpg run/a/2.jpg", None,
          refusal=r"both pictures and videos.*folders-of-videos"),
    _tree("frames next to their video, with a format", "run/a/a.mp4 run/a/1.jpg run/b.mp4",
          _videos("run/a/a.mp4", "run/b.mp4"), options={"format": "folders-of-videos"}),
    *(
        _tree(f"a numbered cover next to folders of {what}", f"run/s1/poster_1.jpg {inside}", None,
              refusal=r"poster_1\.jpg.*one video or several")
        for what, inside in (("frames", "run/s1/a/"), ("videos", "run/s1/a/a.mp4"),
                             ("folders", "run/s1/day/a/"))
    ),
    _tree("a numbered cover next to folders of videos, with a format",
          "run/s1/poster_1.jpg run/s1/a/a.mp4 run/c.mp4", _videos("run/c.mp4", "run/s1/a/a.mp4"),
          "1 .jpg", options={"format": "folders-of-videos"}),
    _tree("covers next to folders of frames",
          "run/s1/poster.jpg run/s1/a/ run/s2/b.jpg run/s2/b/ run/c/",
          _videos("run/c", "run/s1/a", "run/s2/b"), "2 .jpg"),
    _tree("frames next to flow and lists", "run/a/ run/a/flow_x/ run/a/notes/b.txt run/b/",
          _videos("run/a", "run/b")),
    _tree("files next to the classes", "run/a.mp4 walk/b.mp4 stray.mp4 one.jpg readme",
          _videos("run/a.mp4", "walk/b.mp4"),
          "files next to the class folders: 1 videos (stray.mp4), ", "1 .jpg", "1 without a"),
    _tree("files next to parts and in them", "train/run/a.mp4 test/run/b.mp4 c.mp4 train/d.mp4",
          _videos("train/run/a.mp4", level=1), "2 videos (c.mp4, d.mp4)",
          options={"part": "train"}),
    _tree("videos and frames", "run/a.mp4 walk/b/", None, refusal="--format=folders-of-videos"),
    _tree("folders rgb and flow", "run/a/rgb/ run/a/flow/ run/b/rgb/ run/c/",
          _videos("run/a/rgb", "run/b/rgb", "run/c"), "pictures that are not RGB"),
    _tree("videos named like kinds of pictures", "run/image_a/ run/v_b/ run/depth_dive/ run/c/",
          _videos("run/c", "run/depth_dive", "run/image_a", "run/v_b")),
    _tree("folders frames and optical_flow", "run/a/frames/ run/a/optical_flow/ run/c/",
          _videos("run/a/frames", "run/c"), "pictures that are not RGB"),
    _tree("links that form a loop", "run/a.mp4 walk/b.mp4", _videos("run/a.mp4", "walk/b.mp4"),
          then=_loop),
    _tree("a link to a class that does not exist", "run/a.mp4", None, then=_broken,
          refusal=r"'walk' is a link to nowhere, which does not exist"),
    _tree("parts, none requested", "train/run/a.mp4 val/run/b.mp4", None, refusal=_PARTS),
    *(
        _tree(f"parts {train} and {test}, {part}", f"{train}/run/a.mp4 {test}/run/b.mp4",
              _videos(f"{train if part == 'train' else test}/run/{name}.mp4", level=1),
              "is taken", options={"part": part})
        for train, test, part, name in (
            ("train", "validation", "train", "a"), ("training", "valid", "validation", "b"),
            ("Train", "Test", "test", "b"), ("train", "test", "validation", "b"),
            ("train_256", "val_256", "validation", "b"), ("train", "validate", "validation", "b"),
            ("train", "dev", "validation", "b"), ("training_set", "testing", "test", "b"),
        )
    ),
    _tree("parts and lists", "train/run/a.mp4 test/run/b.mp4 lists/c.txt",
          _videos("train/run/a.mp4", level=1), "other parts: test", options={"part": "train"}),
    _tree("parts and a folder of videos", "train/run/a.mp4 test/run/b.mp4 more/c.mp4", None,
          refusal=r"'more' next to them holds videos too", options={"part": "train"}),
    _tree("the part train only", "train/run/a.mp4 train/walk/b.mp4",
          _videos("train/run/a.mp4", "train/walk/b.mp4", level=1), options={"part": "train"}),
    _tree("a class named train", "train/a.mp4 car/b.mp4", _videos("train/a.mp4", "car/b.mp4")),
    _tree("classes test1 and test2", "test1/a.mp4 test2/b.mp4",
          _videos("test1/a.mp4", "test2/b.mp4")),
    _tree("parts below the classes", "run/train/a.mp4 run/test/b.mp4 walk/train/c.mp4", None,
          refusal=r"run: holds parts of a data set"),
    _tree("a part that does not exist", "run/a.mp4 walk/b.mp4", None, refusal=r"no part 'train'",
          options={"part": "train"}),
)  # fmt: skip
