"""One object for exported networks of any format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.serving import export_saved_model, load_artefact, write_sampling
from vdroppath_tf.serving.runtime import load_version
from vdroppath_tf.serving.version_folders import newest_version

LABELS = ("right", "left", "down", "up")


def test_a_saved_model_answers_clips(tmp_path: Path) -> None:
    network = tiny.derived("S ST S+ST", clip_shape=(4, 16, None))
    path = export_saved_model(network, tmp_path / "1", labels=LABELS)
    with pytest.raises(ValueError, match="does not describe how its clips are made"):
        load_artefact(path)
    assert load_artefact(path, sampling=ClipSampling(8)).sampling == ClipSampling(8)
    write_sampling(path, ClipSampling(4))
    assert load_artefact(tmp_path).path == path  # the newest of the versions
    (path / "7").mkdir()
    assert load_version(path).path == path  # versions are not sought again
    (path / "7").rmdir()
    served = load_artefact(path)
    clips = np.random.default_rng(0).integers(0, 256, (2, 4, 16, 20, 3), np.uint8)
    expected = tf.nn.softmax(network(clips, training=False))
    np.testing.assert_allclose(served.answer(clips), expected, atol=1e-5)
    assert (served.format, served.labels, served.multi_label) == ("saved_model", LABELS, False)
    assert (served.clip_shape, served.channels) == ((4, 16, None, 3), 3)
    assert served.sampling == ClipSampling(4)
    for bad in (clips[0], clips[:, :2], clips[..., :2], clips[:0], clips.astype("float32")):
        with pytest.raises(ValueError, match=r"uint8 \(batch, 4, 16, width, 3\), at least one"):
            served.answer(bad)
    with pytest.raises(ValueError, match="nothing holds no SavedModel"):
        load_artefact(tmp_path / "nothing")


def test_the_newest_version(tmp_path: Path) -> None:
    """As numbers, not as text; a folder without versions is taken itself."""
    for name in ("9", "10", "assets"):
        (tmp_path / "served" / name).mkdir(parents=True)
        (tmp_path / "served" / name / "file").touch()
    assert newest_version(tmp_path / "served") == tmp_path / "served" / "10"
    assert newest_version(tmp_path / "served" / "9") == tmp_path / "served" / "9"
    assert newest_version(tmp_path / "nothing") == tmp_path / "nothing"
    with pytest.raises(ValueError, match=r"served.10 holds no SavedModel"):
        load_artefact(tmp_path / "served")
