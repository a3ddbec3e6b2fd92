"""A family is one file and its entry in a tuple: one that is made here does all the others do."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import rows

import vdroppath_tf
from vdroppath_tf import cost, zoo
from vdroppath_tf.layers.gates import set_strategy
from vdroppath_tf.models import families, mobilenet_v2
from vdroppath_tf.models.common import convolution, normalized, stem
from vdroppath_tf.models.conventions import Convention
from vdroppath_tf.models.families import FAMILIES, fusion_layers_of
from vdroppath_tf.models.family import Family, FusionLayer
from vdroppath_tf.models.inflation import conventions
from vdroppath_tf.models.row import Row


@dataclasses.dataclass(frozen=True)
class PlainRow(Row):
    """Convolutions one after another, without residual branches."""

    widths: tuple[int, ...]


def features(row: Any, clips: Any, fusion: Any, *, temporal_strides: Any, **pool: Any) -> Any:
    x = stem(clips, row.widths[0], (1, 3, 3), (temporal_strides[0], 2, 2), **pool)
    for n, width in enumerate(row.widths):
        fused = fusion(x, width, name=f"layer{n}_fusion", has_residual=False)
        x = normalized(fused.output, name=f"layer{n}_fusion")
        x = normalized(convolution(x, width, (1, 3, 3), name=f"layer{n}_conv"), name=f"layer{n}")
    return x


def template(row: Any, num_classes: int | None = None, *, seed: int = 0) -> dict[str, Any]:
    return {"row": row, "num_classes": num_classes, "gates": {"seed": seed}}


def derived(row: Any, strategy: Any, num_classes: int | None = None) -> dict[str, Any]:
    return {"row": row, "num_classes": num_classes, "strategy": strategy}


TABLE = (
    ("stem_conv", "first"),
    ("stem_bn", "first_bn"),
    ("layer{n}_fusion/{path}", "one{n}"),
    ("layer{n}_fusion_bn", "one{n}_bn"),
    ("layer{n}_conv", "three{n}"),
    ("layer{n}_bn", "three{n}_bn"),
)
PLAIN = PlainRow("plain", (4, 6))
FAMILY = Family(
    name="plain",
    row=PlainRow,
    rows=(PLAIN,),
    layers=lambda row: tuple(
        FusionLayer(f"layer{n}_fusion", n, has_residual=False) for n in range(len(row.widths))
    ),
    strides=lambda row: (1,),
    features=features,
    template=template,
    derived=derived,
    block=r"layer\d+",
    conventions=(Convention("a plain network", TABLE, mark="three0"),),
    options={},
)


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The template of the new family."""
    everyone = (*FAMILIES, FAMILY)
    for module in (families, conventions):
        monkeypatch.setattr(module, "FAMILIES", everyone)
    monkeypatch.setattr(families, "_ROWS", {**families.rows(), "plain": PLAIN})
    return rows.randomized(zoo.get_model("template_plain", 3))


def weights_2d(widths: Sequence[int]) -> keras.Model:
    """A 2D network whose layers are called as in the convention."""
    x = inputs = keras.Input((32, 32, 3))
    options: dict[str, Any] = {"use_bias": False, "padding": "same"}
    x = keras.layers.Conv2D(widths[0], 3, 2, name="first", **options)(x)
    x = keras.layers.BatchNormalization(name="first_bn")(x)
    for n, width in enumerate(widths):
        for name, size in (("one", 1), ("three", 3)):
            x = keras.layers.Conv2D(width, size, name=f"{name}{n}", **options)(x)
            x = keras.layers.BatchNormalization(name=f"{name}{n}_bn")(x)
    return keras.Model(inputs, x)


def test_it_is_saved_derived_costed_and_inflated(plain: Any, tmp_path: Path) -> None:
    clips = rows.clips(2, (4, 16, 16))
    plain.save(tmp_path / "plain.keras")
    loaded = keras.saving.load_model(tmp_path / "plain.keras")
    np.testing.assert_array_equal(loaded(clips), plain(clips))
    network = vdroppath_tf.derive(loaded, "ST S")
    set_strategy(plain, "ST S")
    np.testing.assert_allclose(network(clips), plain(clips), atol=1e-5)
    found = cost.complexity(network, (4, 16, 16))
    assert cost.unit_costs(plain, (4, 16, 16)).of("ST S") == (found.parameters, found.macs)
    assert str(zoo.uniform("ST", "plain")) == "ST ST"
    with pytest.raises(ValueError, match="cut in two"):
        zoo.uniform("-", "plain")
    report = vdroppath_tf.inflate(network, weights_2d(PLAIN.widths))
    assert report.source.endswith("(a plain network)")
    assert report.unused == ()
    with pytest.raises(ValueError, match="a plain network with 3 blocks, which"):
        vdroppath_tf.inflate(network, weights_2d((4, 6, 6)))


def test_no_other_file_names_a_family() -> None:
    """Rows may be named, as the authors' strategies are; no file asks which family it is."""
    root = Path(vdroppath_tf.__file__).parent
    own = {Path(str(family.row.__module__).replace(".", "/")).name for family in FAMILIES}
    for path in root.rglob("*.py"):
        if path.stem not in own:
            text = path.read_text()
            assert 'family == "' not in text, path
            assert '["family"] ==' not in text, path
    assert {family.row for family in FAMILIES} > {mobilenet_v2.Row}
    assert all(fusion_layers_of(row) for family in FAMILIES for row in family.rows)
