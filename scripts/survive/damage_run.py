"""Damages the folder of a finished run in many ways, and tries to resume the run.

    python scripts/survive/damage_run.py

Each file of a run is truncated, emptied, removed, replaced by a folder and changed by a bit; each
field of its JSON is removed and given values of other types. Then the training is resumed. It must
end with the same bytes as the undamaged run, or raise an error of one clear line before anything is
trained; anything else is a fault.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import kill_points

Damage = tuple[str, Callable[[Path], None]]


def of_files(run: Path) -> Iterator[Damage]:
    """Yields damages of every file: truncated, one bit changed, removed, replaced by a folder."""
    for file in sorted(p for p in run.rglob("*") if p.is_file() and not p.name.startswith(".")):
        name = str(file.relative_to(run))
        for share in (0.0, 0.01, 0.5, 0.99):
            yield f"{name} cut at {share:.0%}", cut(name, share)
        yield f"{name} with one bit changed", flip(name)
        yield f"{name} gone", lambda folder, name=name: (folder / name).unlink()
        yield f"{name} a folder", folder_for(name)


def of_fields(run: Path) -> Iterator[Damage]:
    """Yields damages of every field of run.json and of the last state: removed, or another type."""
    last = sorted(run.glob("checkpoint-*"))[-1].name
    for name in ("run.json", f"{last}/state.json"):
        for field in json.loads((run / name).read_text()):
            yield f"{name} without {field}", change(name, field, None)
            for value in (-1, "x", [3], {}, 10**30):
                yield f"{name} with {field}={value!r}", change(name, field, value)


def cut(name: str, share: float) -> Callable[[Path], None]:
    """Returns a damage that keeps the first share of a file."""

    def damage(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * share)])

    return damage


def flip(name: str) -> Callable[[Path], None]:
    """Returns a damage that changes a bit in the middle of a file."""

    def damage(folder: Path) -> None:
        content = bytearray((folder / name).read_bytes())
        if content:
            content[len(content) // 2] ^= 1
        (folder / name).write_bytes(content)

    return damage


def folder_for(name: str) -> Callable[[Path], None]:
    """Returns a damage that replaces a file by an empty folder."""

    def damage(folder: Path) -> None:
        (folder / name).unlink()
        (folder / name).mkdir()

    return damage


def change(name: str, field: str, value: Any) -> Callable[[Path], None]:
    """Returns a damage that sets a field of a JSON file, or removes it if the value is None."""

    def damage(folder: Path) -> None:
        fields = json.loads((folder / name).read_text())
        if value is None:
            del fields[field]
        else:
            fields[field] = value
        (folder / name).write_text(json.dumps(fields))

    return damage


def main() -> int:
    """Tries every damage, prints each run that does not simply resume; returns the exit status."""
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    found: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as place:
        home = Path(place)
        task = home / "task"
        kill_points.write_clips(task, (16, 8, 8))
        whole = home / "whole" / "run"
        whole.parent.mkdir()
        kill_points.train_once(task, whole, 1, "1")
        expected = kill_points.end_of(whole)
        for number, (name, damage) in enumerate([*of_files(whole), *of_fields(whole)]):
            run = home / str(number) / "run"
            shutil.copytree(whole, run)
            damage(run)
            # The points that a damaged file of TensorBoard has lost are no part of the training.
            beside = {k: v for k, v in expected.items() if not name.startswith(k)}
            outcome = outcome_of(task, run, beside)
            found[outcome.partition(":")[0]] += 1
            if outcome != "resumes":
                print(f"{name}: {outcome}", flush=True)
            shutil.rmtree(run.parent)
    print(", ".join(f"{count} {kind}" for kind, count in found.most_common()))
    return int(any(kind not in ("resumes", "refused") for kind in found))


def outcome_of(task: Path, run: Path, expected: dict[str, str]) -> str:
    """Resumes a damaged run, and returns its outcome."""
    try:
        kill_points.train_once(task, run, 1, "1")
    except (ValueError, OSError) as error:
        return f"refused: {error}"
    except Exception as error:
        return f"traceback: {type(error).__name__}: {error}"
    end = kill_points.end_of(run)
    different = sorted(key for key in expected if end.get(key) != expected[key])
    return f"different end: {', '.join(different)}" if different else "resumes"


if __name__ == "__main__":
    sys.exit(main())
