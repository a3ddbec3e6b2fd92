"""The MobileNetV2 template as a user would write it in PyTorch, for ``torch_step.py``.

Every block that widens its input has paths S and ST, and a relaxed gate per path and sample. The
module needs PyTorch, and nothing of this package.
"""

from __future__ import annotations

import torch
from torch import nn
from torch_densenet import CLASSES, Gates

# expansion, filters, blocks and stride of each stage
STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def normalized(channels: int, filters: int, size: tuple[int, ...], **options) -> nn.Sequential:
    """Returns a convolution without a bias, padded by half its kernel, with BN and ReLU6."""
    pad = tuple(n // 2 for n in size)
    convolution = nn.Conv3d(channels, filters, size, padding=pad, bias=False, **options)
    return nn.Sequential(convolution, nn.BatchNorm3d(filters), nn.ReLU6(inplace=True))


class Fusion(nn.Module):
    """The paths S and ST, each convolution - BN - ReLU6, which are gated and summed."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.paths = nn.ModuleList(normalized(channels, filters, (k, 1, 1)) for k in (1, 3))
        self.gates = Gates()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pairs = zip(self.paths, self.gates(len(x)), strict=True)
        s, st = (path(x) * gate for path, gate in pairs)
        return s + st


class Block(nn.Module):
    """Fusion (where it widens), depthwise 1x3x3 - BN - ReLU6, 1x1x1 - BN, and the shortcut."""

    def __init__(self, channels: int, expansion: int, filters: int, stride: int) -> None:
        super().__init__()
        inner = expansion * channels
        self.residual = stride == 1 and channels == filters
        self.rest = nn.Sequential(
            Fusion(channels, inner) if expansion > 1 else nn.Identity(),
            normalized(inner, inner, (1, 3, 3), stride=(1, stride, stride), groups=inner),
            nn.Conv3d(inner, filters, 1, bias=False),
            nn.BatchNorm3d(filters),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.rest(x) if self.residual else self.rest(x)


def network() -> nn.Module:
    """Returns the whole template."""
    layers: list[nn.Module] = [normalized(3, 32, (5, 3, 3), stride=2)]
    channels = 32
    for expansion, filters, blocks, stride in STAGES:
        for number in range(blocks):
            layers.append(Block(channels, expansion, filters, 1 if number else stride))
            channels = filters
    layers += [normalized(channels, 1280, (1, 1, 1)), nn.AdaptiveAvgPool3d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(1280, CLASSES))
