"""Reads the context of a `SequenceExample`: the labels, name and rate of a video."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from vdroppath_tf.data.lists.class_order import in_order, order_note
from vdroppath_tf.data.lists.text_files import MAX_CLASSES, check_names
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.data.records.framing import record_places
from vdroppath_tf.data.records.sequence import FRAMES, SequenceVideo
from vdroppath_tf.data.records.wire import features, fields, values, varint
from vdroppath_tf.files import open_regular

INDEX = ("clip/label/index", "label/index")
"""The possible names of the feature with class numbers."""
TEXT = ("clip/label/text", "clip/label/string", "label/text", "label/string")
"""The possible names of the feature with class names."""
_NAME = ("clip/media_id", "clip/example_id", "example/id", "clip/data_path", "video/id", "key")
_FPS = ("image/frame_rate", "image/frames_rate")
_OWN = "frame_bytes"  # a feature of this package's records
_HEAD = 1 << 16  # bytes that mostly include the context
_FIRST_FIELD = b"\x0a"  # the tag of the context, which its size follows


@dataclasses.dataclass(frozen=True)
class Clip:
    """A record, described by its context.

    Attributes:
        source: The source of its frames.
        numbers: The numbers of its classes, as written.
        texts: The names of its classes.
        fps: The frame rate, if it is written.
        origin: The place of the record, for errors.
    """

    source: SequenceVideo
    numbers: tuple[int, ...]
    texts: tuple[str, ...]
    fps: float | None
    origin: str


def clips_of(file: str) -> Iterator[Clip]:
    """Yields the records of a TFRecord file.

    Raises:
        ManifestError: See `record_places`; or if a record is not a `SequenceExample`.
    """
    with open_regular(file) as opened:
        for number, (offset, length) in enumerate(record_places(file)):
            origin = f"{file}: record {number}"
            try:
                context = _context(os.pread(opened.fileno(), min(length, _HEAD), offset), length)
                if context is None:
                    whole = os.pread(opened.fileno(), length, offset)
                    context = _context(whole, length) or {}
            except ValueError as error:
                raise ManifestError(
                    f"{origin} is not a SequenceExample ({error}). Expected a context with "
                    f"{INDEX[0]!r} and a feature list {FRAMES!r}."
                ) from None
            if _OWN in context:
                raise ManifestError(
                    f"{file}: is a shard of records that vdroppath convert wrote. Pass its folder, "
                    "or run vdroppath convert again if that has no index.json yet."
                )
            yield _clip(context, file, (offset, length), number, origin)


def _clip(
    context: Mapping[str, list[Any]], file: str, place: tuple[int, int], number: int, origin: str
) -> Clip:
    numbers = _first(context, INDEX)
    if bad := [k for k in numbers if not isinstance(k, int) or not 0 <= k < MAX_CLASSES]:
        raise ManifestError(f"{origin}: label is {bad[0]!r}, expected 0 to {MAX_CLASSES - 1}.")
    rate = _first(context, _FPS)[:1]
    name = "".join(map(_text, _first(context, _NAME)[:1]))
    return Clip(
        SequenceVideo(file, *place, f"{number} {name}".strip()),
        tuple(numbers),
        tuple(map(_text, _first(context, TEXT))),
        float(rate[0]) if rate and isinstance(rate[0], int | float) and 0 < rate[0] < 1e4 else None,
        origin,
    )


def class_names(
    clips: Sequence[Clip], labels: Sequence[str] | None, path: str
) -> tuple[tuple[str, ...], list[str]]:
    """Returns the names of the classes by number, and notes on how they were found.

    Raises:
        ManifestError: If a number has two names, or a name two numbers; or if only some records
            have numbers.
    """
    if labels is not None:
        return check_names(labels, f"{path}: labels="), []
    labelled = [clip for clip in clips if clip.numbers or clip.texts]
    if not all(clip.numbers for clip in labelled):
        if any(clip.numbers for clip in labelled):
            raise ManifestError(
                f"{path}: some records have {INDEX[0]!r}, and others only {TEXT[0]!r}. Pass labels="
                ", the names of the classes by number."
            )
        names = in_order({text for clip in labelled for text in clip.texts})
        note = order_note(names) or f"labels are names: {len(names)} classes, sorted"
        return check_names(names, path), [note]
    found: dict[int, str] = {}
    for clip in labelled:
        if len(clip.texts) == len(clip.numbers):
            for number, text in zip(clip.numbers, clip.texts, strict=True):
                if found.setdefault(number, text) != text:
                    raise ManifestError(
                        f"{clip.origin}: label {number} has the name {text!r}, but "
                        f"{found[number]!r} in an earlier record. Write the files again, or pass "
                        "labels=."
                    )
    used = {number for clip in labelled for number in clip.numbers}
    names = [found.get(number, str(number)) for number in range(1 + max(used, default=0))]
    notes = [f"labels are numbers, {len(found)} of {len(names)} with a name"]
    if min(used, default=0) == 1:
        notes.append("no video is of class 0: the labels may count from 1")
    return check_names(names, path), notes


def numbers_of(clip: Clip, known: Mapping[str, int]) -> list[int]:
    """Returns the numbers of a record's classes: by name, if all are known, else as written.

    Raises:
        ManifestError: If neither the names nor the numbers are known.
    """
    if clip.texts and all(text in known for text in clip.texts):
        return sorted({known[text] for text in clip.texts})
    if clip.texts and not (clip.numbers and known.keys() >= set(map(str, range(len(known))))):
        text = next(text for text in clip.texts if text not in known)
        raise ManifestError(
            f"{clip.origin}: class {text!r} is not among the labels {list(known)[:9]}."
        )
    if bad := [number for number in clip.numbers if number >= len(known)]:
        raise ManifestError(
            f"{clip.origin}: label {bad[0]} has no name: {len(known)} classes are known."
        )
    return sorted(set(clip.numbers))


def _context(head: bytes, length: int) -> dict[str, list[Any]] | None:
    """Returns the context of a record from its first bytes; None if more bytes are needed."""
    if head[:1] == _FIRST_FIELD:
        size, first = varint(head, 1, len(head))
        end = first + size
    else:  # it comes after the frames, or there is none
        if len(head) < length:
            return None
        places = [place for place in fields(head, 0, length) if place[0] == 1] or [(1, 0, 0)]
        _, first, end = places[0]
    if end > length:
        raise ValueError(f"a context of {end - first} bytes")
    if end > len(head):
        return None
    return {name: values(head, a, b) for name, a, b in features(head, first, end)}


def _first(context: Mapping[str, list[Any]], names: Sequence[str]) -> list[Any]:
    return next((context[name] for name in names if context.get(name)), [])


def _text(value: object) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
