"""The four probability spaces and strategies that the paper published: Fig. 4, DenseNet-121.

The figure shows each layer's marginals. Eq. 7 gives them from two drop probabilities, so these can
be solved for: a path is on with q = 1 - sqrt(p), and qs = P(S) + P(S+ST), qt = P(ST) + P(S+ST).
The numbers were read from the figure's vector graphics, to about 5e-4.

Reference: Zhou et al., CVPR 2020, Fig. 4 (marginals, strategies), Table 2 (top-1), Eq. 7.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from vdroppath_tf.files import read_json
from vdroppath_tf.names import named, unknown_name
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.spaces.strategy import FusionStrategy

DATASETS = ("something-something-v1", "something-something-v2", "ucf101", "kinetics400")
_FILE = Path(__file__).parent / "published_fig4.json"
_FORMAT = "vdroppath_tf.published/1"
_FIELDS = ("origin", "resolution", "architecture", "units", "datasets")
_INITIAL_DROP = 0.1


@named
def published_space(dataset: str) -> ProbabilitySpace:
    """Returns the space that the paper learned on a data set, for DenseNet-121.

    Drop probabilities of 58 dense layers (`B1.L1` ... `B4.L16`) and 3 transitions (`T1` ... `T3`),
    which are on no residual branch; all started at 0.1. `marginals()` gives the figure's numbers.

    Args:
        dataset: One of `DATASETS`.

    Raises:
        ValueError: If the data set is unknown; the message offers the nearest names.

    Example:
    ```python
    space = published_space("something-something-v1")
    print(space.mode(), space.marginals()["ST"])
    ```
    """
    shown = _figure(dataset)
    both, layers = shown["marginals"], tuple(shown["marginals"])
    spatial, temporal, fused = np.array([both[layer] for layer in layers]).T
    on = np.stack([spatial + fused, temporal + fused], axis=1)
    return ProbabilitySpace(
        drop=(1 - on) ** 2,
        initial=_INITIAL_DROP,
        layers=layers,
        architecture=_file()["architecture"],
        has_residual=[layer.startswith("B") for layer in layers],
    )


@named
def published_strategy(dataset: str) -> FusionStrategy:
    """Returns the best strategy that the paper drew from `published_space(dataset)`.

    It is the best of 100 draws on the validation set, not the space's mode.

    Args:
        dataset: One of `DATASETS`.

    Raises:
        ValueError: If the data set is unknown; the message offers the nearest names.

    Example:
    ```python
    print(published_strategy("something-something-v1"))
    ```
    """
    return FusionStrategy.parse(_figure(dataset)["strategy"], _file()["architecture"])


@named
def published_top1(dataset: str) -> dict[str, float]:
    """Returns top-1 accuracies in percent from the paper's Table 2, of the authors' networks.

    Args:
        dataset: One of `DATASETS`.

    Returns:
        `"S"`, `"ST"`, `"S+ST"` everywhere, and `"strategy"`: that of `published_strategy`.

    Raises:
        ValueError: If the data set is unknown; the message offers the nearest names.

    Example:
    ```python
    published_top1("kinetics400")["strategy"]  # 71.7
    ```
    """
    return dict(_figure(dataset)["top1"])


def published_source() -> tuple[str, float]:
    """Where the numbers come from, in words, and the resolution they were read with."""
    return _file()["origin"], _file()["resolution"]


def check_dataset(dataset: str) -> None:
    """Stop where a data set is not among `DATASETS`."""
    if dataset not in DATASETS:
        raise unknown_name("data set", dataset, DATASETS)


def _figure(dataset: str) -> dict[str, Any]:
    check_dataset(dataset)
    return _file()["datasets"][dataset]


@cache
def _file() -> dict[str, Any]:
    return read_json(_FILE.read_text(encoding="utf-8"), _FORMAT, _FIELDS)
