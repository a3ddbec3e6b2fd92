"""Strategies with a name, for every architecture: designs of the literature and the paper's hints.

Each function returns a `FusionStrategy` with its `architecture` set, so that another network
refuses it. For which network a learned strategy comes from another one, see `zoo.transfer`.
"""

from __future__ import annotations

import numbers
from collections.abc import Sequence

from vdroppath_tf.models.families import FAMILIES, fusion_groups, fusion_layers_of
from vdroppath_tf.names import named
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.spaces.unit import NONE, FusionUnit
from vdroppath_tf.zoo.published import DATASETS, check_dataset

ARCHITECTURES = tuple(row.name for family in FAMILIES for row in family.rows)
SOMETHING, KINETICS = DATASETS[0], "kinetics400"

# What the authors' experiments ran on other backbones than the paper's DenseNet-121 (Table 6 and
# the supplementary material), in run lengths: architecture -> data set -> strategy; "" is any
# data set that has no entry of its own.
AUTHORS: dict[str, dict[str, str]] = {
    "resnet50": {"": "7 S+ST, 6 ST, 3 S+ST"},
    "resnext50": {"": "7 S+ST, 6 ST, 3 S+ST"},
    "resnext101": {
        "": "7 S+ST, 1 ST, 9 S+ST, 13 ST, 3 S+ST",
        KINETICS: "7 S+ST, 5 S, 10 S+ST, 4 S, 4 ST, 3 S+ST",
    },
    "mobilenet_v2": {
        "": "5 S+ST, 7 ST, 4 S+ST",
        KINETICS: "2 S+ST, 3 S, 4 S+ST, 3 S, 3 ST, 1 S+ST",
        "ucf101": "2 S+ST, 3 S, 4 S+ST, 3 S, 3 ST, 1 S+ST",
    },
}


@named
def uniform(unit: str, architecture: str) -> FusionStrategy:
    """Returns one unit everywhere: the paper's Table 2 has S, ST and S+ST.

    T is ST in the transitions of a DenseNet.

    Raises:
        ValueError: If the architecture or the unit is unknown, the unit has masks per input, or
            it is `-` and some layer is on no residual branch.

    Example:
    ```python
    print(uniform("S+ST", "micro"))  # S+ST S+ST S+ST S+ST S+ST S+ST
    ```
    """
    length, chosen = sum(fusion_groups(architecture)), FusionUnit(unit)
    if chosen.inputs:
        raise ValueError(f"Expected a unit that all inputs share. Received: {unit!r}")
    if chosen == NONE and not all(layer.has_residual for layer in fusion_layers_of(architecture)):
        raise ValueError(
            f"{architecture!r} has layers that are on no residual branch, and would be cut in two. "
            f"Expected a unit with a path, such as 'S'. Received: {unit!r}"
        )
    return FusionStrategy(t_where_it_is((chosen,) * length, architecture), architecture)


def t_where_it_is(units: Sequence[FusionUnit], architecture: str) -> tuple[FusionUnit, ...]:
    """The units with ST for T in the layers where the two are the same, and T is not offered."""
    pairs = zip(units, fusion_layers_of(architecture), strict=True)
    return tuple(unit if layer.has_t else _t_as_st(unit) for unit, layer in pairs)


def _t_as_st(unit: FusionUnit) -> FusionUnit:
    branches = {"ST" if branch == "T" else branch for branch in unit.branches}
    return FusionUnit("+".join(branches) or NONE)


@named
def top_heavy(k: int, architecture: str) -> FusionStrategy:
    """ST in the last `k` fusion layers, S below: S3D's "top-heavy" (Xie et al., ECCV 2018).

    Raises:
        ValueError: If the architecture is unknown, or `k` is not from 0 to its number of layers.

    Example:
    ```python
    print(top_heavy(2, "micro"))  # S S S S ST ST
    ```
    """
    length = _check_k(k, 0, sum(fusion_groups(architecture)), "the number of fusion layers")
    return _runs(((length - k, "S"), (k, "ST")), architecture)


@named
def bottom_heavy(k: int, architecture: str) -> FusionStrategy:
    """ST in the first `k` fusion layers, S above: S3D's "bottom-heavy" (Xie et al., ECCV 2018).

    Raises:
        ValueError: If the architecture is unknown, or `k` is not from 0 to its number of layers.

    Example:
    ```python
    print(bottom_heavy(2, "micro"))  # ST ST S S S S
    ```
    """
    length = _check_k(k, 0, sum(fusion_groups(architecture)), "the number of fusion layers")
    return _runs(((k, "ST"), (length - k, "S")), architecture)


