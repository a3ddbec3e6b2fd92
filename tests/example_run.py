"""The folder of a run, and a served network, that examples of docstrings read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from vdroppath_tf import analysis, data, experiments, report, scoring, serving, training
from vdroppath_tf.files import write_json


def run(things: Any, folder: Path) -> None:
    """The files of `vdroppath train`, `evaluate`, `worth`, `derive` and `test`."""
    labels, recipe = things.train_videos.labels, things.recipe
    drops = [[d.tolist() for d in drop] for drop in (things.space.initial, things.space.drop)]
    history = [{"phase": "search", "epoch": n + 1, "drop": drop} for n, drop in enumerate(drops)]
    experiments.save_trained(things.template, history, folder, recipe, labels)
    training.save_model(things.network, folder / "derived.keras", recipe, labels)
    training.Progress("finished", (("search", 1),)).write(folder)
    _spaces(things, folder, "seed")
    _scores(things, folder / "scores.json")
    _trials(things, folder / "trials.json")
    used = {"source": "test.txt", "hash": things.test_videos.digest(), "listed": 8}
    report.write_worth(folder / "worth.json", things.worth, protocol="paper-1clip", data=used)
    protocol = data.PROTOCOLS["paper-1clip"]
    found = scoring.score_videos(things.network, things.test_videos, recipe.evaluation, protocol)
    model = {"model": "derived.keras", "network": "nano", "strategy": str(things.space.mode())}
    write_json(folder / "result.json", {**found.fields(), **model})


def _trials(things: Any, path: Path) -> None:
    mode = things.space.mode()
    rows = [report.TriedRow(str(mode), "space", 0.5, 0.6)]
    used = report.DataUsed("choosing", "val.txt", "0" * 16, 10, "paper-1clip", scored=10)
    table = report.TrialTable(rows, str(mode), mode, (1.0, 4.0), videos=10, data=used)
    report.write_trials(path, table, kept="the mode")


def halve(things: Any, folder: Path) -> None:
    """The spaces of `run_halving`."""
    _spaces(things, folder, "full")
    _spaces(things, folder, "halved", turn=1)


def _spaces(things: Any, folder: Path, name: str, turn: int = 0) -> None:
    for k, space in enumerate([*things.spaces[turn:], *things.spaces[:turn]]):
        (folder / f"{name}-{k}").mkdir(parents=True)
        space.save(folder / f"{name}-{k}" / "space.json")


def _scores(things: Any, path: Path) -> None:
    compared = scoring.controls(things.space, draws=1)
    rows = [things.scores.best.strategy, *compared.values()]
    reported = scoring.evaluate_strategies(things.template, rows, things.test_clips)
    found = scoring.select(things.scores, reported, compared, rule="accurate")
    used = {"hash": "0" * 16, "listed": 10, "scored": 10}
    videos = [{"use": use, "source": "val.txt", **used} for use in ("choosing", "reporting")]
    head = {"architecture": "nano", "protocol": "paper-1clip", "data": videos}
    report.write_scores(path, head, found, [*things.scores], recalibrated=False)


def served(things: Any, folder: Path) -> None:
    labels = things.train_videos.labels
    experiments.export_network(things.network, folder / "1", things.recipe, labels)
    serving.write_sampling(folder / "1", things.recipe.evaluation)


def explained(things: Any, folder: Path) -> None:
    """The files of `vdroppath explain`."""
    folder.mkdir()
    found = analysis.explain_clip(things.network, things.clip)
    one = report.Explained("1.mp4", things.train_videos.labels, found)
    found.save(folder / "1.npz")
    report.write_explained(folder, [one.fields("1.npz")], model="network", labels=one.labels)


# First part of a path in an example -> what writes it.
RUN_FILES: dict[str, Callable[[Any, Path], None]] = {
    "run": run,
    "halve": halve,
    "served": served,
    "explained": explained,
}
