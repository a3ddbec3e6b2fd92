"""Compares the probabilities of a real 2D network with those of its inflated networks.

    PYTHONPATH=tests python scripts/inflate_real_weights.py

EfficientNet-Lite0 with its ImageNet weights is inflated in four ways, and applied to still clips of
three photographs. The probabilities at the middle frame and of the whole clip are compared with
those of the 2D network, padded with the same colour. The weights and the photographs come with the
extra ``test``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import lite0
import numpy as np
import sources_2d
from absl import app, flags
from lite0_2d import Lite0

SHORT = flags.DEFINE_integer("short", 16, "number of frames of the shorter clip")
RUNS = (("S", "authors"), ("ST", "authors"), ("S+ST", "normalized"), ("S+ST", "authors"))


def compared(found: np.ndarray, expected: np.ndarray) -> str:
    """Compares two arrays of class probabilities.

    Returns:
        The largest difference, the number of first classes (of 5) that are equal and in the same
        order, the most probable class and its probability, as text.
    """
    ours, theirs = lite0.best(found), lite0.best(expected)
    alike = next((n for n in range(5) if ours[n] != theirs[n]), 5)
    return f"{np.abs(found - expected).max():.1e} {alike}/5 {ours[0]:4d} {found.max():.3f}"


def main(_: Any) -> None:
    """Prints the 2D network's classes, and a line for each inflated network and picture."""
    network = Lite0(lite0.state())
    pictures = {
        (name, side): lite0.picture(name, side) for name in lite0.PICTURES for side in (225, 224)
    }
    expected = {key: network(image, tuple(sources_2d.MEAN)) for key, image in pictures.items()}
    for key, image in pictures.items():
        own = network(image)
        names = [lite0.PICTURES[key[0]][1].get(n, n) for n in lite0.best(own)]
        print(*key, "2D:", *names, f"{own.max():.3f}; mean padding", compared(expected[key], own))
    with tempfile.TemporaryDirectory() as folder:
        file = lite0.write_safetensors(Path(folder))
        for unit, scaling in RUNS:
            model, _report = lite0.inflated(file, unit, scaling)
            for key, image in pictures.items():
                centre, long = lite0.answers(model, image, lite0.FRAMES)
                _, short = lite0.answers(model, image, SHORT.value)
                parts = {"middle": centre, f"all {lite0.FRAMES}": long, f"all {SHORT.value}": short}
                found = "  ".join(f"{k}: {compared(p, expected[key])}" for k, p in parts.items())
                print(f"{unit:4s} {scaling:10s} {key[0]:6s} {key[1]}  {found}", flush=True)


if __name__ == "__main__":
    app.run(main)
