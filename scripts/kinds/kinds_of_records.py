"""Kinds of TFRecord files from other tools: `SequenceExample`s as these write them."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numbered
from kind import Kind, expect
from kinds_of_folders import names, noted

from vdroppath_tf import data
from vdroppath_tf.data.records.framing import masked_crc32c
from vdroppath_tf.data.records.wire import fields

Value = Sequence[int] | Sequence[str] | Sequence[bytes] | Sequence[float]


def _varint(number: int) -> bytes:
    found = b""
    while number > 0x7F:
        found += bytes([number & 0x7F | 0x80])
        number >>= 7
    return found + bytes([number])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _feature(value: Value) -> bytes:
    if all(isinstance(one, int) for one in value):
        return _field(3, _field(1, b"".join(_varint(int(one)) for one in value)))
    if all(isinstance(one, float) for one in value):
        return _field(2, _field(1, struct.pack(f"<{len(value)}f", *value)))
    return _field(1, b"".join(
        _field(1, one if isinstance(one, bytes) else str(one).encode()) for one in value
    ))  # fmt: skip


def _map(entries: Mapping[str, bytes]) -> bytes:
    return b"".join(_field(1, _field(1, k.encode()) + _field(2, v)) for k, v in entries.items())


def example(context: Mapping[str, Value], frames: int = 6, key: str = "image/encoded") -> bytes:
    """Returns a serialised `SequenceExample` with numbered frames."""
    pictures = b"".join(_field(1, _feature([numbered.picture(k)])) for k in range(frames))
    times = b"".join(_field(1, _feature([40_000 * k])) for k in range(frames))
    lists = _map({"image/timestamp": times, key: pictures})
    return _field(1, _map({k: _feature(v) for k, v in context.items()})) + _field(2, lists)


def records(path: Path, *contents: bytes) -> Path:
    """Writes a TFRecord file, and returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        for content in contents:
            length = struct.pack("<Q", len(content))
            file.write(length + struct.pack("<I", masked_crc32c(length)))
            file.write(content + struct.pack("<I", masked_crc32c(content)))
    return path


def _label(number: int, text: str = "") -> dict[str, Value]:
    found: dict[str, Value] = {"clip/label/index": [number], "clip/media_id": [f"v{number}"]}
    return found | ({"clip/label/text": [text]} if text else {})


def _read(
    name: str,
    contents: Sequence[bytes],
    expected: Sequence[str],
    *said: str,
    refusal: str | None = None,
    labels: Sequence[str] | None = None,
) -> Kind:
    def try_it(at: Path) -> None:
        manifest = data.open_manifest(records(at / "clips", *contents), labels=labels)
        expect([*names(manifest).values()], list(expected), "classes")
        noted(manifest, *said)
        for entry in manifest:
            expect(numbered.numbers(entry.source), [*range(6)], "frames")
        written = data.write_records(at / "records", manifest)
        expect(written.videos, len(contents), "converted")

    return Kind(f"SequenceExamples: {name}", "refused" if refusal else "read, exact", try_it,
                refusal)  # fmt: skip


def _of_parts(at: Path) -> None:
    for part, count in (("train", 2), ("validation", 1)):
        for shard in range(count):
            file = at / f"{part}-{shard:05d}-of-{count:05d}"
            records(file, *(example(_label(k, "ab"[k])) for k in (0, 1)))
    train = data.open_manifest(at, part="train")
    expect((len(train), train.labels), (4, ("a", "b")), "training videos")
    expect(len(data.open_manifest(at, part="validation", labels=("a", "b"))), 2, "validation")
    data.open_manifest(at)


def _called(
    files: str, expected: Sequence[str], part: str | None = None, refusal: str | None = None
) -> Kind:
    """Makes a kind: files with one video each, which are read depending on their names."""

    def try_it(at: Path) -> None:
        for file in files.split():
            records(at / file, example({**_label(0), "clip/media_id": [file]}))
        found = [entry.name.split(":")[0] for entry in data.open_manifest(at, part=part)]
        expect(found, list(expected), "files")

    what = "all" if part is None else part
    return Kind(f"SequenceExamples: files {files}, {what}", "refused" if refusal else "its part",
                try_it, refusal)  # fmt: skip


def _beside_videos(files: str, refusal: str | None, format: str | None = None) -> Kind:
    """Makes a kind: a TFRecord file next to files that may hold videos."""

    def try_it(at: Path) -> None:
        records(at / "x.tfrecord", example(_label(0)))
        for file in files.split():
            if file.endswith(".mp4"):
                numbered.video(at / file)
            else:
                (at / file).parent.mkdir(exist_ok=True)
                (at / file).write_text("file_name,label\na.mp4,0\n")
        found = [entry.name.split(":")[0] for entry in data.open_manifest(at, format=format)]
        expect(found, ["x.tfrecord"] if format != "folders" else files.split(), "videos")

    what = f", with format {format}" if format else ""
    return Kind(f"SequenceExamples: next to {files}{what}", "refused" if refusal else "read",
                try_it, refusal)  # fmt: skip


