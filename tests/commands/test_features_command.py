"""`vdroppath features`: of any layer, in npz and HDF5, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from command_lines import said

from vdroppath_tf import training
from vdroppath_tf.data.clips.video_clips import clips_of


def features(call: Any, chain: Path, motion: Any, out: Path, *flags: str) -> Any:
    model = f"--model={chain}/run/derived.keras"
    return call("features", model, f"--data={motion.folder}/test.txt", f"--out={out}", *flags)


def test_features_of_the_pooling(call: Any, chain: Path, motion: Any, tmp_path: Path) -> None:
    out = tmp_path / "f.npz"
    done = features(call, chain, motion, out)
    assert done.code == 0, done.error
    network, recipe, _ = training.load_model(chain / "run" / "derived.keras")
    dense = network.get_layer("classifier")
    videos = motion.manifest("test")
    with np.load(out, allow_pickle=False) as found:
        assert found["videos"].tolist() == [entry.path for entry in videos]
        assert found["labels"].tolist() == [entry.label for entry in videos]
        assert tuple(found["classes"]) == motion.labels
        about = json.loads(found["about"].item())
        logits = found["features"] @ dense.kernel.numpy() + dense.bias.numpy()
    assert (about["format"], about["layer"]) == ("vdroppath_tf.features/1", "pool")
    assert about["data"]["hash"] == videos.digest()
    clips = np.concatenate([clips_of(entry, recipe.evaluation).clips for entry in videos])
    expected = np.asarray(network(clips, training=False))
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    assert features(call, chain, motion, out).code == 0  # its own file is replaced


def test_features_keep_what_is_asked_for(
    call: Any, chain: Path, motion: Any, tmp_path: Path
) -> None:
    out = tmp_path / "f.h5"
    network, *_ = training.load_model(chain / "run" / "derived.keras")
    layer = next(each.name for each in network.layers if len(each.output.shape) == 5)
    flags = [f"--layer={layer}", "--protocol=paper-2clip", "--keep=views,time"]
    done = features(call, chain, motion, out, *flags)
    assert done.code == 0, done.error
    channels = network.get_layer(layer).output.shape[-1]
    with h5py.File(out) as found:
        assert found["features"].shape == (8, 2, 4, channels)
        assert [name.decode() for name in found["classes"]] == list(motion.labels)
        assert found["labels"][()].tolist() == [e.label for e in motion.manifest("test")]
        assert json.loads(found.attrs["about"])["keep"] == ["views", "time"]
        kept = found["features"][()]
    features(call, chain, motion, tmp_path / "g.npz", *flags[:2])
    with np.load(tmp_path / "g.npz") as found:
        np.testing.assert_allclose(found["features"], kept.mean((1, 2)), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("flag", "message"),
    [
        ("--layer=clasifier", r"there is no layer 'clasifier'.*Did you mean 'classifier'"),
        ("--layer=pool --keep=time", "the output of the layer 'pool' is .* without keeping time"),
        ("--keep=tiem", "--keep=tiem: expected some of views, time, space"),
        ("--strategy=S", "--strategy is for a template"),
        ("--out=f.csv", r"--out=f.csv: expected a file that ends in \.npz, \.h5 or \.hdf5"),
    ],
)
def test_what_is_refused(
    call: Any, chain: Path, motion: Any, tmp_path: Path, flag: str, message: str
) -> None:
    import re

    done = features(call, chain, motion, tmp_path / "f.npz", *flag.split())
    assert re.search(message, said(done)), done.error
    assert not (tmp_path / "f.npz").exists()


def test_a_bad_video_is_left_out(call: Any, chain: Path, task: Path, tmp_path: Path) -> None:
    (task / "test" / "000003.mp4").write_bytes(b"no video")
    model = f"--model={chain}/run/derived.keras"
    out = f"--out={tmp_path}/f.npz"
    done = call("features", model, f"--data={task}/test.txt", out, "--max_bad_fraction=.5")
    assert done.code == 0, done.error
    assert "7 of 8 videos" in done.error
    with np.load(tmp_path / "f.npz") as found:
        assert len(found["features"]) == len(found["videos"]) == len(found["labels"]) == 7
        assert not any("000003" in name for name in found["videos"])
