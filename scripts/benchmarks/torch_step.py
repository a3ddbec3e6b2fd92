"""Runs steps of a template in PyTorch: the counterpart for step_memory.py and against_torch.py.

    python-with-torch scripts/benchmarks/torch_step.py densenet121 '[1, 16, 112, 112]' 4

It uses SGD with momentum, the channels-last layout and one thread. Without a number of steps it
runs the job that each line of stdin names (``step``, ``forward``), and prints its wall and
processor seconds. It needs PyTorch and numpy, and nothing of this package.
"""

from __future__ import annotations

import json
import re
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch_densenet
import torch_mobilenet
import torch_resnet
from in_turns import answer
from torch import nn

NETWORKS = {
    "densenet121": torch_densenet.network,
    "mobilenet_v2": torch_mobilenet.network,
    "resnet50": torch_resnet.network,
}
CLASSES = torch_densenet.CLASSES


def resident(field: str) -> float:
    """Returns a size of this process in MB: VmRSS is the current one, VmHWM the largest so far."""
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    return int(found[1]) / 1000 if found else float("nan")


def jobs(model: nn.Module, shape: list[int]) -> dict[str, Callable[[], float]]:
    """Returns a training step, which returns its loss, and a forward pass."""
    optimizer = torch.optim.SGD(model.parameters(), 0.01, momentum=0.9)
    clips = torch.rand(shape[0], 3, *shape[1:]).contiguous(memory_format=torch.channels_last_3d)
    labels = torch.randint(0, CLASSES, (shape[0],))

    def step() -> float:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model.train()(clips), labels)
        loss.backward()
        optimizer.step()
        return float(loss.detach())

    def forward() -> float:
        with torch.inference_mode():
            return float(model.eval()(clips)[0, 0])

    return {"step": step, "forward": forward}


def main() -> None:
    """Prints the time and memory of a few steps as JSON, or runs the jobs that stdin names."""
    torch.set_num_threads(1)
    torch.manual_seed(0)
    name, shape = sys.argv[1], json.loads(sys.argv[2])
    before = resident("VmRSS")
    model = NETWORKS[name]().to(memory_format=torch.channels_last_3d)
    known = jobs(model, shape)
    parameters = sum(p.numel() for p in model.parameters())
    if len(sys.argv) < 4:
        answer(known, {"parameters": parameters, "version": torch.__version__})
        return
    times, losses = [], []
    for _ in range(int(sys.argv[3])):
        start = time.process_time()
        losses.append(known["step"]())
        times.append(time.process_time() - start)
    found = {"import": before, "peak": resident("VmHWM"), "first": times[0], "losses": losses}
    print(json.dumps({**found, "step": statistics.median(times[2:]), "parameters": parameters}))


if __name__ == "__main__":
    main()
