"""Makes a folder of intact inputs, one of each kind that a command reads."""

from __future__ import annotations

import contextlib
import io
import shlex
from pathlib import Path

from abuse_calls import SIZE

from vdroppath_tf import cli
from vdroppath_tf.experiments.tasks import Difficulty, write_task
from vdroppath_tf.files import write_json

CLIPS = (12, 6, 4)
# The row of a network so small that commands spend most of their time on reading the inputs.
ROW = {
    "name": "abused",
    "stem": {"filters": 4, "size": [1, 5, 5], "stride": [1, 4, 4], "pool": False},
    "stages": [{"blocks": 2, "filters": 4, "stride": 1, "expansion": 2, "groups": 1}],
    "shortcut": "pool",
}


def make_home(home: Path) -> None:
    """Writes clips, lists, a trained template network and everything that commands make of it."""
    write_task(home / "clips", "motion", clips=CLIPS, difficulty=Difficulty(frames=6))
    fields = {"format": "vdroppath_tf.network/1", "family": "resnet", "row": ROW}
    write_json(home / "row.json", fields)
    train, validation = home / "clips" / "train.txt", home / "clips" / "validation.txt"
    model, run = home / "run" / "template.keras", home / "run"
    for line in (
        f"doctor --data={train} --out={home}/bad.json",
        f"train --network={home}/row.json {SIZE} --data={train} --validation={validation}"
        f" --out={run}",
        f"space --model={model} --out={home}/space.json --clip_shape=4,32,32"
        f" --measure_latency={home}/latency.json",
        f"evaluate --model={model} --data={validation} --train_data={train} --draws=2"
        f" --uniform_draws=0 --out={home}/scores.json",
        f"derive --model={model} --scores={home}/scores.json --out={run}/derived.keras",
        f"test --model={run}/derived.keras --data={validation} --out={home}/result.json",
        f"export --model={run}/derived.keras --out={home}/served/1",
        f"convert --data={train} --out={home}/records --shards=2",
        f"catalog --data={train} --out={home}/clips/train.jsonl",
    ):
        with contextlib.redirect_stdout(io.StringIO()):
            if cli.main(shlex.split(line)):
                raise RuntimeError(f"vdroppath {line} failed")
