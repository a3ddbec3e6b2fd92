"""The DenseNet-121 template as one would write it in PyTorch: the counterpart of step_memory.py.

    python-with-torch scripts/benchmarks/torch_densenet.py '[1, 16, 112, 112]' 4

Paths S and ST of every layer with batch norms of their own, a relaxed gate a path and a sample, SGD
with momentum, channels last. Needs PyTorch and numpy, and nothing of this package.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from pathlib import Path

import torch
from torch import nn

GROWTH, BLOCKS, CLASSES = 32, (6, 12, 24, 16), 174


def resident(field: str) -> float:
    """A size of this process in MB."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1000 if found else float("nan")


class Fusion(nn.Module):
    """S and ST, each BN - ReLU - convolution, gated and summed."""

    def __init__(self, channels: int, filters: int) -> None:
        super().__init__()
        self.norms = nn.ModuleList(nn.BatchNorm3d(channels) for _ in range(2))
        self.paths = nn.ModuleList(
            nn.Conv3d(channels, filters, (k, 1, 1), padding=(k // 2, 0, 0), bias=False)
            for k in (1, 3)
        )
        self.logit = nn.Parameter(torch.full((2,), -2.197))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        r = torch.rand(2, 2, len(x))
        noise = torch.log(-torch.log(r[0])) - torch.log(-torch.log(r[1]))
        keep = 1 - torch.sigmoid((self.logit[:, None] + noise) / 0.2)
        parts = [
            path(torch.relu(norm(x))) * gate[:, None, None, None, None]
            for path, norm, gate in zip(self.paths, self.norms, keep, strict=True)
        ]
        return parts[0] + parts[1]


class DenseLayer(nn.Module):
    """Fusion, BN - ReLU - 1x3x3: what is appended."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.fusion = Fusion(channels, 4 * GROWTH)
        self.norm = nn.BatchNorm3d(4 * GROWTH)
        self.conv = nn.Conv3d(4 * GROWTH, GROWTH, (1, 3, 3), padding=(0, 1, 1), bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.conv(torch.relu(self.norm(self.fusion(x))))], 1)


def network() -> nn.Module:
    """The whole template."""
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


def main() -> None:
    """Prints what a few steps took, as JSON."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    shape, steps = json.loads(sys.argv[1]), int(sys.argv[2])
    before = resident("VmRSS")
    model = network().to(memory_format=torch.channels_last_3d)
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    clips = torch.rand(shape[0], 3, *shape[1:]).contiguous(memory_format=torch.channels_last_3d)
    labels = torch.randint(0, CLASSES, (shape[0],))
    times, losses = [], []
    for _ in range(steps):
        start = time.process_time()
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(clips), labels)
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        times.append(time.process_time() - start)
    found = {"import": before, "peak": resident("VmHWM"), "first": times[0], "losses": losses}
    parameters = sum(p.numel() for p in model.parameters())
    print(json.dumps({**found, "step": statistics.median(times[2:]), "parameters": parameters}))


if __name__ == "__main__":
    main()
