"""Shallow rows of each family, for 2D networks that are quick to build and to compare with."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def shallow() -> Iterator[str]:
    """The row ``"shallow"`` of all three tables, and ``"shallow_next"`` with grouped 1x3x3."""
    import sources_2d

    from vdroppath_tf.models import densenet, mobilenet_v2, resnet

    stem = resnet.Stem(64, (5, 7, 7), (1, 2, 2), pool=True)
    stages = (resnet.Stage(1, 8, 1, 4), resnet.Stage(2, 16, 2, 4))
    resnet.TABLE["shallow"] = resnet.Row(stem, stages)
    stages = (resnet.Stage(1, 8, 1, 2, groups=4), resnet.Stage(2, 16, 2, 2, groups=4))
    resnet.TABLE["shallow_next"] = resnet.Row(stem, stages)
    densenet.TABLE["shallow"] = densenet.Row(64, 32, (2, 1, 1, 1))
    mobile = tuple(mobilenet_v2.Stage(t, c, n, s) for t, c, n, s in sources_2d.MOBILE)
    mobilenet_v2.TABLE["shallow"] = mobilenet_v2.Row(16, 1280, mobile)
    yield "shallow"
    del resnet.TABLE["shallow"], resnet.TABLE["shallow_next"]
    del densenet.TABLE["shallow"], mobilenet_v2.TABLE["shallow"]
