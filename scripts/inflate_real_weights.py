"""What a real 2D network answers for photographs once it is inflated, measured.

    PYTHONPATH=tests python scripts/inflate_real_weights.py

EfficientNet-Lite0 with its ImageNet weights, inflated in four ways, sees still clips of three
photographs. Probabilities at the middle frame and of the whole clip are compared with those of the
2D network, padded with the same colour. Weights and photographs come with the extra ``test``.
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

SHORT = flags.DEFINE_integer("short", 16, "frames of a clip all of which may see its ends")
RUNS = (("S", "authors"), ("ST", "authors"), ("S+ST", "normalized"), ("S+ST", "authors"))


def compared(found: np.ndarray, expected: np.ndarray) -> str:
    """The largest difference, the common first answers in order (of 5), the first one."""
    ours, theirs = lite0.best(found), lite0.best(expected)
    alike = next((n for n in range(5) if ours[n] != theirs[n]), 5)
    return f"{np.abs(found - expected).max():.1e} {alike}/5 {ours[0]:4d} {found.max():.3f}"


def main(_: Any) -> None:
    """Prints all."""
    network = Lite0(lite0.state())
    pictures = {
        (name, side): lite0.picture(name, side) for name in lite0.PICTURES for side in (225, 224)
    }
    expected = {key: network(image, tuple(sources_2d.MEAN)) for key, image in pictures.items()}
    for key, image in pictures.items():
        own = network(image)
        names = [lite0.PICTURES[key[0]][1].get(n, n) for n in lite0.best(own)]
        print(*key, "2D:", *names, f"{own.max():.3f}; padded as here", compared(expected[key], own))
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
