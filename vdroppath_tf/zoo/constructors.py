"""The constructors of the zoo: one factory over the rows of the families."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, Concatenate, ParamSpec, cast

from vdroppath_tf.models import densenet, mobilenet_v2, resnet
from vdroppath_tf.models.build import build_network
from vdroppath_tf.models.families import family_of, fusion_layers_of, row_of
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.models.options import explained
from vdroppath_tf.models.row import Row
from vdroppath_tf.names import named
from vdroppath_tf.zoo.trained import list_weights, load_trained, trained_weights

Options = ParamSpec("Options")
AnyConstructor = Callable[..., FusionModel]

# row -> what the network is called, and what was published for it
_TITLES = {
    "densenet121": "DenseNet-121, the paper's template, its layers named as in Fig. 4",
    "densenet161": "DenseNet-161 (growth 48)",
    "densenet169": "DenseNet-169",
    "densenet201": "DenseNet-201",
    "micro": "A ResNet for CPUs and known-answer tasks",
    "mobilenet_v2": "MobileNetV2",
    "resnet50": "ResNet-50",
    "resnet101": "ResNet-101",
    "resnext50": "ResNeXt-50 32x4d",
    "resnext101": "ResNeXt-101 32x8d",
}
_V1, _V2 = ("Something-Something V1", "Something-Something V2")
_PUBLISHED = {
    "densenet121": ("Table 2", "S 41.8, ST 47.5, S+ST 46.5, best strategy 50.2", _V1),
    "mobilenet_v2": (
        "supplementary section 3",
        "S 52.9, ST 59.3, S+ST 59.7, best strategy 59.5",
        _V2,
    ),
    "resnet50": ("Table 6", "S 33.8, ST 40.1, S+ST 38.9, best strategy 41.2", _V1),
    "resnext50": ("Table 6", "S 35.2, ST 42.1, S+ST 40.7, best strategy 43.6", _V1),
    "resnext101": ("Table 6", "S 36.6, ST 42.7, S+ST 42.3, best strategy 44.0", _V1),
}
_NOTES = {
    "micro": "Its stem and pools see one frame at a time, so what it knows of time the fusion "
    "layers have told it.",
}
_RETURNS = """Returns:
    A ``FusionModel``, which is a ``keras.Model``, from clips ``(batch, time, height, width, 3)``,
    RGB 0..255 (2 channels for flow), to logits.

Raises:
    ValueError: If an option is out of range{fits}.

Example:
```python
{example}
```"""


def constructor(
    make: Callable[Concatenate[Any, Options], dict[str, Any]], network: Row | str
) -> Callable[Options, FusionModel]:
    """The constructor of one network.

    Args:
        make: callable, ``template`` or ``derived`` of the network's family.
        network: Row or str, the network.

    Returns:
        A function of the options of ``make``, with its signature and a docstring.
    """
    row, described = row_of(network), cast(Callable[..., dict[str, Any]], make)
    trained = list_weights(row.name) if make.__name__ == "template" else []

    signature = inspect.signature(functools.partial(make, row), eval_str=True)
    if trained:
        weights = inspect.Parameter(
            "weights", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=str | None
        )
        signature = signature.replace(parameters=[*signature.parameters.values(), weights])

    def construct(*args: Options.args, **options: Options.kwargs) -> FusionModel:
        try:
            given = signature.bind(*args, **options).arguments
        except TypeError as error:  # names the constructor, not what it is made of
            raise TypeError(f"{construct.__name__}(): {error}") from None
        name = given.pop("weights", None)
        if name is not None:
            given.setdefault("num_classes", len(trained_weights(name).labels))
        model = build_network(**described(row, **given))
        if name is not None:
            load_trained(model, name)
        return model

    construct.__name__ = construct.__qualname__ = f"{make.__name__}_{row.name}"
    construct.__doc__ = _docstring(make.__name__, row, signature)
    construct.__signature__ = signature.replace(  # type: ignore[attr-defined]
        return_annotation=FusionModel
    )
    return named(construct)


def constructors(network: Row | str) -> tuple[AnyConstructor, AnyConstructor]:
    """The constructors of any network: of its template, and of its derived networks."""
    family = family_of(network)
    return constructor(family.template, network), constructor(family.derived, network)


def _docstring(kind: str, row: Row, signature: inspect.Signature) -> str:
    title, layers = _TITLES.get(row.name, row.name), len(fusion_layers_of(row))
    first = f"{title}: {layers} fusion layers of gated paths."
    if kind == "derived":
        first = f"{title}, with the paths of one strategy of {layers} units only."
    parts = [first, _published(row.name)] if kind == "template" else [first]
    own = family_of(row).options
    values = {"num_classes": row.num_classes, "trained": " or ".join(list_weights(row.name))}
    parts.append(explained(signature.parameters, own, **values))
    fits = ", or the strategy does not fit" * (kind == "derived")
    parts.append(_RETURNS.format(fits=fits, example=_example(kind, row.name)))
    return "\n\n".join(part for part in parts if part)


def _example(kind: str, name: str) -> str:
    if kind == "template":
        return f"template = template_{name}(num_classes=101, clip_shape=(8, 112, 112))"
    strategy = f'vdroppath_tf.zoo.uniform("ST", "{name}")'
    return f"network = derived_{name}({strategy}, num_classes=101)"


def _published(name: str) -> str:
    if name in _PUBLISHED:
        where, numbers, dataset = _PUBLISHED[name]
        return f"Zhou et al., CVPR 2020, {where}: {numbers} on {dataset}."
    return f"Ours: nothing was published for it. {_NOTES.get(name, '')}".strip()


template_densenet121 = constructor(densenet.template, "densenet121")
derived_densenet121 = constructor(densenet.derived, "densenet121")
template_densenet161 = constructor(densenet.template, "densenet161")
derived_densenet161 = constructor(densenet.derived, "densenet161")
template_densenet169 = constructor(densenet.template, "densenet169")
derived_densenet169 = constructor(densenet.derived, "densenet169")
template_densenet201 = constructor(densenet.template, "densenet201")
derived_densenet201 = constructor(densenet.derived, "densenet201")
template_mobilenet_v2 = constructor(mobilenet_v2.template, "mobilenet_v2")
derived_mobilenet_v2 = constructor(mobilenet_v2.derived, "mobilenet_v2")
template_micro: AnyConstructor = constructor(resnet.template, "micro")
derived_micro = constructor(resnet.derived, "micro")
template_resnet50 = constructor(resnet.template, "resnet50")
derived_resnet50 = constructor(resnet.derived, "resnet50")
template_resnet101 = constructor(resnet.template, "resnet101")
derived_resnet101 = constructor(resnet.derived, "resnet101")
template_resnext50 = constructor(resnet.template, "resnext50")
derived_resnext50 = constructor(resnet.derived, "resnext50")
template_resnext101 = constructor(resnet.template, "resnext101")
derived_resnext101 = constructor(resnet.derived, "resnext101")
