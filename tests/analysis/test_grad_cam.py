"""Grad-CAM per branch: maps that can be computed by hand, in every family, and their files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tiny

from vdroppath_tf.analysis import BranchMap, Explanation, explain_clip
from vdroppath_tf.derivation import derive
from vdroppath_tf.layers import FusionConv, set_strategy

CLIP = (4, 6, 8)


def small(unit: str = "S+ST", *, crop: int = 0) -> Any:
    """A fusion layer of 2 channels, the mean over all places (or all but a border), 3 logits."""
    clips = keras.Input((*CLIP, 3))
    y = FusionConv(2, unit=unit, name="only_fusion")(clips)["output"]
    if crop:
        y = keras.layers.Cropping3D((0, crop, crop))(y)
    return keras.Model(clips, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling3D()(y)))


def by_hand(model: Any, clip: np.ndarray, label: int) -> dict[str, np.ndarray]:
    """The maps of ``small()``: the gradient is the classifier's column, the same everywhere."""
    kernels = {v.path.split("/")[-2]: v.numpy() for v in model.layers[1].weights}
    weights = model.layers[-1].kernel.numpy()[:, label]
    padded = np.pad(clip, ((1, 1), (0, 0), (0, 0), (0, 0)))
    three = [padded[n : n + CLIP[0]] @ kernels["spatiotemporal"][n, 0, 0] for n in range(3)]
    maps = {"S": clip @ kernels["spatial"][0, 0, 0] @ weights, "ST": sum(three) @ weights}
    maps = {name: np.maximum(values, 0) for name, values in maps.items()}
    top = max(values.max() for values in maps.values())
    return {name: values / top for name, values in maps.items()}


@pytest.mark.parametrize("method", ["grad-cam", "hires-cam"])
def test_a_map_computed_by_hand(method: Any) -> None:
    """Where the gradient is the same at all places, both methods agree."""
    keras.utils.set_random_seed(1)
    model = small()
    clip = np.random.default_rng(0).normal(size=(*CLIP, 3)).astype("float32")
    found = explain_clip(model, clip, 2, method=method)
    wanted = by_hand(model, clip, 2)
    assert [(m.layer, m.branch) for m in found.maps] == [("only_fusion", b) for b in wanted]
    for one in found.maps:
        np.testing.assert_allclose(one.values, wanted[one.branch], atol=1e-5)
    total = sum(values.mean() for values in wanted.values())
    assert [m.share for m in found.maps] == pytest.approx(
        [values.mean() / total for values in wanted.values()], abs=1e-5
    )
    chances = keras.ops.softmax(model(clip[None]))[0]
    np.testing.assert_allclose(found.chances, chances, atol=1e-6)
    assert explain_clip(model, clip).label == int(np.argmax(chances)) == found.predicted


def test_the_map_is_where_the_clip_is() -> None:
    """A clip that is empty but for one place: S looks there, ST at the frames beside it too."""
    keras.utils.set_random_seed(0)
    model = small()
    clip = np.zeros((*CLIP, 3), "float32")
    clip[1, 2:4, 5:7] = 200.0
    lit = {"S": np.zeros(CLIP, bool), "ST": np.zeros(CLIP, bool)}
    lit["S"][1, 2:4, 5:7] = True
    lit["ST"][:3, 2:4, 5:7] = True
    anywhere = 0
    for label in range(3):
        for one in explain_clip(model, clip, label).maps:
            assert not one.values[~lit[one.branch]].any()
            anywhere += int(one.values.any())
    assert anywhere


def test_places_that_the_class_does_not_see() -> None:
    """Beyond the border that the network cuts off the gradient is 0, and so is HiResCAM's map."""
    keras.utils.set_random_seed(0)
    model = small(crop=2)
    clip = np.random.default_rng(0).uniform(0, 255, (*CLIP, 3))
    inside = np.zeros(CLIP, bool)
    inside[:, 2:-2, 2:-2] = True
    for one in explain_clip(model, clip, 0, method="hires-cam").maps:
        assert one.values[inside].any()
        assert not one.values[~inside].any()
    assert any(one.values[~inside].any() for one in explain_clip(model, clip, 0).maps)


STRATEGIES = {
    "units": "S+T T S+ST",
    "mobile": "S T+ST",
    "dense": "S T+ST S+ST ST",
    "inputs": "S S@10+ST@11 ST@101 ST",
}


