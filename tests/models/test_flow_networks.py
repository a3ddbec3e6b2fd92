"""Networks of two channels, from the stem over inflation to the SavedModel and the command line."""

from __future__ import annotations

import json
from pathlib import Path

import keras
import numpy as np
import pytest
import rows
import shallow
import sources_2d
import tensorflow as tf
from absl import flags

import vdroppath_tf
from vdroppath_tf import cost, inflate
from vdroppath_tf.cli import main
from vdroppath_tf.commands.sources import define_formats, define_source, open_source
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.data.sources.folder import FrameFolder
from vdroppath_tf.data.sources.source import mirrored
from vdroppath_tf.models.common import STD
from vdroppath_tf.models.families import row_of
from vdroppath_tf.models.fusion_model import check_clips
from vdroppath_tf.models.resnet import Row
from vdroppath_tf.serving.export import export_saved_model
from vdroppath_tf.serving.predict import ServedModel
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import RECIPES, Clips, Recipe, build_template
from vdroppath_tf.training.runs import check_run
from vdroppath_tf.zoo import derived_micro, derived_mobilenet_v2, template_micro

SAMPLING = ClipSampling(frames=4, short_edge=16, crop=16)
CLIPS = np.random.default_rng(0).integers(0, 256, (2, 4, 16, 16, 2), np.uint8)


def normalised(clips: np.ndarray, model: keras.Model) -> np.ndarray:
    return model.get_layer("normalization")(clips.astype("float32")).numpy()


def test_no_motion_is_zero_and_a_mirror_is_the_opposite() -> None:
    model = template_micro(channels=2)
    assert model.input_shape[-1] == 2
    assert (model.architecture or {})["channels"] == 2
    assert float(model(CLIPS).shape[-1]) == 4
    values = normalised(CLIPS, model)
    seen = normalised(np.stack([mirrored(clip) for clip in CLIPS]), model)
    np.testing.assert_allclose(seen[..., 0], -values[..., ::-1, 0], atol=1e-5)
    np.testing.assert_array_equal(seen[..., 1], values[..., ::-1, 1])
    np.testing.assert_allclose(values, (CLIPS / 255.0 - 0.5) / 0.226, atol=1e-5)


def test_clips_of_the_other_kind_are_refused() -> None:
    rgb = np.zeros((2, 4, 16, 16, 3), np.uint8)
    with pytest.raises(ValueError, match=r"must be optical flow .*, 2\). Received: shape"):
        template_micro(channels=2).fit(rgb, np.zeros(2))
    with pytest.raises(ValueError, match=r"must be RGB .*, 3\). Received: shape"):
        check_clips(CLIPS)
    with pytest.raises(ValueError, match=r"channels must be 3 \(RGB\), 2 .* or 1"):
        template_micro(channels=4)


def test_saved_loaded_derived_and_counted(tmp_path: Path) -> None:
    model = derived_micro("S ST S+ST S ST S", channels=2)
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(again(CLIPS), model(CLIPS))
    two, three = (
        cost.complexity(derived_micro("S ST S+ST S ST S", channels=c), (4, 16, 16)) for c in (2, 3)
    )
    row = row_of("micro")
    assert isinstance(row, Row)
    stem = row.stem
    kernel = int(np.prod(stem.size)) * stem.filters
    assert three.parameters - two.parameters == kernel
    assert three.macs - two.macs == kernel * 4 * 4 * 4


def test_inflated_stem_is_the_mean_over_rgb() -> None:
    source = keras.applications.MobileNetV2(weights=None, include_top=False)
    units = " ".join(["S"] * 16)
    model = derived_mobilenet_v2(units, channels=2, include_top=False)
    report = inflate(model, source)
    assert any("mean over RGB" in sentence for sentence in report.changed)
    theirs = np.asarray(source.get_layer("Conv1").kernel)  # for -1..1, ours is for (x - mean) / std
    ours = (theirs * 2 * np.array(STD)[:, None]).mean(2)
    kernel = np.asarray(model.get_layer("stem_conv").kernel)
    for frame in kernel:
        for channel in range(2):
            np.testing.assert_allclose(frame[:, :, channel] * len(kernel), ours, atol=1e-6)


