"""The setting with which convolutions keep their first weights: of servers, never of trainings."""

from __future__ import annotations

import os

import numpy as np
import pytest
import rows

from vdroppath_tf.serving.frozen import frozen_weights
from vdroppath_tf.startup import FROZEN_WEIGHTS


def test_it_is_set_inside_and_gone_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FROZEN_WEIGHTS, raising=False)
    with frozen_weights():
        assert os.environ[FROZEN_WEIGHTS] == "1"
    assert FROZEN_WEIGHTS not in os.environ
    monkeypatch.setenv(FROZEN_WEIGHTS, "0")
    with frozen_weights():
        assert os.environ[FROZEN_WEIGHTS] == "0"
    assert os.environ[FROZEN_WEIGHTS] == "0"


def test_nothing_is_trained_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The check comes before the first convolution, at which TensorFlow would read it."""
    network = rows.built("even", strategy="S - ST S+ST")
    monkeypatch.setenv(FROZEN_WEIGHTS, "1")
    with pytest.raises(ValueError, match=f"{FROZEN_WEIGHTS} is set.* unset it to train"):
        network.fit(rows.clips(2, (4, 24, 24)), np.zeros(2, "int32"), verbose=0)
