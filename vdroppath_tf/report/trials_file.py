"""The file of trials: what `vdroppath trials` writes, and reports read."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

from vdroppath_tf.files import read_json, write_json
from vdroppath_tf.names import named
from vdroppath_tf.report.inputs import data_used, read_file
from vdroppath_tf.report.trials import BY_TRIALS, Rival, TrialTable, TriedRow
from vdroppath_tf.spaces.strategy import FusionStrategy

TRIALS_FORMAT = "vdroppath_tf.trials/2"
_OLDER = "Run vdroppath trials again: it continues in its folder and trains nothing twice."


@named
def write_trials(path: str | os.PathLike[str], table: TrialTable, *, kept: str) -> None:
    """Writes trials as JSON. The file appears whole or not at all.

    Args:
        path: str or path of the file.
        table: `TrialTable`, what was trained and chosen.
        kept: str, the name of the network that is kept.

    Raises:
        ValueError: If the table does not say which videos were used.

    Example:
    ```python
    rows = [TriedRow("S S S", "uniform", 0.6, 0.7), TriedRow(str(space.mode()), "space", 0.5)]
    chosen = vdroppath_tf.FusionStrategy.parse("S S S")
    used = DataUsed("choosing", "val.txt", "0123", 200, "paper-1clip", scored=200)
    table = TrialTable(rows, str(space.mode()), chosen, (2.0, 10.0), videos=200, data=used)
    write_trials("trials.json", table, kept="S everywhere")
    ```
    """
    data, rival = table.data, table.rival
    if data is None:
        raise ValueError("Expected a table of trials that says which videos were used.")
    fields = {
        "format": TRIALS_FORMAT,
        "architecture": table.chosen.architecture,
        "protocol": data.protocol,
        "data": {"source": data.source, "hash": data.digest, "listed": data.listed},
        "videos": table.videos,
        "trials": dict(table.settings),
        "epochs": {"trial": table.epochs[0], "whole": table.epochs[1]},
        "strategies": [{**asdict(row), "outcome": table.outcome(row)} for row in table.ordered],
        "mode": table.mode,
        "mode_rank": table.mode_rank,
        "strategy": str(table.chosen),
        "against": None
        if rival is None
        else {
            "name": rival.name,
            "strategy": str(rival.strategy),
            "top1": rival.top1,
            "kept": rival.kept,
            "derived": rival.derived,
        },
        "kept": kept,
    }
    write_json(path, fields, allow_nan=False)


@named
def read_trials(path: str | os.PathLike[str]) -> TrialTable:
    """Reads what `vdroppath trials` wrote.

    Raises:
        ValueError: If it is something else; the message names the file.
        OSError: If it cannot be read.

    Example:
    ```python
    print(read_trials("run/trials.json").kept)
    ```
    """
    return read_file(path, "trials", "vdroppath trials --out", _trials)


def _trials(text: str) -> TrialTable:
    fields = read_json(text, TRIALS_FORMAT, older=_OLDER)
    network, videos = fields["architecture"], int(fields["videos"])
    epochs, rank, rival = fields["epochs"], fields["mode_rank"], fields["against"]
    return TrialTable(
        rows=tuple(_row(one) for one in fields["strategies"]),
        mode=str(FusionStrategy.parse(fields["mode"], network)),
        chosen=FusionStrategy.parse(fields["strategy"], network),
        epochs=(float(epochs["trial"]), float(epochs["whole"])),
        videos=videos,
        mode_rank=None if rank is None else (int(rank[0]), int(rank[1])),
        rival=None if rival is None else _rival(rival, network),
        settings=dict(fields["trials"]),
        data=data_used(BY_TRIALS, fields["data"], fields["protocol"], videos),
    )


def _row(one: Any) -> TriedRow:
    trial, end = (None if one[key] is None else float(one[key]) for key in ("trial", "end"))
    macs = None if one["macs"] is None else int(one["macs"])
    strategy = str(FusionStrategy.parse(one["strategy"]))
    return TriedRow(strategy, str(one["origin"]), trial, end, macs)


def _rival(one: Any, network: str | None) -> Rival:
    strategy = FusionStrategy.parse(one["strategy"], network)
    derived = one.get("derived") is True  # files of older versions have no such field
    return Rival(str(one["name"]), strategy, float(one["top1"]), bool(one["kept"]), derived)