def test_inflated_stem_of_grey_clips_is_the_sum_over_rgb() -> None:
    """A grey clip then gives what a clip gives whose three colours are the same."""
    source = sources_2d.keras_resnet(include_top=False)
    strategy = FusionStrategy.uniform("S", 3)
    grey, rgb = (
        rows.built(shallow.RESNET, 3, strategy=strategy, channels=channels) for channels in (1, 3)
    )
    report = inflate(grey, source)
    assert "The stem's kernel is the source's sum over RGB, for grey clips." in report.changed
    inflate(rgb, source)
    kernel, of_three = (np.asarray(m.get_layer("stem_conv").kernel) for m in (grey, rgb))
    np.testing.assert_allclose(kernel, of_three.sum(3, keepdims=True), atol=1e-6)


def test_recipe() -> None:
    recipe = RECIPES["small"].replace(modality="flow")
    assert recipe.network_options["channels"] == 2
    assert Recipe.from_json(recipe.to_json()) == recipe
    before = json.loads(RECIPES["small"].to_json())
    del before["modality"]  # as recipes were written before there was flow
    assert Recipe.from_json(json.dumps(before)) == RECIPES["small"]
    with pytest.raises(ValueError, match="modality must be one of rgb, flow"):
        recipe.replace(modality="depth")


def write_flow(folder: Path, speed: int) -> None:
    """Everything moves right (or left) at one speed; TSN's names."""
    folder.mkdir(parents=True)
    for step in range(1, 6):
        for axis, motion in (("x", speed), ("y", 0)):
            flat = np.full((24, 24, 1), 128 + motion, np.uint8)
            data = tf.io.encode_jpeg(flat, quality=95).numpy()
            (folder / f"flow_{axis}_{step:05d}.jpg").write_bytes(data)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    root, entries = tmp_path_factory.mktemp("flow"), []
    for k in range(8):
        write_flow(root / f"clip{k}", 60 if k % 2 else -60)
        entries.append(VideoEntry(FrameFolder(str(root / f"clip{k}")), k % 2, 5, f"list:{k}"))
    return Manifest(tuple(entries), ("left", "right"), "list")


def test_a_run_of_flow(folders: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vdroppath_tf.data, "open_manifest", lambda source, **_: folders)
    values = flags.FlagValues()
    define_source(values, "data", "videos")
    define_formats(values)
    values(["vdroppath", "--data=list", "--format=list"])
    recipe = RECIPES["small"].replace(
        network="micro", modality="flow", batch_size=4, sampling=SAMPLING, evaluation_crop=None
    )
    clips = Clips(open_source(values, "data", part="train", modality=recipe.modality))
    assert {entry.source.channels for entry in clips.train} == {2}
    check_run(build_template(recipe, clips), recipe, clips, FaultLog(0.0))
    with pytest.raises(ValueError, match=r"list:0.*have 2 channels; the network takes 3"):
        check_run(template_micro(2), recipe, clips, FaultLog(0.0))


def test_served(folders: Manifest, tmp_path: Path) -> None:
    model = derived_micro("S ST S+ST S ST S", 2, channels=2)
    served = export_saved_model(model, tmp_path / "served", labels=folders.labels)
    network = ServedModel(served, SAMPLING)
    answers = [*network.predict([entry.path for entry in folders.select([0, 1, 2])])]
    assert [set(answer.probabilities) for answer in answers] == [{"left", "right"}] * 3
    assert answers[0].probabilities == answers[2].probabilities != answers[1].probabilities
    with pytest.raises(ValueError, match="Clips must be optical flow, uint8"):
        network.probabilities(np.zeros((1, 4, 16, 16, 3), np.uint8))


@pytest.mark.slow
def test_trained_from_the_command_line(folders: Manifest, tmp_path: Path) -> None:
    source = Path(folders.entries[0].path).parent / "list.txt"
    lines = (f"{Path(entry.path).name} 5 {entry.label}\n" for entry in folders)
    source.write_text("".join(lines))
    flags = "--modality=flow --network=micro --frames=4 --short_edge=16 --crop=16 --batch_size=4"
    alone = ["--strategy=S S S S S S", "--warmup_epochs=0", "--search_epochs=1", f"--data={source}"]
    assert main(["train", *flags.split(), *alone, f"--data={source}", f"--out={tmp_path}/run"]) == 0
    assert json.loads((tmp_path / "run/recipe.json").read_text())["modality"] == "flow"
    assert keras.saving.load_model(tmp_path / "run/network.keras").input_shape[-1] == 2
