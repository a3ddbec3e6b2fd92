"""The whole loop on a task of a few clips: what it reports, what it writes, how it goes on."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.commands.run_folder import RunFolder
from vdroppath_tf.derivation import derive
from vdroppath_tf.experiments import quickstart
from vdroppath_tf.experiments.loop import run_loop
from vdroppath_tf.experiments.task_run import Task, TaskRun
from vdroppath_tf.experiments.trials import Trials
from vdroppath_tf.report.page import write_report
from vdroppath_tf.report.records import Report, TaskReport
from vdroppath_tf.scoring.listed import DRAWN, STAND_ALONE
from vdroppath_tf.serving.beside import read_sampling
from vdroppath_tf.serving.predict import ServedModel
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import train
from vdroppath_tf.training.model_files import load_model

RECIPE = tiny.recipe(1, 1).replace(finetune_dropout=0.0)
pytestmark = pytest.mark.slow


class Ran:
    """A loop that ran once, and what it said."""

    def __init__(self, task: Task, folder: Path) -> None:
        self.task, self.folder, self.said = task, folder, list[str]()
        run = TaskRun(task, RECIPE, folder, log=self.said.append)
        self.report: TaskReport = run_loop(run, draws=3, shown=2)


def predict_here(served: Path, files: list[str]) -> list[dict[str, Any]]:
    """What the fresh process answers, which takes seconds to start."""
    return [
        {"label": answer.label, "probabilities": answer.probabilities}
        for answer in ServedModel(served).predict(files)
    ]


@pytest.fixture(scope="module")
def ran(motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    parts = {split: motion.manifest(split) for split in ("train", "validation", "test")}
    return Ran(Task("motion", "Which way it goes.", **parts), tmp_path_factory.mktemp("loop"))


def test_the_table(ran: Ran) -> None:
    rows = ran.report.rows
    names = ["S everywhere", "ST everywhere", "S+ST everywhere", "mode", "chosen strategy"]
    names += ["uniform draw 1", "uniform draw 2"]
    assert [row.name for row in rows] == [*names, "chosen strategy, derived"]
    tuned = "derived, 2 epochs of fine-tuning"
    if any("undone" in line for line in ran.said):  # as the validation clips had it
        tuned = "derived; fine-tuning undone, worse on the validation clips"
    assert [row.note for row in rows] == [STAND_ALONE] * 3 + [DRAWN] * 4 + [tuned]
    assert [row.strategy for row in rows[:3]] == ["S S S", "ST ST ST", "S+ST S+ST S+ST"]
    assert rows[3].strategy == str(ran.report.space.mode())
    assert rows[4].strategy == rows[7].strategy == str(ran.report.chosen)
    drawn = [row for row in rows[3:7] if row.strategy == str(ran.report.chosen)]
    assert ran.report.best is drawn[0]  # the mode, where it was chosen
    macs = [row.macs or 0 for row in rows[:3]]
    assert 0 < macs[0] < macs[1] < macs[2]
    for row in rows:
        count = row.top1 * tiny.COUNTS[2]
        assert count == pytest.approx(round(count))
        assert row.standard_error == pytest.approx(
            np.sqrt(row.top1 * (1 - row.top1) / tiny.COUNTS[2])
        )
        assert row.top5 is None  # of 4 classes


def test_the_choice_was_made_on_other_clips(ran: Ran) -> None:
    report = ran.report
    assert not report.chosen_on_same_clips
    assert report.clips == tiny.COUNTS[2]
    kept = [draw for draw in report.draws if draw.in_confidence_set]
    (chosen,) = [d for d in kept if d.strategy == str(report.chosen)]
    assert chosen.macs == min(draw.macs or 0 for draw in kept)
    assert len({draw.strategy for draw in report.draws}) == len(report.draws)


def test_what_is_written(ran: Ran) -> None:
    names = {path.name for path in ran.folder.iterdir()}
    assert {"space.json", "template.keras", "derived.keras", "runs", "served"} <= names
    assert {"recipe.json", "labels.txt", "history.json"} <= names
    assert {path.name for path in (ran.folder / "runs").iterdir()} == {
        "template",
        "S",
        "ST",
        "S-ST",
        "finetune",
    }
    space = ProbabilitySpace.load(ran.folder / "space.json")
    np.testing.assert_array_equal(space.drop, ran.report.space.drop)
    history = ran.report.history
    assert history is not None
    assert np.shape(history) == (2, tiny.LAYERS, 1, 2)
    np.testing.assert_allclose(history[0], 0.1, atol=1e-6)
    np.testing.assert_allclose(history[1], space.drop)


def test_the_commands_can_go_on_from_its_folder(ran: Ran) -> None:
    """The folder is like one of `vdroppath train`, with the networks of `vdroppath derive`."""
    folder = RunFolder(ran.folder)
    assert folder.recipe == RECIPE
    assert folder.classes == 4
    np.testing.assert_array_equal(folder.space.drop, ran.report.space.drop)
    network, recipe, labels = load_model(ran.folder / "derived.keras")
    assert (recipe, labels) == (RECIPE, ran.task.train.labels)
    assert network.architecture["strategy"] == str(ran.report.chosen)


def test_the_served_network_is_the_chosen_one(ran: Ran) -> None:
    served = ran.folder / "served" / "1"
    assert read_sampling(served) == RECIPE.evaluation
    files = [ran.task.test.entries[k].path for k in (0, len(ran.task.test) - 1)]
    answers = list(ServedModel(served).predict(files))
    for answer, shown in zip(answers, ran.report.predictions, strict=True):
        assert shown.file == Path(answer.file).name
        assert shown.predicted == answer.label
        assert shown.probability == pytest.approx(answer.probabilities[answer.label])
        assert shown.frames is not None
    labels = [ran.task.test.labels[ran.task.test.entries[k].label] for k in (0, -1)]
    assert [shown.label for shown in ran.report.predictions] == labels


def test_the_account(ran: Ran) -> None:
    text = "\n".join(ran.said)
    for words in (
        "on 24 clips: 1 epoch of warmup (no gate learns) + 1 epoch of search (the gates learn)",
        "on average; all started at 0.90",
        "validation clips, none of them trained",
        "of 3 layers, the data in ",
        "Most accurate draw: ",
        " Chosen, the cheapest of these: ",
        "its selection bias is about ",
        "In the 95 % confidence set of the best: ",
        "S+ST everywhere: top-1 ",
        "Served in a fresh process: ",
    ):
        assert words in text
    assert set(ran.report.settings) >= {"network", "clips", "epochs", "learning rates", "seed"}
    assert ran.report.settings["videos"] == "24 training, 10 validation, 8 test"
    assert all(seconds > 0 for seconds in ran.report.timings.values())
    assert len(ran.report.timings) == 7
    assert "epochs trained in this run: 1; training takes about " in text


def test_networks_alone_train_as_long_as_search_and_fine_tuning_together(ran: Ran) -> None:
    steps = TaskRun(ran.task, RECIPE, ran.folder).stand_alone_phases()
    assert [phase.epochs for phase in steps] == [1 + 1 + 2]
    assert [phase.learning_rate for phase in steps] == [RECIPE.search.learning_rate]


def test_the_report_renders(ran: Ran, tmp_path: Path) -> None:
    write_report(tmp_path / "report.html", Report("A title", "a machine", [ran.report]))
    html = (tmp_path / "report.html").read_text()
    assert "A title" in html
    for row in ran.report.rows:
        assert row.name in html


def test_a_second_run_trains_nothing_again(
    ran: Ran, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(ran.folder, tmp_path / "loop"))
    steps: list[int] = []

    def counted(*arguments: Any, **options: Any) -> Any:
        return train(*arguments, **{**options, "on_step": lambda: steps.append(1)})

    for module in ("task_run", "steps"):
        monkeypatch.setattr(f"vdroppath_tf.experiments.{module}.train", counted)
    monkeypatch.setattr("vdroppath_tf.experiments.answers._predict", predict_here)
    again = Ran(ran.task, folder)
    assert steps == []
    assert [row.top1 for row in again.report.rows] == [row.top1 for row in ran.report.rows]
    assert again.report.chosen == ran.report.chosen
    assert again.report.predictions == ran.report.predictions


def test_a_choice_among_strategies_that_were_trained_stand_alone(
    ran: Ran, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Two strategies are tried, one goes on, and the network that is kept is exported."""
    exported: list[str] = []

    def export(network: Any, *others: Any, **more: Any) -> None:
        exported.append(network.architecture["strategy"])

    monkeypatch.setattr("vdroppath_tf.experiments.loop.export_network", export)
    monkeypatch.setattr("vdroppath_tf.experiments.loop.answers_in_fresh_process", lambda *_: [])
    folder, said = Path(shutil.copytree(ran.folder, tmp_path / "loop")), list[str]()
    shutil.rmtree(folder / "runs" / "finetune")  # of another strategy
    run = TaskRun(ran.task, RECIPE, folder, log=said.append)
    trials = Trials(drawn=0, uniform=2, share=0.5, finalists=1)
    report = run_loop(run, draws=3, retrained=True, trials=trials)
    text = "\n".join(said)
    assert text.count("\ntrial: ") == 2
    assert "trials: strategies trained in this run: 2; training takes about " in text
    alone = {row.name: row for row in report.rows if row.note == STAND_ALONE}
    assert 3 <= len(alone) <= 4  # one tried may be a uniform one, and is not trained again
    assert str(report.chosen) in {row.strategy for row in alone.values()}
    assert exported == [str(report.chosen)]
    kept = report.trained
    assert kept is not None
    assert kept.name == report.kept
    stand_alone = re.search(r"is kept: top-1 (.*) stand-alone, (.*) derived", text)
    assert stand_alone
    ahead = float(stand_alone[1]) >= float(stand_alone[2])
    assert (kept.note == STAND_ALONE) == ahead == (folder / "network.keras").exists()
    assert report.by_trials
    table = report.trials
    assert table is not None
    assert (table.videos, table.epochs) == (tiny.COUNTS[1], (2.0, 4.0))
    assert len(table.tried) == 2
    assert {row.strategy for row in table.trained} == {row.strategy for row in alone.values()}
    assert table.rival is not None
    assert table.rival.kept != ahead
    assert table.rival.top1 == pytest.approx(float(stand_alone[2]), abs=6e-4)
    assert str(table.kept) == str(report.chosen)
    assert not ran.report.by_trials
    assert report.settings["trials"].startswith("0 draws of the highest scores and 2 uniform dra")


