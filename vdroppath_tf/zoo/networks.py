"""Networks by name: those of the zoo, and those that were added to it."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

from vdroppath_tf.models import families
from vdroppath_tf.models.fusion_model import FusionModel
from vdroppath_tf.names import named, unknown_name
from vdroppath_tf.zoo.constructors import constructors

KINDS = ("template", "derived")


@named
def list_networks(pattern: str = "*") -> list[str]:
    """Lists the names of networks, such as ``"resnet50"``: the zoo's, and those you added.

    Args:
        pattern: str, with ``*``, ``?`` and ``[...]`` as in a shell. Defaults to all.

    Example:
    ```python
    list_networks("resnext*")  # ["resnext101", "resnext50"]
    ```
    """
    return sorted(fnmatch.filter(families.rows(), pattern))


@named
def list_models(pattern: str = "*") -> list[str]:
    """Lists the names that ``get_model`` takes, such as ``list_models("*resnet*")``.

    Args:
        pattern: str, with ``*``, ``?`` and ``[...]`` as in a shell. Defaults to all.

    Example:
    ```python
    list_models("*micro")  # ["derived_micro", "template_micro"]
    ```
    """
    names = [f"{kind}_{network}" for kind in KINDS for network in families.rows()]
    return sorted(fnmatch.filter(names, pattern))


def get_model(name: str, /, *args: Any, **options: Any) -> FusionModel:
    """Builds a network by its name: ``get_model("template_resnet50", num_classes=101)``.

    Args:
        name: str, of ``list_models``.
        *args: of the constructor; a derived network's strategy comes first.
        **options: of the constructor, which refuses those it does not have.

    Raises:
        ValueError: If the name is unknown; the nearest known ones are offered.
        TypeError: If an option is unknown; the nearest known ones are offered.

    Example:
    ```python
    template = get_model("template_micro", num_classes=10)
    network = get_model("derived_micro", "S S+ST ST ST - ST", num_classes=10)
    ```
    """
    return _constructor(name)(*args, **options)


def _constructor(name: str) -> Callable[..., FusionModel]:
    kind, _, network = str(name).partition("_")
    if name in families.rows():
        raise ValueError(
            f"{name!r} is a network, of which there are two models: "
            f"{' and '.join(repr(f'{each}_{name}') for each in KINDS)}. Expected one of them."
        )
    if kind not in KINDS or network not in families.rows():
        raise unknown_name("network", name, list_models(), families.YOUR_OWN)
    return constructors(network)[KINDS.index(kind)]
