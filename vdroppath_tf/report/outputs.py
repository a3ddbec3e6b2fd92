"""Writes a report as files: pictures as PNG and SVG, tables as CSV, all of it as JSON."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

from vdroppath_tf.figures.style import png_bytes, svg_bytes
from vdroppath_tf.files import csv_text, write_bytes, write_json
from vdroppath_tf.names import named
from vdroppath_tf.report.classes import class_pictures, class_table, confusion_table, gain_table
from vdroppath_tf.report.findings import findings, observed
from vdroppath_tf.report.headline import headline
from vdroppath_tf.report.maps import map_pictures
from vdroppath_tf.report.pictures import accuracy_picture, space_pictures
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.report.tables import TABLES, Table, as_records
from vdroppath_tf.report.worth import worth_pictures, worth_table
from vdroppath_tf.spaces.diagnosis import diagnose

FORMAT = "vdroppath_tf.report/1"
MORE_TABLES: dict[str, Callable[[TaskReport], Table]] = {
    "class_accuracy": class_table,
    "confusions": confusion_table,
    "gains": gain_table,
    "worth": worth_table,
}


@named
def write_figures(folder: str | os.PathLike[str], report: Report) -> list[Path]:
    """Writes the pictures, tables and numbers of a report as files.

    Every picture becomes `NAME.png` and `NAME.svg`, every table with lines `NAME.csv`, and the
    content of the report `report.json`. With several tasks, names start with the number of the
    task: `1-marginals.svg`.

    Args:
        folder: str or path of a folder, which is created if it is missing.
        report: `Report`, the report.

    Returns:
        The files.

    Raises:
        OSError: If a file cannot be written.

    Example:
    ```python
    task = vdroppath_tf.report.task_of(space, "motion")
    write_figures("figures", vdroppath_tf.report.Report("Motion", "2026-11-30", [task]))
    ```
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    files: dict[str, bytes] = {}
    for number, task in enumerate(report.tasks, 1):
        start = "" if len(report.tasks) == 1 else f"{number}-"
        files |= {f"{start}{name}": content for name, content in _task_files(task).items()}
    for name, content in files.items():
        write_bytes(folder / name, content)
    write_json(folder / "report.json", fields(report), allow_nan=False)
    return [*(folder / name for name in files), folder / "report.json"]


def _task_files(task: TaskReport) -> dict[str, bytes]:
    accuracy = accuracy_picture(task)
    pictures = [*space_pictures(task), *([] if accuracy is None else [accuracy])]
    pictures += [*worth_pictures(task), *class_pictures(task)]
    pictures += map_pictures(task)
    files: dict[str, bytes] = {}
    for picture in pictures:
        figure: Figure = picture.draw(narrow=False)
        files[f"{picture.name}.svg"] = svg_bytes(figure)
        files[f"{picture.name}.png"] = png_bytes(figure)
    tables = {name: make(task) for name, make in (TABLES | MORE_TABLES).items()}
    return files | {
        f"{name}.csv": csv_text(*table).encode() for name, table in tables.items() if table[1]
    }


@named
def fields(report: Report) -> dict[str, Any]:
    """Returns a report as JSON-able data, `vdroppath_tf.report/1`, with each space's fields."""
    return {
        "format": FORMAT,
        "title": report.title,
        "subtitle": report.subtitle,
        "command": report.command,
        "tasks": [_task_fields(task) for task in report.tasks],
    }


def _diagnosis_fields(task: TaskReport) -> dict[str, Any]:
    """Returns what decided the space; nulls if that is unknown."""
    found = diagnose(task.space)
    known = {"moved_by": [*found.moved_by], "data_share": [*found.data_share]}
    return {"collapsed": found.collapsed, **(known if found.known else dict.fromkeys(known))}


def _task_fields(task: TaskReport) -> dict[str, Any]:
    found = task.selection
    selection = None
    if found is not None:
        selection = {
            "strategy": str(found.strategy),
            "top1_chosen_on": found.top1_chosen_on,
            "optimism": found.optimism if math.isfinite(found.optimism) else None,
            "not_told_apart": [str(strategy) for strategy in found.confidence_set],
            "level": found.level,
            "confidence": found.confidence,
            "clips": list(found.clips),
        }
    return {
        "name": task.name,
        "description": task.description,
        "space": json.loads(task.space.to_json()),
        "chosen": None if task.chosen is None else str(task.chosen),
        "mode": str(task.space.mode()),
        "classes": task.classes,
        "clips": task.clips,
        "headline": headline(task),
        "diagnosis": _diagnosis_fields(task),
        "findings": findings(task),
        "observations": [{"claim": o.claim, **asdict(o)} for o in observed(task)],
        "selection": selection,
        "settings": dict(task.settings),
        "timings": dict(task.timings),
        "predictions": [asdict(answer) for answer in task.predictions],
        **{name: as_records(make(task)) for name, make in (TABLES | MORE_TABLES).items()},
        "tested_classes": [[list(each) for each in one.classes] for one in task.tested],
        "tested_confusions": [[list(each) for each in one.confusions] for one in task.tested],
    }