def _several(at: Path) -> None:
    both = example({"clip/label/index": [0, 2], "clip/label/text": ["a", "c"]})
    manifest = data.open_manifest(records(at / "x.tfrecord", both, example(_label(2, "c"))))
    expect((manifest.multi_label, manifest.labels), (True, ("a", "1", "c")), "classes")
    expect([entry.labels for entry in manifest], [(0, 2), (2,)], "labels")


def _files(change: Callable[[Path], object], at: Path) -> None:
    for shard in range(2):
        records(at / f"clips-{shard:05d}-of-00002.tfrecord", example(_label(shard)))
    change(at / "clips-00001-of-00002.tfrecord")
    for entry in data.open_manifest(at):
        numbered.numbers(entry.source)


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def _pack(path: Path) -> None:
    path.write_bytes(b"\x1f\x8b" + path.read_bytes())


def _files_kind(name: str, change: Callable[[Path], object], refusal: str | None) -> Kind:
    expected = "refused" if refusal else "read"
    return Kind(f"SequenceExamples: {name}", expected, lambda at: _files(change, at), refusal)


def _turned(content: bytes) -> bytes:
    """Returns a message with its two fields in the other order."""
    place = next(first for number, first, _ in fields(content, 0, len(content)) if number == 2)
    head = len(_varint(len(content) - place)) + 1
    return content[place - head :] + content[: place - head]


_TEXTS = [example({"clip/label/text": [text]}) for text in ("run", "a b", "run")]
KINDS = (
    _read("index and text", [example(_label(1, "walk")), example(_label(0, "run"))],
          ["walk", "run"], "2 of 2 with a name"),
    _read("index only", [example(_label(2)), example(_label(0))], ["2", "0"], "labels are numbers"),
    _read("text only", _TEXTS, ["run", "a b", "run"], "labels are names: 2 classes"),
    _read("MediaPipe's text", [example({"clip/label/string": ["run"]})], ["run"]),
    _read("labels given", [example(_label(0, "walk"))], ["walk"], labels=("run", "walk")),
    _read("labels given, another class", [example(_label(0, "swim"))], [], labels=("run", "walk"),
          refusal=r"'swim' is not among the labels"),
    _read("an index with two texts", [example(_label(0, "a")), example(_label(0, "b"))], [],
          refusal=r"label 0 has the name 'b', but 'a'"),
    _read("no label", [example({"clip/media_id": ["a"]})], [], refusal=r"has no label"),
    _read("no list of frames", [example(_label(0), key="flow/encoded")], ["0"],
          refusal=r"expected the feature list 'image/encoded', found .*'flow/encoded'"),
    _read("a long context", [example({**_label(0), "more": ["x" * 100_000]})], ["0"]),
    _read("frames before the context", [_turned(example(_label(0)))], ["0"]),
    Kind("SequenceExamples: several labels", "multi-label", _several),
    Kind("SequenceExamples: shards of train and validation", "each with its part; else refused",
         _of_parts, r"part= \(one of train, validation"),
    _called("train.tfrecord val.tfrecord", ["train.tfrecord"], "train"),
    _called("train.tfrecord val.tfrecord", ["val.tfrecord"], "validation"),
    _called("train.tfrecord val.tfrecord", [], refusal=r"part= \(one of train, validation"),
    _called("train-00.tfrecord train-01.tfrecord test-00.tfrecord",
            ["train-00.tfrecord", "train-01.tfrecord"], "train"),
    _called("train_0.tfrecord train_1.tfrecord", ["train_0.tfrecord", "train_1.tfrecord"]),
    _called("clips_a.tfrecord clips_b.tfrecord", ["clips_a.tfrecord", "clips_b.tfrecord"]),
    _called("train_a-0-of-1 train_b-0-of-1 val-0-of-1", ["train_a-0-of-1", "train_b-0-of-1"],
            "train"),
    _called("train_a-0-of-1 train_b-0-of-1 val-0-of-1", ["val-0-of-1"], "validation"),
    _called("more.tfrecord train.tfrecord", [], "train", r"uncertain which part 'more' is"),
    _called("train_val.tfrecord val.tfrecord", [], "train", r"which part 'train_val' is"),
    _called("a-0-of-1.tfrecord a-0-of-2.tfrecord a-1-of-2.tfrecord", [], None,
            r"different numbers of shards"),
    _called("a.tfrecord a.tfrecord-0-of-1", [], None, r"different numbers of shards"),
    _beside_videos("run/a.mp4 walk/b.mp4", r"such as 'run'.*'sequence-examples' or 'folders'"),
    _beside_videos("run/a.mp4 walk/b.mp4", None, "folders"),
    _beside_videos("run/a.mp4 walk/b.mp4", None, "sequence-examples"),
    _beside_videos("a.mp4 metadata.csv", r"a list of videos.*or 'table'"),
    _beside_videos("logs/a.txt metadata.csv", None),
    _files_kind("a folder of shards", lambda _: None, None),
    _files_kind("a shard is missing", lambda path: path.unlink(), r"1 of 2 shards.*number 1 is"),
    _files_kind("a shard is compressed", _pack, r"is compressed with gzip. Uncompress it"),
    _files_kind("a shard is cut", _cut, r"damaged or cut short at record 0"),
)  # fmt: skip
