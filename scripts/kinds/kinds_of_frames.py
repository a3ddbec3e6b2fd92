"""Kinds of folders and zip archives of frames, as extraction tools write them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path

import numbered
from kind import Kind, expect

from vdroppath_tf import data

MORE = {
    "flow": [f"flow_{axis}_{k:05d}.jpg" for axis in "xy" for k in range(1, 6)],
    "depth and masks": [f"{what}_{k:05d}.png" for what in ("depth", "mask") for k in range(1, 7)],
}


def _read(
    name: str,
    names: Sequence[str],
    said: str | None = None,
    *,
    more: Sequence[str] = (),
    template: str | None = None,
    refusal: str | None = None,
    zipped: bool = False,
) -> Kind:
    def try_it(at: Path) -> None:
        video = at / "class/video"
        files = numbered.pictures(names) | dict.fromkeys(more, numbered.picture(63))
        if zipped:
            video.parent.mkdir()
            with zipfile.ZipFile(video.with_suffix(".zip"), "w") as archive:
                for file in sorted(files, key=hash):
                    archive.writestr(f"video/{file}", files[file])
        else:
            video.mkdir(parents=True)
            for file in sorted(files, key=hash):  # in an order that is unrelated to the names
                (video / file).write_bytes(files[file])
        manifest = data.open_manifest(at, lookup=data.Lookup(template=template))
        source = manifest.entries[0].source
        expect(numbered.numbers(source), list(range(len(names))), "frames")
        if said is None:
            expect(manifest.notes, (), "notes")
        else:
            expect(any(said in note for note in manifest.notes), True, f"notes: {manifest.notes}")

    expected = "refused, with the options" if refusal else "in order"
    where = "zip" if zipped else "frames"
    return Kind(f"{where}: {name}", expected, try_it, refusal)


def _others_later(at: Path) -> None:
    """Checks that ignored files are noted even if the first video has no other files."""
    for video, more in (("a", ()), ("b", ("depth",)), ("c", ("depth",))):
        names = _numbers("img_{:05d}.jpg", range(1, 4))
        numbered.folder(at / "class" / video, [*names, *(f"{what}_1.jpg" for what in more)])
    notes = data.open_manifest(at).notes
    expect([note.split(": ")[0] for note in notes], ["class/b"], f"videos with a note in {notes}")


def _numbers(template: str, numbers: Sequence[float | int]) -> list[str]:
    return [template.format(number) for number in numbers]


_NINE = [f"img_{k:05d}.{'jpg' if k % 3 else 'JPG'}" for k in range(1, 10)]
_UNIX = [1551479581.5, 1551479581.75, 1551479582.0, 1551479582.125]
_FORMATS = ("png", "webp", "bmp", "tif", "tiff", "WEBP", "JPEG")
_IN_ORDER = "in the order of the numbers or times"
_CASES: tuple[tuple[str, Sequence[str], str | None], ...] = (
    ("counted from 1", _numbers("{:05d}.jpg", range(1, 8)), None),
    ("counted from 0", _numbers("{:05d}.jpg", range(7)), "counted from 0"),
    ("one frame, number 0", ["0.jpg"], "counted from 0"),
    ("every 5th kept, from 1", _numbers("img_{:05d}.jpg", range(1, 36, 5)), "in steps of 5"),
    ("every 5th kept, from 0", _numbers("img_{:05d}.jpg", range(0, 35, 5)), "in steps of 5"),
    ("every 30th kept, from 30", _numbers("frame{:d}.jpg", range(30, 200, 30)), "in steps of 30"),
    ("every 2nd kept, three frames", _numbers("{:d}.jpg", (0, 2, 4)), "in steps of 2"),
    ("numbers without zeros", _numbers("frame{:d}.jpg", range(1, 13)), None),
    ("suffixes in small and capital letters", _NINE, _IN_ORDER),
    ("suffixes jpg and jpeg", ["1.jpg", "2.jpg", "3.jpeg", "4.jpg", "5.jpeg"], _IN_ORDER),
    ("milliseconds at 30 frames per second",
     _numbers("{:d}.jpg", [1000 * k // 30 for k in range(9)]),
     _IN_ORDER),
    ("nanoseconds since 1970", _numbers("{:d}.png", [1403636579763555584 + 50000128 * k**2
     for k in range(5)]), _IN_ORDER),
    ("seconds since 1970, trailing zeros removed", _numbers("{}.jpg", _UNIX), _IN_ORDER),
    ("seconds with a fraction", _numbers("frame_{:.3f}.jpg", (0.0, 0.04, 0.08, 9.96, 10.0, 10.04)),
     _IN_ORDER),
    ("seconds with a tenth", _numbers("{:.1f}s.jpg", (8.5, 9.0, 9.5, 10.0, 10.5)), _IN_ORDER),
    ("times of day", [f"00-{k // 60:02d}-{k % 60:02d}.jpg" for k in range(55, 66)], _IN_ORDER),
    ("times of day, milliseconds", [f"01_02_{k // 1000:02d}_{k % 1000:03d}.jpg"
     for k in (900, 940, 980, 1020, 9000, 10010)], _IN_ORDER),
    ("date and time", [f"2019-03-02_23-59-{k:02d}.jpg" for k in (1, 5, 58)]
     + [f"2019-03-03_00-00-{k:02d}.jpg" for k in (0, 7)], _IN_ORDER),
    ("date and time without separators", [f"IMG_20190302_1233{k:02d}.jpg" for k in (1, 2, 5, 9)],
     _IN_ORDER),
)  # fmt: skip
_AMBIGUOUS: tuple[tuple[str, Sequence[str], str], ...] = (
    ("one missing", _numbers("{:05d}.jpg", (1, 2, 3, 5, 6)), r"'00004.jpg' is missing"),
    ("one of every 5th missing", _numbers("{:05d}.jpg", (1, 6, 11, 21, 26)),
     r"missing.*{:f}\.jpg"),
    ("two numbers with a gap", _numbers("{:05d}.jpg", (0, 5)), r"missing.*--frame_template"),
    ("counted from 7", _numbers("{:05d}.jpg", (7, 8, 9)), r"set first=7"),
    ("every 5th kept, from 20", _numbers("{:05d}.jpg", (20, 25, 30)), r"set first=20"),
    ("1.5 and 1.25", ["1.25.jpg", "1.5.jpg", "2.75.jpg"], r"kinds.*{:f}"),
    ("two takes", [f"take{k}_{n:03d}.jpg" for k in (1, 2) for n in (1, 2, 3)], r"2 kinds"),
    ("two takes with a time", [f"2019010{k}_123456_{n:03d}.jpg" for k in (1, 2) for n in (1, 2)],
     r"2 kinds"),
    ("two takes with a dot", [f"{k}.{n:03d}.jpg" for k in (1, 2) for n in (1, 2)], r"2 kinds"),
    ("jpg and png of one number", ["1.jpg", "2.jpg", "1.png", "2.png"], r"'1.jpg' and '1.png'"),
    ("two cameras", [f"cam{c}_{k}.jpg" for c in "ab" for k in (1, 2)], r"2 kinds"),
    *(
        (f"{one} and {other}", [f"{name}_{k}.jpg" for name in (one, other) for k in (1, 2, 3)],
         r"2 kinds.*--frame_template")
        for one, other in (("normal", "abnormal"), ("event1", "crowd"), ("label1", "run"),
                           ("frame_normal", "frame_abnormal"), ("frame", "birthday_event"))
    ),
    ("two videos, one named like flow", [*_numbers("flow_{}.jpg", (1, 2, 3)),
     *_numbers("river_{}.jpg", range(1, 7))], r"2 kinds"),
    ("number first, and twice", ["1_8.jpg", "2_8.jpg"], r"2 kinds"),
)  # fmt: skip
KINDS = (
    *(
        _read(f"pictures in .{ending}", [f"{k:03d}.{ending}" for k in range(1, 7)], zipped=zipped)
        for ending in _FORMATS
        for zipped in (False, True)
    ),
    *(_read(name, names, said) for name, names, said in _CASES),
    *(_read(name, names, said, zipped=True) for name, names, said in _CASES),
    *(_read(name, names, refusal=refusal) for name, names, refusal in _AMBIGUOUS),
    *(
        _read(f"RGB next to {what}", _numbers("img_{:05d}.jpg", range(1, 7)), "not RGB", more=more)
        for what, more in MORE.items()
    ),
    *(
        _read(f"{own} next to {' and '.join(more)}", _numbers(f"{own}_{{}}.jpg", range(1, 5)),
              "not RGB",
              more=[f"{name}_{k}.jpg" for name, last in more.items() for k in range(1, last + 1)])
        for own, more in (("v_run", {"v_run_depth": 4, "v_run_flow_x": 3}), ("run", {"depth": 4}),
                          ("run", {"flow_x": 3, "flow_y": 3}), ("cam1_rgb", {"cam1_normal": 4}),
                          ("img", {"event": 4}), ("frame", {"person_mask": 2}))
    ),
    Kind("frames: RGB next to depth, not in the first video", "noted", _others_later),
    _read("a name that only begins like flow", ["v_Yo_1.jpg", "v_Yo_2.jpg", "cover_1.jpg"],
          refusal="2 kinds"),
    _read("flow only, as RGB", [], more=MORE["flow"], refusal="2 kinds"),
    _read("irregular times, with a template", _numbers("f{:d}.jpg", (1, 6, 20)), _IN_ORDER,
          template="f{:f}.jpg"),
    _read("1.25 and 1.5, with a template of times", ["1.25.jpg", "1.5.jpg", "2.75.jpg"], _IN_ORDER,
          template="{:f}.jpg"),
)  # fmt: skip
