"""The ResNet-50 template as a user would write it in PyTorch, for ``torch_step.py``.

Every block has paths S and ST, and a relaxed gate per path and sample. The module needs PyTorch,
and nothing of this package.
"""

from __future__ import annotations

import torch
from torch import nn
from torch_densenet import CLASSES, Gates

STAGES = ((3, 64, 1), (4, 128, 2), (6, 256, 2), (3, 512, 2))  # blocks, width, stride


def convolution(channels: int, filters: int, size: tuple[int, ...], stride: int = 1) -> nn.Module:
    """Returns a convolution without a bias, padded by half its kernel."""
    pad = tuple(n // 2 for n in size)
    return nn.Conv3d(channels, filters, size, (1, stride, stride), pad, bias=False)


class Block(nn.Module):
    """S and ST, gated and summed, BN - ReLU - 1x3x3 - BN - ReLU - 1x1x1 - BN, and the shortcut."""

    def __init__(self, channels: int, width: int, stride: int) -> None:
        super().__init__()
        self.paths = nn.ModuleList(convolution(channels, width, (k, 1, 1)) for k in (1, 3))
        self.gates = Gates()
        self.rest = nn.Sequential(
            nn.BatchNorm3d(width),
            nn.ReLU(),
            convolution(width, width, (1, 3, 3), stride),
            nn.BatchNorm3d(width),
            nn.ReLU(),
            convolution(width, 4 * width, (1, 1, 1)),
            nn.BatchNorm3d(4 * width),
        )
        around: list[nn.Module] = []
        if stride > 1:
            around.append(nn.AvgPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)))
        if channels != 4 * width:
            around += [convolution(channels, 4 * width, (1, 1, 1)), nn.BatchNorm3d(4 * width)]
        self.around = nn.Sequential(*around)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pairs = zip(self.paths, self.gates(len(x)), strict=True)
        s, st = (path(x) * gate for path, gate in pairs)
        return torch.relu(self.around(x) + self.rest(s + st))


def network() -> nn.Module:
    """Returns the whole template."""
    layers: list[nn.Module] = [
        convolution(3, 64, (5, 7, 7), 2),
        nn.BatchNorm3d(64),
        nn.ReLU(),
        nn.MaxPool3d(3, (1, 2, 2), 1),
    ]
    channels = 64
    for blocks, width, stride in STAGES:
        for number in range(blocks):
            layers.append(Block(channels, width, 1 if number else stride))
            channels = 4 * width
    layers += [nn.AdaptiveAvgPool3d(1), nn.Flatten(), nn.Linear(channels, CLASSES)]
    return nn.Sequential(*layers)