@named
def mixed(k: int, architecture: str) -> FusionStrategy:
    """MCk of Tran et al., CVPR 2018: ST in the groups below group `k`, S from group `k` on.

    As there, group 1 is the stem and group 2 the first stage. So on a ResNet `mixed(3, ...)`, MC3
    (torchvision's `mc3_18`), has ST in the first stage only, and `mixed(2, ...)` nowhere: our
    stems are no fusion layers, and stay as they are.

    Raises:
        ValueError: If the architecture is unknown, or `k` is not from 2 to its number of groups.

    Example:
    ```python
    network = derived_resnet50(mixed(3, "resnet50"))  # MC3 of the paper
    ```
    """
    groups = fusion_groups(architecture)
    _check_k(k, 2, len(groups) + 1, "the number of groups, stem included")
    runs = ((size, "ST" if group < k else "S") for group, size in enumerate(groups, start=2))
    return _runs(tuple(runs), architecture)


@named
def r2plus1d(architecture: str) -> FusionStrategy:
    """ST everywhere: R(2+1)D of Tran et al., CVPR 2018.

    A layer's ST path, 3x1x1 in time, and the 1x3x3 in space after it are a factorised 3D
    convolution, R(2+1)D's block in the other order and without its widened middle.

    Raises:
        ValueError: If the architecture is unknown.

    Example:
    ```python
    print(r2plus1d("micro"))  # ST ST ST ST ST ST
    ```
    """
    return uniform("ST", architecture)


@named
def i3d(architecture: str) -> FusionStrategy:
    """ST everywhere: I3D of Carreira and Zisserman, CVPR 2017, every layer spatiotemporal.

    I3D's full 3x3x3 convolutions have no unit of their own here: U's ST is the factorised one, so
    this is the same strategy as `r2plus1d`. Both names are there because one looks for either.

    Raises:
        ValueError: If the architecture is unknown.

    Example:
    ```python
    print(i3d("micro"))  # ST ST ST ST ST ST
    ```
    """
    return uniform("ST", architecture)


@named
def observed(architecture: str, *, dataset: str = SOMETHING) -> FusionStrategy:
    """Returns what the paper's observations suggest, or what its authors ran.

    Where `AUTHORS` has an entry, exactly that. Elsewhere the paper's hints: S+ST in the first half
    of the layers and in the last three, ST between; on Kinetics S+ST and S in turn over the first
    two thirds, then ST. There is no hint for UCF101, which gets the first. DenseNet-121 on its own
    four data sets has learned strategies: `published_strategy`.

    Args:
        architecture: Name of the network.
        dataset: One of `zoo.DATASETS`.

    Raises:
        ValueError: If a name is unknown; the message offers the nearest ones.

    Example:
    ```python
    print(observed("resnet50", dataset="kinetics400"))
    ```
    """
    length, made = sum(fusion_groups(architecture)), AUTHORS.get(architecture, {})
    check_dataset(dataset)
    if made:
        runs = (run.split() for run in made.get(dataset, made[""]).split(", "))
        return _runs(tuple((int(size), unit) for size, unit in runs), architecture)
    if dataset == KINETICS:
        lower = round(length * 2 / 3)
        alternating = tuple((1, ("S+ST", "S")[n % 2]) for n in range(lower))
        return _runs((*alternating, (length - lower, "ST")), architecture)
    lower = length // 2
    upper = min(3, length - lower)
    return _runs(((lower, "S+ST"), (length - lower - upper, "ST"), (upper, "S+ST")), architecture)


@named
def observed_kinetics(architecture: str) -> FusionStrategy:
    """Returns `observed(architecture, dataset="kinetics400")`.

    Raises:
        ValueError: If the architecture is unknown.

    Example:
    ```python
    print(observed_kinetics("resnet50"))
    ```
    """
    return observed(architecture, dataset=KINETICS)


def _runs(runs: tuple[tuple[int, str], ...], architecture: str) -> FusionStrategy:
    units = [FusionUnit(unit) for size, unit in runs for _ in range(size)]
    return FusionStrategy(tuple(units), architecture)


def _check_k(k: int, low: int, high: int, what: str) -> int:
    if isinstance(k, bool) or not isinstance(k, numbers.Integral) or not low <= k <= high:
        raise ValueError(f"Expected k from {low} to {high}, {what}. Received: {k!r}")
    return high
