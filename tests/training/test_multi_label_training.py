"""Videos of several classes each, from a list to a tested network, on the command line."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tiny

from vdroppath_tf.cli import main
from vdroppath_tf.data.catalog import Manifest, write_manifest
from vdroppath_tf.data.clips.augment import Augmentation
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.data.manifest import ManifestError
from vdroppath_tf.scoring.several import average_precision
from vdroppath_tf.scoring.videos import score_videos
from vdroppath_tf.training import Clips, build_template, train


def several(videos: Manifest) -> Manifest:
    """Each video with its class, and every third one with the next one too; one has none."""
    classes = len(videos.labels)
    entries = []
    for k, entry in enumerate(videos):
        more = {entry.label, (entry.label + 1) % classes} if k % 3 == 0 else {entry.label}
        first, *rest = sorted(more)
        entries.append(dataclasses.replace(entry, label=first, more_labels=tuple(rest)))
    entries[1] = dataclasses.replace(entries[1], label=-1, more_labels=())
    return dataclasses.replace(videos, entries=tuple(entries), multi_label=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return tiny.write(tmp_path_factory.mktemp("several"))


@pytest.fixture(scope="module")
def clips(files: Any) -> Clips:
    return Clips(several(files.manifest("train")), several(files.manifest("validation")))


@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_training(clips: Clips, mixup: float) -> None:
    recipe = tiny.recipe(1, 1, network=tiny.ONE_LAYER)
    recipe = recipe.replace(augment=Augmentation(mixup=mixup))
    model = build_template(recipe, clips)
    assert model.multi_label
    history = train(model, recipe.template_phases(), recipe, clips)
    assert {"map", "val_map", "loss", "val_loss"} <= set(history[-1])
    assert "top1" not in history[-1]
    assert clips.validation is not None
    scores = score_videos(
        model, clips.validation, recipe.evaluation, PROTOCOLS["paper-2clip"], batch_size=4
    )
    each = average_precision(scores.truths, scores.probabilities)
    assert scores.map == pytest.approx(np.nanmean(each))
    fields = scores.fields()
    assert fields["protocol"]["averaging"] == "mean sigmoid"
    assert fields["map"] == scores.map
    assert [one["videos"] for one in fields["classes"]] == scores.truths.sum(0).tolist()
    answers = scores.probabilities.argmax(1)
    assert scores.top1 == scores.truths[np.arange(len(answers)), answers].mean()


def test_kinds_are_not_mixed(files: Any, clips: Clips) -> None:
    recipe = tiny.recipe(warmup=1, search=0)
    one, many = tiny.clips_of(files), clips
    for videos, model in ((one, build_template(recipe, many)), (many, build_template(recipe, one))):
        with pytest.raises(ManifestError, match=r"Expected a network that was built for such"):
            train(model, recipe.template_phases(), recipe, videos)
        with pytest.raises(ManifestError, match=r"or a list of the other kind"):
            score_videos(model, videos.train, recipe.evaluation, PROTOCOLS["paper-1clip"])


def test_on_the_command_line(
    files: Any, clips: Clips, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = files.folder / "several.jsonl"
    write_manifest(clips.train, listed)
    sizes = [f"--frames={tiny.SHAPE[0]}", f"--batch_size={tiny.BATCH}"]
    phases = ["--warmup_epochs=0", "--search_epochs=1", "--picture_every=0"]
    run = tmp_path / "run"
    network = [f"--network={tiny.ONE_LAYER}", f"--data={listed}", f"--validation={listed}"]
    assert main(["train", *network, *sizes, *phases, f"--out={run}"]) == 0
    template = run / "template.keras"
    assert keras.saving.load_model(template).multi_label
    result, data = tmp_path / "result.json", [f"--model={template}", f"--data={listed}"]
    capsys.readouterr()
    assert main(["test", *data, f"--train_data={listed}", f"--out={result}"]) == 0
    assert "mAP " in capsys.readouterr().out
    assert 0 <= json.loads(result.read_text())["map"] <= 1
    scored = [f"--out={tmp_path / 'scores.json'}", "--draws=2", f"--train_data={listed}"]
    assert main(["evaluate", *data, *scored]) == 0
