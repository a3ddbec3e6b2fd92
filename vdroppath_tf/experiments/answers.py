"""Collects the answers of a SavedModel for held-out files, in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np

from vdroppath_tf.data.clips.plans import evaluation_plan
from vdroppath_tf.data.manifest import Manifest, VideoEntry
from vdroppath_tf.figures.frames import frame_strip
from vdroppath_tf.names import named
from vdroppath_tf.report.items import Prediction
from vdroppath_tf.serving.beside import read_sampling


@named
def answers_in_fresh_process(served: Path, videos: Manifest, count: int) -> list[Prediction]:
    """Runs `vdroppath predict` on a few files, evenly spaced in a manifest.

    Args:
        served: A SavedModel with its sampling.
        videos: Labelled files the network has not seen.
        count: The number of files to predict.

    Returns:
        The answers, each with a few frames of the clip the network saw.

    Raises:
        RuntimeError: If the process fails; the message holds its output.
    """
    indices = np.linspace(0, len(videos) - 1, min(count, len(videos))).astype(int)
    entries = [videos.entries[k] for k in indices]
    answers = _predict(served, [entry.path for entry in entries])
    sampling = read_sampling(served)
    predictions = []
    for entry, answer in zip(entries, answers, strict=True):
        label, predicted = videos.labels[entry.label], answer["label"]
        strip = _strip(entry, sampling)
        name = Path(entry.path).name
        probability = answer["probabilities"][predicted]
        predictions.append(Prediction(name, label, predicted, probability, strip))
    return predictions


def _predict(served: Path, files: list[str]) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "vdroppath_tf", "predict", f"--model={served}", "--json"]
    done = subprocess.run([*command, "--", *files], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"The served network failed in a fresh process:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines()]


def _strip(entry: VideoEntry, sampling: Any) -> str:
    index = entry.source.info()
    plan = evaluation_plan(sampling, index.num_frames, "test", times=index.times())
    frames = plan.indices[0]
    return frame_strip(entry.source.read(frames))
