"""From a row, or the description a model carries, to a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import keras

from vdroppath_tf.models.common import GateOptions
from vdroppath_tf.models.families import row_of
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.network import describe
from vdroppath_tf.models.options import BRANCHES, OPEN, ClipShape
from vdroppath_tf.models.row import Row
from vdroppath_tf.names import named
from vdroppath_tf.spaces.strategy import FusionStrategy


@named
def build_network(
    row: Row | str,
    num_classes: int | None = None,
    *,
    strategy: FusionStrategy | str | None = None,
    gates: GateOptions | None = None,
    clip_shape: ClipShape = OPEN,
    channels: int = 3,
    branches: Sequence[str] = BRANCHES,
    temporal_strides: Sequence[int] | None = None,
    temporal_pool: bool = False,
    dropout: float = 0.0,
    include_top: bool = True,
    multi_label: bool = False,
    name: str | None = None,
) -> FusionModel:
    """Builds a template or a derived network of any row.

    Args:
        row: Row or str, a row of a family, or a network's name.
        num_classes: int, logits of the classifier. Defaults to the row's.
        strategy: FusionStrategy or str, whose paths the network has. Defaults to None, a template.
        gates: dict, options of a template's gates, see ``VariationalDropPath``. Defaults to none.
        clip_shape: tuple, frames, height and width of the clips; None leaves a size open. Defaults
            to all open.
        channels: int, of the clips: 3 for RGB, 2 for optical flow, 1 for grey. Defaults to 3.
        branches: tuple of str, of the fusion layers, out of S, T and ST in that order. Defaults to
            S and ST.
        temporal_strides: tuple of int, from the stem on. Defaults to the family's; so does the
            rest where there are fewer than the network has.
        temporal_pool: bool, a max-pool over three frames, stride 2, behind the stem's first
            convolution (Fig. 6). Defaults to False.
        dropout: float, before the classifier; the paper has 0 while gates train. Defaults to 0.
        include_top: bool, whether there are pool and classifier. Defaults to True.
        multi_label: bool, whether a clip has any number of classes, each with a sigmoid of its own.
            Defaults to False: one class, by a softmax.
        name: str, of the model. Defaults to ``template_`` or ``derived_`` and the network's.

    Returns:
        A ``FusionModel`` from clips ``(batch, time, height, width, channels)``, 0..255, to logits.

    Raises:
        ValueError: If an option is out of range, or the strategy does not fit.

    Example:
    ```python
    network = build_network("micro", 10, strategy="S S+ST ST ST - ST", clip_shape=(8, 32, 32))
    ```
    """
    given = locals()
    del given["name"]
    wanted = None if strategy is None else FusionStrategy.of(strategy)
    architecture = describe(**{**given, "row": row_of(row), "strategy": wanted})
    return FusionModel.built(architecture, wanted, name)


def build(
    architecture: Mapping[str, Any], strategy: FusionStrategy | None, name: str | None = None
) -> FusionModel:
    """The network of ``FusionModel.architecture`` anew: a template, or derived for ``strategy``."""
    changed: dict[str, Any] = {"strategy": None}
    if strategy is not None:
        changed = {"strategy": str(strategy), "gates": {}}
    return FusionModel.built({**architecture, **changed}, strategy, name)


def architecture_of(model: keras.Model) -> dict[str, Any]:
    """The description, or a ValueError that says what was expected."""
    architecture = getattr(model, "architecture", None)
    if architecture is None:
        raise ValueError(
            f"{model.name!r} does not carry its architecture. Expected a model of "
            "vdroppath_tf.zoo, as built or loaded with keras.saving.load_model."
        )
    return architecture
