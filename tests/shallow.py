"""Shallow rows of each family, for 2D networks that are quick to build and to compare with."""

from __future__ import annotations

import sources_2d

from vdroppath_tf.models import densenet, mobilenet_v2, resnet

_STEM = resnet.Stem(64, (5, 7, 7), (1, 2, 2), pool=True)
RESNET = resnet.Row("shallow", _STEM, (resnet.Stage(1, 8, 1, 4), resnet.Stage(2, 16, 2, 4)))
RESNEXT = resnet.Row(  # with grouped 1x3x3
    "shallow", _STEM, (resnet.Stage(1, 8, 1, 2, groups=4), resnet.Stage(2, 16, 2, 2, groups=4))
)
DENSENET = densenet.Row("shallow", 64, 32, (2, 1, 1, 1))
MOBILENET_V2 = mobilenet_v2.Row(
    "shallow", 16, 1280, tuple(mobilenet_v2.Stage(t, c, n, s) for t, c, n, s in sources_2d.MOBILE)
)