@pytest.mark.parametrize("kind", STRATEGIES)
def test_a_template_looks_where_its_derived_network_looks(kind: str) -> None:
    """In every family, with T, and with gates per input; the template is left as it was."""
    model = tiny.kind_template(kind, clip_shape=(4, 16, 16))
    tiny.draw_norms(model, seed=3)
    masks = [gate.mask.numpy().tolist() for gate in model.gates]
    strategy = _fitting(model, STRATEGIES[kind])
    clip = np.random.default_rng(0).uniform(0, 255, (4, 16, 16, 3)).astype("float32")
    set_strategy(model, strategy)
    found = explain_clip(model, clip, 1)
    network = derive(model, strategy)
    other = explain_clip(network, clip, 1)
    paths = [(m.layer, m.branch) for m in found.maps]
    assert paths == [(m.layer, m.branch) for m in other.maps]
    assert [branch for _, branch in paths] == [
        part.partition("@")[0] for unit in strategy.split() for part in unit.split("+")
    ]
    for one, same in zip(found.maps, other.maps, strict=True):
        np.testing.assert_allclose(one.values, same.values, atol=2e-3)
        assert one.share == pytest.approx(same.share, abs=2e-3)
    assert any(one.values.any() for one in found.maps)
    set_strategy(model, "mode")
    assert [gate.mask.numpy().tolist() for gate in model.gates] == masks


def _fitting(model: Any, text: str) -> str:
    """The strategy with masks as wide as the layers have inputs."""
    layers = [layer for layer in model.layers if isinstance(layer, FusionConv)]
    units = []
    for layer, unit in zip(layers, text.split(), strict=True):
        if layer.widths is not None:
            parts = [part.partition("@")[::2] for part in unit.split("+")]
            unit = "+".join(
                f"{b}@{(m or '1' * layer.inputs)[: layer.inputs]:1<{layer.inputs}}"
                for b, m in parts
            )
        units.append(unit)
    return " ".join(units)


def test_maps_are_resized_linearly() -> None:
    one = BranchMap("a", "S", np.arange(4.0).reshape(4, 1, 1), 1.0)
    np.testing.assert_allclose(one.resized((4, 1, 1)).ravel(), [0, 1, 2, 3])
    np.testing.assert_allclose(
        one.resized((8, 2, 3))[:, 1, 2], [0, 0.25, 0.75, 1.25, 1.75, 2.25, 2.75, 3]
    )
    flat = BranchMap("a", "S", np.full((2, 3, 5), 0.5), 1.0).resized((7, 11, 4))
    np.testing.assert_allclose(flat, 0.5)


def test_files_come_back(tmp_path: Path) -> None:
    found = explain_clip(small(), np.zeros((*CLIP, 3), "uint8"), 1)
    found.save(tmp_path / "a.npz")
    same = Explanation.load(tmp_path / "a.npz")
    assert [m.share for m in same.maps] == [m.share for m in found.maps] == [0.0, 0.0]
    for one, other in zip(found.maps, same.maps, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
    with pytest.raises(ValueError, match="no map of layer 'b'"):
        same.of_layers(["b"])
    arrays = dict(np.load(tmp_path / "a.npz"))
    for change, words in (
        ({"maps": arrays["maps"][:-1]}, r"\([0-9]+ values for maps of [0-9]+\)"),
        ({"numbers": np.array([9, 0])}, "classes 9 and 0"),
        ({"clip": arrays["clip"][0]}, "clip of shape"),
    ):
        np.savez(tmp_path / "b.npz", **{**arrays, **change})
        with pytest.raises(ValueError, match=rf"b\.npz: holds no explanation of a clip .*{words}"):
            Explanation.load(tmp_path / "b.npz")
    (tmp_path / "b.npz").write_bytes((tmp_path / "a.npz").read_bytes()[:-40])
    with pytest.raises(ValueError, match=r"b\.npz"):
        Explanation.load(tmp_path / "b.npz")


def test_what_cannot_be_explained() -> None:
    clip = np.zeros((4, 16, 16, 3), "uint8")
    model = tiny.derived("S ST S+ST")
    with pytest.raises(ValueError, match=r"from 0 to 3\. Received: 4"):
        explain_clip(model, clip, 4)
    with pytest.raises(ValueError, match="one clip"):
        explain_clip(model, clip[None])
    with pytest.raises(ValueError, match=r"takes clips of \(4, 6, 8\) .*shape \(5, 6, 8, 3\)"):
        explain_clip(small(), np.zeros((5, 6, 8, 3), "uint8"))
    with pytest.raises(ValueError, match="RGB"):
        explain_clip(model, clip[..., :2])
    with pytest.raises(ValueError, match="method"):
        explain_clip(model, clip, method="gradcam")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="no fusion layer"):
        explain_clip(tiny.derived("- - -"), clip)
    with pytest.raises(ValueError, match="no class"):
        explain_clip(tiny.derived("S ST S+ST", include_top=False), clip)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        half = tiny.derived("S ST S+ST")
    finally:
        keras.config.set_dtype_policy("float32")
    with pytest.raises(ValueError, match="float16"):
        explain_clip(half, clip)
