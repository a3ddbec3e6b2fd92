"""What the constructors of networks take: the meaning of each option, and where it goes."""

from __future__ import annotations

import dataclasses
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from vdroppath_tf.models.common import GateOptions
from vdroppath_tf.models.row import Row
from vdroppath_tf.spaces.prior import PRIOR_STRENGTH, two_digits

ClipShape = tuple[int | None, int | None, int | None]
OPEN: ClipShape = (None, None, None)
BRANCHES: Sequence[str] = ("S", "ST")

# name -> what it is, as the section "Args" of a docstring has it
MEANINGS = {
    "strategy": "FusionStrategy or str, one unit for each fusion layer.",
    "num_classes": "int, logits of the classifier. Defaults to {num_classes}.",
    "clip_shape": "tuple, frames, height and width of the clips; None leaves a size open. "
    "Defaults to all open.",
    "channels": "int, of the clips: 3 for RGB, 2 for optical flow (x and y), 1 for grey, 0..255. "
    "Defaults to 3.",
    "temporal_strides": "tuple of int, from the stem on; where there are fewer than the network "
    "has, the rest is as published. Defaults to None, all as published.",
    "temporal_pool": "bool, a max-pool over three frames, stride 2, behind the stem's first "
    "convolution: half the temporal resolution (Fig. 6). Defaults to False.",
    "branches": "tuple of str, the paths of each fusion layer, out of S, T and ST in that order; "
    "with all three, layers draw any of the paper's seven units. Defaults to S and ST.",
    "dropout": "float, before the classifier; the paper has 0 while gates train. Defaults to 0.",
    "include_top": "bool. False leaves pool and classifier out, and features come out: "
    "``(batch, time, height, width, channels)``. Defaults to True.",
    "multi_label": "bool, whether a clip has any number of classes, each with a sigmoid and a "
    "binary cross-entropy of its own. Defaults to False: one class, by a softmax.",
    "num_train_examples": "float, N of Eq. 5. Defaults to None: ``fit`` fills it in where it can.",
    "weight_reg": "float, k of the KL, which divides it by N. Defaults to None: ``prior_strength`` "
    "holds.",
    "prior_strength": "float, what multiplies ``(1-p) ||w||^2`` in the KL for any N, instead of "
    f"``weight_reg``. Defaults to None: {two_digits(PRIOR_STRENGTH)}, or ``weight_reg``, if given.",
    "kl": 'str, ``"code"`` (the published k are its) or ``"paper"`` (Eq. 5). Defaults to '
    '``"code"``.',
    "noise": 'str, drawn for each ``"sample"`` or for the ``"batch"``. Defaults to ``"sample"``.',
    "initial_drop": "float, the drop probability that gates start with. Defaults to 0.1.",
    "temperature": "float, of the relaxation. Defaults to 0.2.",
    "drop_layer": "bool, D1: one more gate for each layer on a residual branch. Defaults to False.",
    "residual_gate": 'str, ``"hard"`` (published) multiplies what a layer\'s paths feed by "some '
    'path is on" under hard masks only, ``"relaxed"`` while gates train too. Defaults to '
    '``"hard"``.',
    "gate_classifier": "bool, one more gate for the features before the classifier. Defaults to "
    "False.",
    "seed": "int, of the gates' noise. Defaults to 0.",
    "weights": "str, a trained template that comes with the package: {trained}. ``num_classes`` is "
    "then that of its task. Defaults to None: random weights.",
    "name": "str, of the model, so that two can stand in one. Defaults to ``template_`` or "
    "``derived_`` and the network's.",
}
GATES = tuple(GateOptions.__annotations__)


def arguments(
    row: Row, num_classes: int | None, strategy: Any = None, name: str | None = None, **options: Any
) -> dict[str, Any]:
    """The options of a constructor, which has checked their names, as ``build_network`` has them.

    The options of a family are fields of its rows; None leaves what the row has.
    """
    gates = {name: options.pop(name) for name in GATES if name in options}
    own = {each.name for each in dataclasses.fields(row)} & set(options)
    chosen = {name: options.pop(name) for name in own}
    given = {name: value for name, value in chosen.items() if value is not None}
    return {
        "row": dataclasses.replace(row, **given),
        "num_classes": num_classes,
        "strategy": strategy,
        "gates": gates,
        "name": name,
        **options,
    }


def explained(names: Iterable[str], own: dict[str, str], **values: Any) -> str:
    """The section "Args" of a constructor with these options.

    Args:
        names: of the options.
        own: what the options of the family mean.
        **values: that the meanings have in braces.
    """
    meanings = {**MEANINGS, **own}
    texts = [f"{name}: {meanings[name].format(**values)}" for name in names]
    width: dict[str, Any] = {"initial_indent": " " * 4, "subsequent_indent": " " * 8, "width": 88}
    return "\n".join(["Args:", *(textwrap.fill(text, **width) for text in texts)])
