"""Streams: what is kept gives the answers of whole windows; the endless mode those of one clip."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tiny

from vdroppath_tf.scoring import EndlessClassifier, StreamingClassifier

SIZE = (8, 8)
FRAMES = np.random.default_rng(0).integers(0, 256, (17, *SIZE, 3), "uint8")


def network(kind: str, strategy: str) -> Any:
    """A derived network whose batch norms move each frame."""
    options: dict[str, Any] = {"temporal_strides": (1, 1)} if kind == "mobile" else {}
    known = kind in tiny.KINDS
    model = tiny.kind_derived(kind, strategy, **options) if known else tiny.derived(strategy)
    tiny.draw_norms(model, seed=1)
    return model


def probabilities(model: Any, clip: np.ndarray) -> np.ndarray:
    return keras.ops.convert_to_numpy(keras.ops.softmax(model(clip[None])))[0]


NETWORKS = {
    "late ST": ("nano", "S S ST", 1),
    "early ST": ("nano", "ST - S+ST", 2),
    "T": ("units", "S T S+ST", 2),
    "dense": ("dense", "S ST S S", 4),  # 2 of its stem, 1 of the pool behind that
    "mobile": ("mobile", "S ST", 3),
}


@pytest.mark.parametrize("case", NETWORKS)
def test_answers_are_those_of_whole_windows(case: str) -> None:
    kind, strategy, edge = NETWORKS[case]
    model = network(kind, strategy)
    window, hop = 12, 2
    stream = StreamingClassifier(model, SIZE, window=window, hop=hop)
    assert stream.plan.edge == edge
    answers = [*stream.push(FRAMES[:4]), *stream.push(FRAMES[4:14]), *stream.push(FRAMES[14:])]
    assert [answer.first for answer in answers] == [0, 2, 4]
    for answer in answers:
        whole = probabilities(model, FRAMES[answer.first : answer.last + 1])
        np.testing.assert_allclose(answer.probabilities, whole, atol=1e-5)
    assert 0 < stream.cost.share < 1
    stream.reset()
    (again,) = stream.push(FRAMES[:window])
    np.testing.assert_array_equal(again.probabilities, answers[0].probabilities)


def test_late_time_is_cheap() -> None:
    late, early = (
        StreamingClassifier(tiny.derived(strategy), SIZE, window=16, hop=1).cost
        for strategy in ("S S ST", "ST ST ST")
    )
    assert late.share < early.share < 1
    whole = StreamingClassifier(tiny.derived("ST ST ST"), SIZE, window=16, hop=16).cost
    assert whole.share == 1


@pytest.mark.parametrize("case", ["late ST", "early ST", "T", "dense"])
def test_the_endless_mode_is_one_clip_without_end(case: str) -> None:
    kind, strategy, edge = NETWORKS[case]
    model = network(kind, strategy)
    stream = EndlessClassifier(model, SIZE, window=5, hop=3)
    assert stream.delay == edge
    answers = [*stream.push(FRAMES[:7]), *stream.push(FRAMES[7:])]
    pool = next(la for la in model.layers if isinstance(la, keras.layers.GlobalAveragePooling3D))
    features = keras.Model(model.input, pool.input)(FRAMES[None])
    head = keras.Model(pool.input, model.output)
    known = [n - edge for n in (3, 6, 9, 12, 15) if n - edge >= 5 + edge]
    assert [answer.last + 1 for answer in answers] == known
    for answer in answers:
        own = head(features[:, answer.first : answer.last + 1])
        want = keras.ops.convert_to_numpy(keras.ops.softmax(own))[0]
        np.testing.assert_allclose(answer.probabilities, want, atol=1e-5)


def test_what_cannot_be_streamed_is_said() -> None:
    with pytest.raises(ValueError, match=r"stage1_block1_fusion.*derived network"):
        StreamingClassifier(tiny.template(), SIZE)
    with pytest.raises(ValueError, match="has a stride in time"):
        StreamingClassifier(tiny.derived("S S S", temporal_strides=(2,)), SIZE)
    with pytest.raises(ValueError, match="include_top=True"):
        StreamingClassifier(tiny.derived("S S S", include_top=False), SIZE)
    clips = keras.Input((4, *SIZE, 3))
    x = keras.layers.GlobalAveragePooling3D()(keras.layers.Conv3D(2, 1, name="plain")(clips))
    with pytest.raises(ValueError, match=r"plain \(Conv3D\) is not known to give each frame the s"):
        StreamingClassifier(keras.Model(clips, keras.layers.Dense(3)(x)), SIZE, window=4)
    with pytest.raises(ValueError, match="hop"):
        StreamingClassifier(tiny.derived("S S S"), SIZE, window=4, hop=5)
    stream = StreamingClassifier(tiny.derived("S S S"), SIZE)
    with pytest.raises(ValueError, match=r"uint8 of shape \(n, 8, 8, 3\)"):
        stream.push(FRAMES.astype("float32"))
