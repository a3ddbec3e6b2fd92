"""What videos `video_features` leaves out, and which settings stop it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from vdroppath_tf.data import Manifest, open_manifest, write_video
from vdroppath_tf.data.clips.crops import ClipSizeError
from vdroppath_tf.data.clips.protocols import PROTOCOLS
from vdroppath_tf.data.clips.transforms import ClipSampling
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.scoring.feature_files import write_features
from vdroppath_tf.scoring.features import video_features
from vdroppath_tf.scoring.layer_outputs import LayerOutputs


class _Never:
    """Outputs of a network that is never asked."""

    keep: tuple[str, ...] = ()

    def __call__(self, clips: Any) -> Any:
        raise AssertionError("no video gives a clip")


def test_a_crop_that_does_not_fit_is_no_fault_of_the_video(tmp_path: Path) -> None:
    write_video(tmp_path / "a" / "0.mp4", np.zeros((4, 32, 32, 3), np.uint8))
    videos, faults = open_manifest(tmp_path), FaultLog()
    sampling = ClipSampling(frames=2, crop=64)
    protocol = PROTOCOLS["paper-1clip"]
    with pytest.raises(ClipSizeError, match="smaller than the crop 64x64"):
        list(video_features(_Never(), videos, sampling, protocol, faults=faults))  # type: ignore[arg-type]
    assert faults.faults() == ()


def test_videos_of_two_sizes(tmp_path: Path) -> None:
    """Their whole frames are run one after another, and do not fit in one array."""
    for k, width in enumerate((32, 48, 48)):
        frames = np.full((4, 32, width, 3), 80 * k, np.uint8)
        write_video(tmp_path / "a" / f"{k}.mp4", frames)
    videos, sampling = open_manifest(tmp_path), ClipSampling(frames=2)
    network = keras.Sequential([keras.Input((2, None, None, 3)), keras.layers.ReLU()])
    given = videos, sampling, PROTOCOLS["paper-1clip"]
    found = [each.features for each in video_features(LayerOutputs(network), *given)]
    for k, one in enumerate(found):
        np.testing.assert_allclose(one, [80 * k] * 3, atol=3)
    with pytest.raises(
        ValueError, match=r"1\.mp4: its features have shape \(32, 48, 3\), .* \(32, 32, 3\)"
    ):
        list(video_features(LayerOutputs(network, keep=("space",)), *given))


def test_what_is_refused(tmp_path: Path) -> None:
    videos, sampling = Manifest((), ("a",), "l.txt"), ClipSampling(frames=2)
    never: Any = _Never()
    with pytest.raises(ValueError, match=r"batch_size must be at least 1. Received: 0"):
        list(video_features(never, videos, sampling, PROTOCOLS["paper-1clip"], batch_size=0))
    with pytest.raises(ValueError, match=r"f\.csv: expected a file that ends in"):
        write_features(tmp_path / "f.csv", [], videos, {})
    for name in ("f.npz", "f.h5"):
        with pytest.raises(
            ValueError, match=r"l\.txt: none of its videos can be read; nothing was"
        ):
            write_features(tmp_path / name, [], videos, {})
    assert list(tmp_path.iterdir()) == []
    network = keras.Sequential([keras.Input((2, 4, 4, 3)), keras.layers.Conv3D(1, 1)])
    with pytest.raises(ValueError, match=r"keep: Did you mean 'time'.*Received: 'tiem'"):
        LayerOutputs(network, keep=("tiem",))
