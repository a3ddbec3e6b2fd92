"""A `.keras` file written before modules moved into rooms still loads: names are registered.

`template_before_rooms.keras` is `zoo.template_micro(3, clip_shape=(4, 16, 16), branches=("S", "T",
"ST"), drop_layer=True, gate_classifier=True)` with random logits, as version 0.1.0 wrote it when
modules lay loose beside the rooms (commit 9010fed). It is never written again.
"""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np

from vdroppath_tf import ProbabilitySpace, derive
from vdroppath_tf.layers import gates_of
from vdroppath_tf.models.network import completed

FILE = Path(__file__).parents[1] / "files" / "template_before_rooms.keras"
# What the model answered in the process that wrote it.
LOGITS = [[-0.0090919, -0.09101483, 0.14962402], [-0.5352316, -0.07840049, -0.12544298]]
DROP = [0.5313912120983109, 0.4670217319196899, 0.6548489932103799]


def clips() -> np.ndarray:
    """The clips whose logits stand above."""
    generator = np.random.default_rng(0)
    for shape in [(3,), ()] * 6 + [(1,)]:  # the logits that were drawn first
        generator.normal(size=shape)
    return generator.integers(0, 256, (2, 4, 16, 16, 3)).astype("float32")


def test_loads_unchanged() -> None:
    model = keras.saving.load_model(FILE)
    np.testing.assert_allclose(model(clips()), LOGITS, atol=1e-5)
    space = ProbabilitySpace.from_model(model)
    np.testing.assert_allclose(space.drop[0], [DROP], rtol=1e-6)
    assert space.architecture == "micro"


def test_keeps_the_prior_it_was_trained_with() -> None:
    """The file holds k = 10, the default then; so did a description that named no strength."""
    model = keras.saving.load_model(FILE)
    assert {(gate.weight_reg, gate.prior_strength) for gate in gates_of(model)} == {(10.0, None)}
    older = {**model.architecture, "gates": {"seed": 3}}
    assert completed(older)["gates"] == {"seed": 3, "weight_reg": 10.0}


def test_is_still_a_template() -> None:
    model = keras.saving.load_model(FILE)
    strategy = "S ST - S+ST T S+T+ST"
    network = derive(model, strategy)
    assert (network.architecture or {})["strategy"] == strategy
    assert network(clips()).shape == (2, 3)
