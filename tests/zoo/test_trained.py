"""The trained templates that come with the package, against what is recorded of them."""

from __future__ import annotations

import importlib
from pathlib import Path

import keras
import pytest

from vdroppath_tf import ProbabilitySpace, evaluate_strategies, zoo
from vdroppath_tf.data import evaluation_clips, training_clips
from vdroppath_tf.experiments import write_clips
from vdroppath_tf.experiments.quickstart import DESCRIPTIONS
from vdroppath_tf.scoring.intervals import wilson
from vdroppath_tf.spaces import diagnose

ROOT = Path(__file__).parents[2]
NAMES = zoo.list_weights()


def test_the_names() -> None:
    assert NAMES == ["appearance", "both", "motion"] == zoo.list_weights("micro")
    assert zoo.list_weights("resnet50") == []
    with pytest.raises(ValueError, match=r"Unknown weights. Did you mean 'motion'"):
        zoo.template_micro(weights="moton")
    with pytest.raises(ValueError, match=r"Received: 'imagenet' Start from those of a 2D network"):
        zoo.template_micro(weights="imagenet")
    with pytest.raises(TypeError, match=r"template_resnet50\(\) has no argument 'weights'"):
        zoo.template_resnet50(weights="motion")  # type: ignore[call-arg]


@pytest.mark.parametrize("name", NAMES)
def test_accuracy_and_space_are_those_of_the_record(name: str, tmp_path: Path) -> None:
    """On other clips than those of the record: a seed of their own."""
    about = zoo.trained_weights(name)
    assert about.path.stat().st_size < 300_000
    template = zoo.template_micro(weights=name)
    assert template.output_shape == (None, len(about.labels))
    space = ProbabilitySpace.from_model(template)
    mode = space.mode()
    assert str(mode) == about.mode
    assert diagnose(space).known

    task = write_clips(tmp_path, name, seed=7, clips=(256, 8, 160))
    assert task.train.labels == about.labels
    train = training_clips(task.train, about.sampling, batch_size=32)
    test = evaluation_clips(task.test, about.sampling, batch_size=32)
    score = evaluate_strategies(template, [mode], test, train_clips=train).best
    low, high = wilson(score.top1, score.clips, level=0.999)
    assert low <= about.top1 <= high


def test_a_template_of_other_options_is_refused() -> None:
    with pytest.raises(ValueError, match=r"weights 'motion' are those of .* num_classes=4"):
        zoo.template_micro(5, weights="motion")
    with pytest.raises(ValueError, match="Leave the other options out"):
        zoo.template_micro(weights="motion", branches=("S", "T", "ST"))


def test_options_that_change_no_weight_are_taken() -> None:
    template = zoo.get_model("template_micro", weights="motion", prior_strength=0.5)
    assert str(ProbabilitySpace.from_model(template).mode()) == zoo.trained_weights("motion").mode


def test_a_saved_template_is_one_like_any_other(tmp_path: Path) -> None:
    template = zoo.template_micro(weights="motion")
    template.save(tmp_path / "template.keras")
    again = keras.models.load_model(tmp_path / "template.keras")
    assert str(ProbabilitySpace.from_model(again).mode()) == zoo.trained_weights("motion").mode


@pytest.mark.parametrize("name", NAMES)
def test_the_card_is_the_output_of_the_script(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "scripts")
    script = importlib.import_module("write_zoo_weights")
    text = (ROOT / "zoo" / "weights" / f"{name}.md").read_text(encoding="utf-8")
    assert text == script.card(name, zoo.template_micro(weights=name))


def test_the_tasks_are_those_of_the_quickstart() -> None:
    assert {name: zoo.trained_weights(name).task for name in NAMES} == DESCRIPTIONS
