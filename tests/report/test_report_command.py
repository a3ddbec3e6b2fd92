"""`vdroppath report` on a tiny run: what a page holds, the files beside it, what may go wrong."""

from __future__ import annotations

import csv
import html
import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.image
import numpy as np
import pytest
import tiny

from vdroppath_tf import zoo
from vdroppath_tf.budget.choices import pareto
from vdroppath_tf.cli import main
from vdroppath_tf.cost import unit_costs
from vdroppath_tf.report import sections as report_sections
from vdroppath_tf.report.inputs import read_history, read_result
from vdroppath_tf.report.scores_file import read_scores
from vdroppath_tf.report.worth_file import read_worth
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import Recipe
from vdroppath_tf.training.model_files import save_model

Change = Callable[[Any], object]
EPOCHS = 3
TABLES = "class_accuracy confusions data draws front gains history layers".split()
TABLES += ["strategies", "tested", "worth"]
PICTURES = "accuracy confusion distance entropy front gains history marginals worth".split()


@pytest.fixture(scope="module")
def template() -> Any:
    """A template whose gates differ from layer to layer; it is not trained."""
    model = tiny.template()
    for n, gate in enumerate(model.gates):
        gate.logit.assign([-1.0 + n, 0.5 - n])
    return model


def _lists(drop: tuple[np.ndarray, ...], factor: float) -> list[list[list[float]]]:
    """As a history has them."""
    return [(layer * factor).tolist() for layer in drop]


