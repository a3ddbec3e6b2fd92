"""One object for exported networks of any format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tiny

from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.serving import export_saved_model, load_artefact, write_sampling

LABELS = ("right", "left", "down", "up")


def test_a_saved_model_answers_clips(tmp_path: Path) -> None:
    network = tiny.derived("S ST S+ST", clip_shape=(4, 16, None))
    path = export_saved_model(network, tmp_path / "1", labels=LABELS)
    with pytest.raises(ValueError, match="does not describe how its clips are made"):
        load_artefact(path)
    assert load_artefact(path, sampling=ClipSampling(8)).sampling == ClipSampling(8)
    write_sampling(path, ClipSampling(4))
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
