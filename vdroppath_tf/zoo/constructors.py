"""What every constructor of the zoo does: a row of a family, built as template or derived."""

from __future__ import annotations

import dataclasses
import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, get_type_hints

from typing_extensions import TypedDict

from vdroppath_tf.layers.drop_path import VariationalDropPath
from vdroppath_tf.models.build import build_network
from vdroppath_tf.models.common import GateOptions
from vdroppath_tf.models.families import row_of
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.network import OPEN, ClipShape
from vdroppath_tf.models.row import Row
from vdroppath_tf.names import nearest
from vdroppath_tf.spaces.strategy import FusionStrategy

Constructor = TypeVar("Constructor", bound=Callable[..., FusionModel])


class CommonOptions(TypedDict, total=False):
    """What every network of the zoo takes.

    ``clip_shape``: frames, height and width of the clips; None leaves a size open.
    ``channels``: of the clips: 3 for RGB, 2 for optical flow, x and y, 0..255.
    ``temporal_strides``: from the stem on; None, or fewer than there are: the rest as published.
    ``temporal_pool``: max-pool over three frames, stride 2, behind the stem's first convolution:
    half the temporal resolution (Fig. 6).
    ``branches``: paths of each fusion layer, out of S, T and ST in that order; with all three,
    layers draw any of the paper's seven units.
    ``dropout``: before the classifier; 0 while gates train, in the paper.
    ``include_top``: False leaves pool and classifier out: ``(batch, t, h, w, channels)`` comes out.
    """

    clip_shape: ClipShape
    channels: int
    temporal_strides: Sequence[int] | None
    temporal_pool: bool
    branches: Sequence[str]
    dropout: float
    include_top: bool


class DenseNetOptions(CommonOptions, total=False):
    """``share_inputs``: False gives each input of a layer gates of its own: v is learned too."""

    share_inputs: bool


class ResNetOptions(CommonOptions, total=False):
    """``shortcut``: ``"pool"``, the paper's, or ``"conv"``, strided as in 2D ResNets."""

    shortcut: str


class TemplateOptions(CommonOptions, GateOptions, total=False):
    """A template's options: of the network, and of its gates."""


class DenseNetTemplateOptions(DenseNetOptions, GateOptions, total=False):
    """A DenseNet template's options."""


class ResNetTemplateOptions(ResNetOptions, GateOptions, total=False):
    """A ResNet template's options."""


DEFAULTS: dict[str, Any] = {
    **{name: p.default for name, p in inspect.signature(VariationalDropPath).parameters.items()},
    "clip_shape": OPEN,
    "channels": 3,
    "temporal_strides": None,
    "temporal_pool": False,
    "branches": ("S", "ST"),
    "dropout": 0.0,
    "include_top": True,
    "share_inputs": True,
    "shortcut": "pool",
    "gate_classifier": False,
}


def explicit(function: Constructor) -> Constructor:
    """Shows the options behind ``**options`` by name, with their defaults; refuses others.

    ``help``, a notebook's completion and ``inspect.signature`` see them as if written out.
    """
    signature = inspect.signature(function)
    *given, _ = signature.parameters.values()
    (kind,) = get_type_hints(function, vars(sys.modules[function.__module__]))["options"].__args__
    names = get_type_hints(kind)
    by_name = inspect.Parameter.KEYWORD_ONLY
    options = [
        inspect.Parameter(name, by_name, default=DEFAULTS[name], annotation=hint)
        for name, hint in names.items()
    ]

    @functools.wraps(function)
    def checked(*args: Any, **kwargs: Any) -> FusionModel:
        for name in set(kwargs) - {parameter.name for parameter in given} - set(names):
            raise TypeError(
                f"{function.__name__}() has no option {name!r}. {nearest(name, names)}"
                f"It has: {', '.join(names)}."
            )
        return function(*args, **kwargs)

    checked.__doc__ = f"{inspect.getdoc(function)}\n\nOptions:\n{_told(names)}"
    checked.__signature__ = signature.replace(parameters=[*given, *options])  # type: ignore[attr-defined]
    return checked  # type: ignore[return-value]


def _told(names: Mapping[str, Any]) -> str:
    """What the options with these names mean, from the docstrings of those who declare them."""
    declared = (CommonOptions, DenseNetOptions, ResNetOptions, GateOptions)
    docs = [inspect.getdoc(one) or "" for one in declared if set(get_type_hints(one)) <= set(names)]
    lines = [line for text in docs for line in text.splitlines()]
    start = [n for n, line in enumerate(lines) if line.startswith("``")]
    kept = lines[start[0] :] if start else []
    return "\n".join(f"    {line}" for line in kept if line and not line.startswith("Options of"))


def template(row: Row | str, num_classes: int, options: Mapping[str, Any]) -> FusionModel:
    """The template of a row, from the options of its constructor."""
    gates = {k: v for k, v in options.items() if k in GateOptions.__annotations__}
    network = {k: v for k, v in options.items() if k not in gates}
    return _build(row, num_classes, network, gates=gates)


def derived(
    row: Row | str, strategy: FusionStrategy | str, num_classes: int, options: Mapping[str, Any]
) -> FusionModel:
    """The network of a row that has the paths of one strategy only."""
    return _build(row, num_classes, options, strategy=FusionStrategy.of(strategy))


def _build(
    row: Row | str, num_classes: int, options: Mapping[str, Any], **kind: Any
) -> FusionModel:
    row, own = row_of(row), ("shortcut", "share_inputs")
    row = dataclasses.replace(row, **{k: v for k, v in options.items() if k in own})
    network = {k: v for k, v in options.items() if k not in own}
    return build_network(row, num_classes, **network, **kind)