def test_a_fresh_process_that_fails_is_no_answer(ran: Ran, tmp_path: Path) -> None:
    from vdroppath_tf.experiments.answers import answers_in_fresh_process

    with pytest.raises(RuntimeError, match=r"failed in a fresh process:[\s\S]*no SavedModel"):
        answers_in_fresh_process(tmp_path, ran.task.test, 1)


def test_the_template_is_saved_as_it_was_read(ran: Ran) -> None:
    import keras

    loaded = keras.saving.load_model(ran.folder / "template.keras")
    space = ProbabilitySpace.from_model(loaded)
    np.testing.assert_array_equal(space.drop, ran.report.space.drop)
    network = derive(loaded, ran.report.shown)
    assert network(tf.zeros((1, *tiny.SHAPE, 3))).shape == (1, 4)


def test_quickstart_puts_all_tasks_into_one_report(
    ran: Ran, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The loops and their pictures are those above; here is what is around them."""
    nothing = "data:image/svg+xml;base64,PHN2Zy8+"
    monkeypatch.setattr("vdroppath_tf.report.sections.svg_uri", lambda figure: nothing)

    def known(run: TaskRun, *, draws: int, retrained: bool, trials: Any) -> TaskReport:
        assert retrained == (trials is not None) == (run.task.name == "both")
        return dataclasses.replace(ran.report, name=run.task.name)

    few = {
        name: dataclasses.replace(setup, clips=(4, 4, 4))
        for name, setup in quickstart.TASKS.items()
    }
    monkeypatch.setattr(quickstart, "run_loop", known)
    monkeypatch.setattr(quickstart, "TASKS", few)
    said: list[str] = []
    path = quickstart.run_quickstart(tmp_path / "out", seed=3, log=said.append)
    html = path.read_text()
    assert path == tmp_path / "out" / "report.html"
    assert "motion" in html
    assert "appearance" in html
    assert list(few) == ["both", "motion", "appearance"]
    for name, setup in few.items():
        mark = json.loads((tmp_path / "out" / "clips" / f"{name}-3" / "task.json").read_text())
        assert (mark["task"], mark["seed"]) == (name, 3)
        assert mark["difficulty"]["size"] == setup.difficulty.size
        assert f"<strong>{name}:</strong>" in html  # what was gained, first
    assert str(path) in said[-1]
    assert "TensorFlow" in quickstart.machine_line()


def test_a_loop_over_gates_per_input(
    motion: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Seven units too, and the choice trained stand-alone; the uniform ones are left out here."""
    monkeypatch.setattr("vdroppath_tf.experiments.stand_alone.UNIFORM", ())
    monkeypatch.setattr("vdroppath_tf.experiments.loop.UNIFORM_DRAWS", 1)
    monkeypatch.setattr("vdroppath_tf.experiments.answers._predict", predict_here)
    parts = {split: motion.manifest(split) for split in ("train", "validation", "test")}
    recipe = tiny.recipe(0, 1).replace(
        network="nano_inputs", branches=tiny.ALL, gate_classifier=True, finetune=None
    )
    said: list[str] = []
    task = Task("motion", "Which way it goes.", **parts)
    run = TaskRun(task, recipe, tmp_path, log=said.append)
    report = run_loop(run, draws=1, shown=1, retrained=True)
    last = report.rows[-1]
    assert (last.name, last.note) == ("chosen strategy, stand-alone", STAND_ALONE)
    assert last.strategy == str(report.chosen)
    assert report.retrained is last
    assert (tmp_path / "runs" / "chosen-strategy-stand-alone").is_dir()
    assert report.history is not None
    start, end = report.history
    for drop in (start, end):
        assert [np.shape(layer) for layer in drop] == [(1, 3), (2, 3), (3, 3), (1, 3)]
    np.testing.assert_array_equal(end[2], report.space.drop[2])
    said_of = re.search(r"P\(T on\) (0\.\d\d)", "\n".join(said))
    assert said_of
    assert float(said_of[1]) > 0.8  # of the layers that have T: one without would make it 0.7
    assert "@" in str(report.chosen)
    write_report(tmp_path / "report.html", Report("A title", "a machine", [report]))
    assert "means over inputs" in (tmp_path / "report.html").read_text()
