"""Networks by name."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import unknown_name
from vdroppath_tf.zoo import densenet, mobilenet_v2, resnet

_MODULES = (densenet, mobilenet_v2, resnet)
_BY_NAME: dict[str, Callable[..., FusionModel]] = {
    name: function
    for module in _MODULES
    for name, function in sorted(vars(module).items())
    if name.startswith(("template_", "derived_"))
}

# row of the zoo -> its template and its derived network
NETWORKS: dict[str, tuple[Callable[..., FusionModel], Callable[..., FusionModel]]] = {
    name.removeprefix("template_"): (function, _BY_NAME[name.replace("template_", "derived_", 1)])
    for name, function in _BY_NAME.items()
    if name.startswith("template_")
}


def list_models(pattern: str = "*") -> list[str]:
    """Names that ``get_model`` takes, sorted, such as ``list_models("*resnet*")``.

    Args:
        pattern: with ``*``, ``?`` and ``[...]`` as in a shell.
    """
    return sorted(fnmatch.filter(_BY_NAME, pattern))


def get_model(name: str, *args: Any, **options: Any) -> FusionModel:
    """The network of a name: ``get_model("template_resnet50", num_classes=101)``.

    Args:
        name: of ``list_models``.
        *args: of the constructor; a derived network's strategy comes first.
        **options: of the constructor.

    Raises:
        ValueError: for an unknown name; the nearest known ones are offered.
    """
    if name not in _BY_NAME:
        raise unknown_name("network", name, list_models())
    return _BY_NAME[name](*args, **options)
