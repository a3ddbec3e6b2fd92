"""Files that look valid: changed fields of JSON, and changed bytes of archives and of weights."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from abuse_calls import CALLS
from abuse_case import Case

VALUES: tuple[Any, ...] = (None, -1, 10**40, float("nan"), "x" * 10_000, [], {}, [[[]]], True)
JSON_FILES = {
    "space.json": "compare",
    "scores.json": "derive",
    "result.json": "report",
    "bad.json": "convert",
    "latency.json": "space",
    "row.json": "models",
    "records/index.json": "catalog of records",
    "run/recipe.json": "test",
    "run/history.json": "report",
    "served/1/assets.extra/clip.json": "predict",
}
BYTES = {
    "run/template.keras": "space",
    "records/records-00000-of-00002.tfrecord": "catalog of records",
    "served/1/saved_model.pb": "predict",
    "served/1/variables/variables.index": "predict",
    "served/1/variables/variables.data-00000-of-00001": "predict",
    "clips/train/000000.mp4": "predict",
}
FLIPS = 25
MORE_FLIPS = {"served/1/saved_model.pb": 75, "served/1/variables/variables.index": 25}
"""Numbers of cases for files that TensorFlow itself reads."""


def _places() -> Iterator[tuple[str, Callable[[Any, Any], None]]]:
    """Yields the ways to set a value in JSON: each field of the first two levels, by position."""
    for depth in range(2):
        for place in range(6):
            yield f"value {place} of level {depth}", _setter(depth, place)


def _setter(depth: int, place: int) -> Callable[[Any, Any], None]:
    def put(content: Any, value: Any) -> None:
        for _ in range(depth):
            inner = list(content.values()) if isinstance(content, dict) else content
            content = next((one for one in inner if isinstance(one, (dict, list)) and one), None)
            if content is None:
                return
        keys = list(content) if isinstance(content, dict) else list(range(len(content)))
        if place < len(keys):
            content[keys[place]] = value

    return put


def _json_cases() -> Iterator[Case]:
    for file, call in JSON_FILES.items():
        for name, put in _places():
            for value in VALUES:

                def abuse(home: Path, file: str = file, put: Any = put, value: Any = value) -> None:
                    content = json.loads((home / file).read_text())
                    put(content, value)
                    (home / file).write_text(json.dumps(content))

                shown = repr(value)[:12]
                # A field may be optional, and may have other valid values.
                yield Case("forged", f"{file}: {name} is {shown}", CALLS[call], abuse, True)


def _byte_cases() -> Iterator[Case]:
    for file, call in BYTES.items():
        for number in range(MORE_FLIPS.get(file, FLIPS)):

            def abuse(home: Path, file: str = file, number: int = number) -> None:
                content = bytearray((home / file).read_bytes())
                chance = random.Random(number)
                for _ in range(1 + number % 5):
                    content[chance.randrange(len(content))] = chance.randrange(256)
                (home / file).write_bytes(content)

            yield Case("forged", f"{file}: bytes changed, {number}", CALLS[call], abuse, True)


def _member(name: str, content: bytes) -> Callable[[Path], None]:
    def abuse(home: Path) -> None:
        path = home / "run" / "template.keras"
        with zipfile.ZipFile(path) as archive:
            members = {n: archive.read(n) for n in archive.namelist()}
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for each, held in {**members, name: content}.items():
                archive.writestr(each, held)

    return abuse


def _archive_cases() -> Iterator[Case]:
    contents = {
        "zeros": bytes(1 << 28),
        "nothing": b"",
        "a deep list": b"[" * 100_000,
        "text": b"nothing",
    }
    for name in ("config.json", "model.weights.h5"):
        for what, content in contents.items():
            for call in ("space", "train from", "report"):
                name_of = f"template.keras: {name} is {what}, {call}"
                yield Case("forged", name_of, CALLS[call], _member(name, content))


CASES = (*_json_cases(), *_byte_cases(), *_archive_cases())
