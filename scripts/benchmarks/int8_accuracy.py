"""Measures the top-1 of 8-bit networks on test clips, and its difference from float.

    python scripts/benchmarks/int8_accuracy.py --clips=1024

The mode of each trained template that comes with the package (``zoo.list_weights``) is derived,
recalibrated and exported; 24 training clips set the ranges of the 8-bit values. Each artefact then
classifies the same test clips, as ``vdroppath test --model=served/1/openvino-int8`` does. Each
difference is printed with its 95 % interval on these clips (``scoring.paired_interval``).
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

FORMATS = ("saved_model", "openvino", "openvino-int8")


def answers(name: str, clips: int, folder: Path) -> dict[str, np.ndarray]:
    """Returns whether each test clip is classified correctly, a boolean array for each format."""
    from vdroppath_tf import derive, recalibrate, scoring, serving, zoo
    from vdroppath_tf.data import PROTOCOLS, evaluation_clips, training_clips
    from vdroppath_tf.experiments import write_clips

    about = zoo.trained_weights(name)
    task = write_clips(folder / name, name, seed=11, clips=(256, 8, clips))
    network = derive(zoo.template_micro(weights=name), about.mode)
    recalibrate(network, training_clips(task.train, about.sampling, batch_size=32))
    some = task.train.select(range(0, 256, 256 // 48))  # half of the clips set the ranges
    ((seen, _),) = evaluation_clips(some, about.sampling, batch_size=len(some))
    written = serving.export_formats(
        network,
        folder / name / "served" / "1",
        FORMATS,
        labels=about.labels,
        sampling=about.sampling,
        clips=seen.numpy(),
    )
    found = {}
    for one in written:
        answer = serving.load_artefact(one.path).answer
        protocol = PROTOCOLS["paper-1clip"]
        scores = scoring.score_videos(answer, task.test, about.sampling, protocol, batch_size=32)
        found[one.format] = scores.answers == scores.truths
    return found


def main() -> None:
    """Prints the top-1 of each format; see the top of the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--clips", type=int, default=1024, help="number of test clips (default: %(default)s)"
    )
    parser.add_argument("--weights", nargs="+", help="names of trained weights (default: all)")
    asked = parser.parse_args()

    from vdroppath_tf import scoring, zoo

    print(f"{time.strftime('%Y-%m-%d')}, {asked.clips:,} test clips")
    with tempfile.TemporaryDirectory() as folder:
        for name in asked.weights or zoo.list_weights():
            found = answers(name, asked.clips, Path(folder))
            own = found["saved_model"]
            for kind, right in found.items():
                line = f"{name} | {kind} | top-1 {100 * right.mean():.1f} %"
                if kind != "saved_model":
                    wins, losses = int((right & ~own).sum()), int((own & ~right).sum())
                    low, high = scoring.paired_interval(wins, losses, len(own)) * 100
                    apart = 100 * (right.mean() - own.mean())
                    line += f" | {apart:+.1f} ({low:+.1f} to {high:+.1f}), "
                    line += f"{wins} more and {losses} fewer right"
                print(line, flush=True)


if __name__ == "__main__":
    main()