@pytest.fixture(scope="module")
def run(template: Any, motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run's folder with scores and a result, as the commands write them. Change nothing of it."""
    folder = tmp_path_factory.mktemp("report") / "run"
    recipe = tiny.recipe(1, EPOCHS)
    save_model(template, folder / "template.keras", recipe, motion.labels)
    space = ProbabilitySpace.from_model(template)
    space.save(folder / "space.json")
    warm = {"phase": "warmup", "epoch": 1, "loss": 1.0, "drop": _lists(space.initial, 1.0)}
    search = [
        {"phase": "search", "epoch": n, "drop": _lists(space.drop, n / EPOCHS)}
        for n in range(1, EPOCHS + 1)
    ]
    (folder / "history.json").write_text(json.dumps([warm, *search]))
    told = {"training videos": {"source": "train.txt", "videos": 24}}
    (folder / "run.json").write_text(json.dumps(told))
    data = motion.folder
    for line in (
        f"evaluate --model={folder}/template.keras --data={data}/validation.txt --draws=4"
        f" --uniform_draws=2 --out={folder}/scores.json",
        f"worth --model={folder}/template.keras --data={data}/test.txt --strategy=S|ST|S+ST"
        f" --out={folder}/worth.json --figure={folder}/worth.png",
        f"derive --model={folder}/template.keras --strategy=S|ST|S+ST --out={folder}/derived.keras",
        f"test --model={folder}/derived.keras --data={data}/test.txt --out={folder}/result.json",
    ):
        assert main([word.replace("|", " ") for word in line.split()]) == 0, line
    return folder


@pytest.fixture
def call(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Any:
    """Runs the command; returns its page, or its error where a code is expected."""

    def called(*flags: object, code: int = 0) -> str:
        capfd.readouterr()
        out = tmp_path / "page" / "report.html"
        assert main(["report", f"--out={out}", *map(str, flags)]) == code
        error = capfd.readouterr().err
        return error if code else out.read_text(encoding="utf-8")

    return called


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures are drawn, but not written into the page: it takes long."""
    nothing = "data:image/svg+xml;base64,PHN2Zy8+"
    monkeypatch.setattr(report_sections, "svg_uri", lambda figure: nothing)


def words(page: str) -> str:
    """The text of a page."""
    text = re.sub(r"<style>.*?</style>|<[^>]*>", " ", page, flags=re.DOTALL)
    return " ".join(html.unescape(text).replace("\N{NO-BREAK SPACE}", " ").split())


def rows(path: Path) -> list[dict[str, str]]:
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def all_of(run: Path) -> list[str]:
    parts = [f"--{name}={run}/{name}.json" for name in ("scores", "result", "worth")]
    return [f"--run={run}", *parts]


def test_a_page_of_everything(call: Any, run: Path, template: Any, tmp_path: Path) -> None:
    page = call(*all_of(run), f"--figures={tmp_path}/figures", "--name=motion", "--about=Moves.")
    text = words(page)
    scored, result = read_scores(run / "scores.json"), read_result(run / "result.json")
    found = scored.selection
    assert "Moves." in text
    assert text.count("Strength:") == 2
    assert "The selected strategy, the cheapest in the 95 % confidence set of the best," in text
    assert f" reaches {found.rows[0].top1:.1%}"[:-1] in text
    kept = f"{len(found.confidence_set)} of {len(scored.scores)} scored strategies"
    assert f"{kept} are in the 95 % confidence set" in text
    assert f"of the best of {len(scored.scores)} is about {100 * found.optimism:.1f} points" in text
    for row in found.rows:
        assert f" {row.name} " in text
        assert row.interval is not None
        assert f"[{100 * row.interval.low:.1f} %, {100 * row.interval.high:.1f} %]" in text
    for data in (*scored.data, result.data):
        assert data.digest in text
    parameters, macs = unit_costs(template, tiny.SHAPE).of("S ST S+ST")
    assert f"{parameters:,}" in text
    assert f"{macs:,}" in text
    assert "one clip of 4x16x16" in text  # the size is in the scores
    assert "24 of train.txt" in text
    assert "--other=space.json" in text  # one part that has no data
    assert "vdroppath explain" in text  # and the other
    assert page.count('class="absent"') == 2
    assert page.count("<picture>") == len(PICTURES)
    assert "http" not in re.sub(r"base64,[\w+/=]*|http-equiv", "", page)
    assert not re.search(r"<(script|link|iframe|object)|url\(|@import", page)

    folder = tmp_path / "figures"
    pictures = [f"{name}.{kind}" for name in PICTURES for kind in ("png", "svg")]
    tables = [f"{n}.csv" for n in TABLES]
    assert sorted(f.name for f in folder.iterdir()) == sorted([*pictures, *tables, "report.json"])
    for name in PICTURES:
        assert min(matplotlib.image.imread(folder / f"{name}.png").shape[:2]) > 300
        assert (folder / f"{name}.svg").read_text().startswith("<?xml")


@pytest.mark.usefixtures("quick")
def test_files_hold_every_number_exactly(
    call: Any, run: Path, template: Any, tmp_path: Path
) -> None:
    call(*all_of(run), f"--figures={tmp_path}", "--clip_shape=8,16,16")
    space = ProbabilitySpace.load(run / "space.json")
    marginals, layers = space.marginals(), rows(tmp_path / "layers.csv")
    for n, line in enumerate(layers):
        assert line["Layer"] == space.layers[n]
        for unit, values in marginals.items():
            assert float(line[f"P({'none' if unit == '-' else unit})"]) == values[n]
        assert float(line["Entropy"]) == space.entropy()[n]
    history = [float(line["drop"]) for line in rows(tmp_path / "history.csv")]
    expected = [_lists(space.initial, 1.0)]
    expected += [_lists(space.drop, n / EPOCHS) for n in range(1, EPOCHS + 1)]
    assert history == np.ravel(expected).tolist()
    scored = read_scores(run / "scores.json")
    costs = unit_costs(template, (8, 16, 16))
    draws = rows(tmp_path / "draws.csv")
    assert [(line["strategy"], float(line["top1"]), int(line["macs"])) for line in draws] == [
        (str(one.strategy), one.top1, costs.of(one.strategy)[1]) for one in scored.scores
    ]
    front = pareto(space, costs=costs)
    assert [float(line["log_prob"]) for line in rows(tmp_path / "front.csv")] == [
        choice.log_prob for choice in front
    ]
    fields = json.loads((tmp_path / "report.json").read_text())
    (task,) = fields["tasks"]
    assert fields["format"] == "vdroppath_tf.report/1"
    same = ProbabilitySpace.from_json(json.dumps(task["space"]))
    np.testing.assert_array_equal(same.drop, space.drop)
    assert [row["name"] for row in task["strategies"]] == [r.name for r in scored.selection.rows]
    for row, own in zip(task["strategies"], scored.selection.rows, strict=True):
        interval = own.difference
        assert interval is not None
        assert [row["difference"], row["difference_low"]] == [interval.value, interval.low]
    assert [line["top1"] for line in rows(tmp_path / "strategies.csv")] == [
        str(row["top1"]) for row in task["strategies"]
    ]
    assert {o["number"] for o in task["observations"]} == {"I", "II"}
    assert all(set(o) >= {"claim", "verdict", "strength", "margin"} for o in task["observations"])


@pytest.mark.usefixtures("quick")
def test_a_space_alone_says_what_more_there_could_be(call: Any, run: Path) -> None:
    page = call(f"--space={run}/space.json")
    assert page.count("<picture>") == 3
    assert page.count('class="absent"') == 5
    text = words(page)
    for command in ("vdroppath train", "vdroppath evaluate", "vdroppath test", "--clip_shape"):
        assert command in text
    assert "the most probable draw (the mode)" in text
    mode = ProbabilitySpace.load(run / "space.json").mode()
    assert f"Chosen units: {mode}" in page
    assert "Space and time in space" in text


@pytest.mark.usefixtures("quick")
def test_a_published_space_beside_another(call: Any) -> None:
    page = call(
        "--space=published:something-something-v1",
        "--other=published:kinetics400",
        "--complex_scenes=other",
    )
    text = words(page)
    assert "III. Data with complex scenes add S. Strength: mean P(S) is 0.14 above" in text
    assert "S 41.8, ST 47.5, S+ST 46.5, strategy 50.2" in text
    chosen = zoo.published_strategy("something-something-v1")
    assert f"Chosen units: {chosen}" in page
    assert "61 layers from" in page  # the alt of a long network is a summary
    turned = words(call("--space=published:ucf101", "--other=published:kinetics400"))
    assert "III." not in turned
    assert "--complex_scenes" in turned


@pytest.mark.usefixtures("quick")
def test_two_spaces_of_one_short_network_are_drawn_together(
    call: Any, run: Path, tmp_path: Path
) -> None:
    page = call(
        *(f"--run={run}", f"--other={run}/space.json", "--complex_scenes=this"),
        f"--figures={tmp_path}/figures",
    )
    assert "III. Data with complex scenes add S" in words(page)
    assert "does not hold" in words(page)  # a space does not differ from itself
    assert (tmp_path / "figures" / "comparison.png").is_file()


@pytest.mark.usefixtures("quick")
def test_gates_for_each_input_have_no_front_and_the_page_says_so(call: Any, tmp_path: Path) -> None:
    template = tiny.kind_template("inputs")
    template.save(tmp_path / "template.keras")
    ProbabilitySpace.from_model(template).save(tmp_path / "space.json")
    files = (f"--space={tmp_path}/space.json", f"--model={tmp_path}/template.keras")
    page = call(*files, "--clip_shape=4,16,16")
    assert "The front of probability and MACs is left out" in words(page)


@pytest.mark.usefixtures("quick")
def test_without_sizes_there_are_scores_but_no_macs(call: Any, run: Path, tmp_path: Path) -> None:
    """Files of older versions do not say how large clips are."""
    path = edited(run / "scores.json", tmp_path, lambda f: [d.pop("clip_shape") for d in f["data"]])
    page = call(f"--run={run}", f"--scores={path}")
    text = words(page)
    assert "selected" in text
    assert "Accuracy over MACs is missing" in text
    assert page.count("<picture>") == 5
    macs = words(call(f"--run={run}", f"--scores={path}", "--clip_shape=4,16,16"))
    assert "Accuracy over MACs is missing" not in macs


def test_recipes_with_a_crop_know_the_size(run: Path, tmp_path: Path) -> None:
    from vdroppath_tf.commands.run_folder import RunFolder

    recipe = Recipe.from_json((run / "recipe.json").read_text())
    assert RunFolder(run).clip_shape is None
    sampling = {**json.loads(recipe.to_json())["sampling"], "crop": 12, "short_edge": 16}
    fields = {**json.loads(recipe.to_json()), "sampling": sampling, "evaluation_crop": 16}
    (tmp_path / "recipe.json").write_text(json.dumps(fields))
    folder = RunFolder(tmp_path)
    assert folder.clip_shape == (4, 16, 16)
    assert (folder.template, folder.classes, folder.history()) == (None, None, None)
    assert "training videos" not in folder.settings()  # no run.json names them
    assert folder.settings()["clips"] == "4 frames, stride 1, size 16x16"
    (tmp_path / "recipe.json").unlink()
    assert RunFolder(tmp_path).settings() == {}


def test_what_is_no_file_in_the_folder_of_a_run_is_named(tmp_path: Path) -> None:
    """It is not ignored as if it did not exist."""
    from vdroppath_tf.commands.run_folder import RunFolder

    (tmp_path / "recipe.json").mkdir()
    os.mkfifo(tmp_path / "labels.txt")
    folder = RunFolder(tmp_path)
    with pytest.raises(OSError, match=r"recipe\.json"):
        _ = folder.recipe
    with pytest.raises(OSError, match=r"labels\.txt"):
        _ = folder.classes
    assert folder.template is None


@pytest.mark.usefixtures("quick")
def test_names_from_files_are_escaped(call: Any, run: Path, tmp_path: Path) -> None:
    nasty = "<script>alert(1)</script>"

    def change(fields: Any) -> None:
        fields["model"] = fields["data"]["source"] = fields["data"]["hash"] = nasty
        fields["classes"][0]["name"] = fields["confusions"][0]["truth"] = nasty

    path = edited(run / "result.json", tmp_path, change)
    scores = edited(
        run / "scores.json",
        tmp_path,
        lambda f: [row.update(name=nasty) for row in f["selection"]["rows"]],
    )
    page = call(
        *(f"--run={run}", f"--result={path}", f"--scores={scores}"),
        *(f"--about={nasty}", f"--title={nasty}", f"--name={nasty}"),
    )
    assert "<script" not in page
    assert page.count(html.escape(nasty)) > 8


def edited(path: Path, folder: Path, change: Change) -> Path:
    """A copy of a JSON file, changed."""
    fields = json.loads(path.read_text())
    change(fields)
    copy = folder / path.name
    copy.write_text(json.dumps(fields))
    return copy


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["--scores=scores.json"], "--scores alone: a report needs a space: --run=run, or --space"),
        ([], "A report needs a space"),
        (["--run=nowhere"], "nowhere: there is no such folder"),
        (["--space=nowhere.json"], "nowhere.json: there is no such file"),
        (["--space=published:ucf"], "ucf101"),
        (["--run={run}", "--scores=none.json"], "none.json: there is no such file. .*evaluate"),
        (["--run={run}", "--result=none.json"], "none.json: there is no such file. .*test --out"),
        (["--run={run}", "--scores={run}/result.json"], "result.json: holds no scores"),
        (["--run={run}", "--result={run}/scores.json"], "scores.json: holds no result of a test"),
        (
            ["--run={run}", "--complex_scenes=this"],
            "--complex_scenes has no effect without --other",
        ),
        (["--run={run}", "--clip_shape=8,8"], "--clip_shape=8,8: expected frames"),
        (
            ["--space=published:ucf101", "--scores={run}/scores.json"],
            "scores.json: The scores belong to 'nano', the space to 'densenet121'",
        ),
        (
            ["--space=published:ucf101", "--model={run}/template.keras", "--clip_shape=4,16,16"],
            "The space belongs to another network",
        ),
        (["--run={run}", "--space=published:ucf101"], "history of task .* like its space"),
        (["--run={run}", "--model={run}/none.keras", "--clip_shape=4,16,16"], "There is no model"),
        (["--run={run}/.."], "space.json is missing"),
    ],
)
def test_what_a_user_may_get_wrong(
    call: Any, run: Path, flags: list[str], message: str, tmp_path: Path
) -> None:
    error = call(*(flag.format(run=run) for flag in flags), code=1)
    assert re.search(message, error), error
    assert not (tmp_path / "page").exists()


def test_a_page_ends_in_html(run: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert main(["report", f"--run={run}", "--out=report.pdf"]) == 1
    assert "expected a file that ends in .html" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f["selection"]["rows"][0].update(strategy="S S"), "no row has the selected"),
        (lambda f: f["selection"].update(strategy="- - -", rows=[]), "no row has the selected"),
        (lambda f: f["scores"][0].update(top1=1.5), "top-1 of .* from 0 to 1"),
        (lambda f: f["scores"][0].update(clips=0), "scored on 0 clips"),
        (lambda f: f["scores"][0].update(map=1.5), "mAP of .* from 0 to 1"),
        (lambda f: f["selection"]["rows"][0]["top1"].update(low=-2), "an interval is .*: -2"),
        (lambda f: f["scores"][0].update(strategy="T T T"), "branch 'T'"),
        (lambda f: f["selection"].pop("optimism"), "optimism"),
        (lambda f: f["data"].pop(), "zip"),
        (lambda f: f["selection"].update(rule="luckiest"), "luckiest"),
        (lambda f: f.update(format="vdroppath_tf.scores/1"), "scores/1"),
        (lambda f: f["data"][1].update(clip_shape=[1]), "scores.json: holds no scores"),
    ],
)
def test_damaged_scores_are_refused(
    call: Any, run: Path, tmp_path: Path, change: Change, message: str
) -> None:
    path = edited(run / "scores.json", tmp_path, change)
    error = call(f"--run={run}", f"--scores={path}", code=1)
    assert re.search(message, error), error
    assert "scores.json" in error


def test_damaged_histories_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    for text in ("{", "3", '[{"epoch": 1}]', "[" * 100_000):
        path.write_text(text)
        with pytest.raises(ValueError, match=r"history.json: holds no history"):
            read_history(path)


@pytest.mark.usefixtures("quick")
def test_classes_that_gain_by_looking_in_time(call: Any, run: Path, tmp_path: Path) -> None:
    """Two tested networks are compared where both answered the same videos; names are escaped."""
    names = ["=up", "<b>", "c", "d"]

    def named_so(fields: Any) -> None:
        for one, name in zip(fields["classes"], names, strict=True):
            one["name"] = name
        fields["answers"]["truths"] = [0, 0, 0, 0, 1, 1, 1, 1]

    def frames(fields: Any) -> None:
        named_so(fields)
        fields |= {"model": "frames.keras", "strategy": "S S S"}
        fields["answers"]["answers"] = [1, 1, 1, 1, 1, 1, 1, 0]

    def chosen(fields: Any) -> None:
        named_so(fields)
        fields["answers"]["answers"] = [0, 0, 0, 1, 1, 1, 1, 1]

    paths = []
    for name, change in (("a", chosen), ("b", frames)):
        (tmp_path / name).mkdir()
        paths.append(edited(run / "result.json", tmp_path / name, change))
    both = [f"--run={run}", *(f"--result={path}" for path in paths)]
    page = call(*both, f"--figures={tmp_path}/figures")
    assert "<b>" not in page
    text = words(page)
    assert "0 of 2 classes gain and 0 lose" in text  # four clips a class say nothing for sure
    assert "The largest gain is that of =up: 0 to 75 % of 4 clips." in text
    gains = rows(tmp_path / "figures" / "gains.csv")
    assert [(line["class"], float(line["gain"])) for line in gains] == [
        ("'=up", 0.75),
        ("<b>", 0.25),
    ]
    assert {line["network"] for line in rows(tmp_path / "figures" / "confusions.csv")} == {
        str(json.loads(paths[0].read_text())["model"]),
        "frames.keras",
    }
    other = edited(paths[1], tmp_path, lambda f: f["answers"].update(hash="another list"))
    page = call(f"--run={run}", f"--result={paths[0]}", f"--result={other}")
    assert "the same videos" in words(page)  # how to get them
    damaged = edited(paths[0], tmp_path, lambda f: f["answers"]["answers"].append(99))
    error = call(f"--run={run}", f"--result={damaged}", code=1)
    assert "result.json: holds no result of a test (answers must be numbers of classes" in error


@pytest.mark.usefixtures("quick")
def test_what_layers_are_worth(
    call: Any, run: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The sentence, every swap in the table, and how to get it where it is not there."""
    worth, used = read_worth(run / "worth.json")
    page = call(f"--run={run}", f"--worth={run}/worth.json", f"--figures={tmp_path}")
    text = words(page)
    assert worth.verdict in text
    assert used.digest in text
    assert "by Eq. 7 (√p)" in text
    lines = rows(tmp_path / "worth.csv")
    assert len(lines) == len(worth.swaps) == 9
    for line, swap in zip(lines, worth.swaps, strict=True):
        assert (line["layer"], line["unit"]) == (worth.layers[swap.layer], str(swap.unit))
        assert float(line["cost"]) == worth.cost(swap).value
    assert matplotlib.image.imread(run / "worth.png").shape[0] > 300
    absent = call(f"--run={run}", f"--scores={run}/scores.json")
    assert "vdroppath worth --model=" in words(absent)
    without_run = call(f"--space={run}/space.json", f"--scores={run}/scores.json")
    assert "vdroppath worth --model=run/template.keras --data=" in words(without_run)
    damaged = edited(run / "worth.json", tmp_path, lambda f: f["swaps"][0].update(wins=999))
    error = call(f"--run={run}", f"--worth={damaged}", code=1)
    assert "worth.json: holds no worth of layers" in error
    both = ["--strategy=S ST S+ST", f"--scores={run}/scores.json"]  # each names a strategy
    assert main(["worth", f"--model={run}/template.keras", "--data=x", *both]) == 1
    assert "--strategy and --scores both name a strategy" in capfd.readouterr().err
    other = edited(run / "worth.json", tmp_path, lambda f: f.update(architecture="micro"))
    assert "belongs to another network" in call(f"--run={run}", f"--worth={other}", code=1)
