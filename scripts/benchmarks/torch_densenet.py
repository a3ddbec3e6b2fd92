"""The DenseNet-121 template as a user would write it in PyTorch, for ``torch_step.py``.

Every layer has paths S and ST with separate batch norms, and a relaxed gate per path and sample.
The module needs PyTorch, and nothing of this package.
"""

from __future__ import annotations

import torch
from torch import nn

GROWTH, BLOCKS, CLASSES = 32, (6, 12, 24, 16), 174


class Gates(nn.Module):
    """The relaxed gates of two paths, with one draw per path and sample."""

    def __init__(self) -> None:
        super().__init__()
        self.logit = nn.Parameter(torch.full((2,), -2.197))

    def forward(self, batch: int) -> torch.Tensor:
        r = torch.rand(2, 2, batch)
        noise = torch.log(-torch.log(r[0])) - torch.log(-torch.log(r[1]))
        keep = 1 - torch.sigmoid((self.logit[:, None] + noise) / 0.2)
        return keep[:, :, None, None, None, None]


class Fusion(nn.Module):
    """The paths S and ST, each BN - ReLU - convolution, which are gated and summed."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm3d(channels) for _ in range(2))
        self.paths = nn.ModuleList(
            nn.Conv3d(channels, filters, (k, 1, 1), padding=(k // 2, 0, 0), bias=False)
            for k in (1, 3)
        )
        self.gates = Gates()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        parts = [
            path(torch.relu(norm(x))) * gate
            for path, norm, gate in zip(self.paths, self.norms, self.gates(len(x)), strict=True)
        ]
        return parts[0] + parts[1]


class DenseLayer(nn.Module):
    """Appends to its input the output of a fusion layer and BN - ReLU - 1x3x3 convolution."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fusion = Fusion(channels, 4 * GROWTH)
        self.norm = nn.BatchNorm3d(4 * GROWTH)
        self.conv = nn.Conv3d(4 * GROWTH, GROWTH, (1, 3, 3), padding=(0, 1, 1), bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.conv(torch.relu(self.norm(self.fusion(x))))], 1)


def network() -> nn.Module:
    """Returns the whole template."""
    layers: list[nn.Module] = [
        nn.Conv3d(3, 64, (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False),
        nn.BatchNorm3d(64),
        nn.ReLU(),
        nn.MaxPool3d(3, (1, 2, 2), 1),
    ]
    channels = 64
    for number, count in enumerate(BLOCKS):
        for _ in range(count):
            layers.append(DenseLayer(channels))
            channels += GROWTH
        if number + 1 < len(BLOCKS):
            layers += [Fusion(channels, channels // 2), nn.AvgPool3d((1, 2, 2))]
            channels //= 2
    layers += [nn.BatchNorm3d(channels), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(channels, CLASSES))
