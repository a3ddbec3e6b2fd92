"""Writes the weights of the trained templates that are shipped with the package, and their cards.

    vdroppath quickstart
    python scripts/write_zoo_weights.py --quickstart=quickstart

The templates are those of the quickstart with seed 0, unchanged. The mode of each space is scored
on the quickstart's test clips, which were not used for any choice. A test compares the cards in
zoo/weights with the output of `card`.
"""

from __future__ import annotations

import dataclasses
import textwrap
from pathlib import Path
from typing import Any

from absl import app, flags

QUICKSTART = flags.DEFINE_string("quickstart", "quickstart", "folder of a finished quickstart")

CARDS = Path(__file__).parent.parent / "zoo" / "weights"
COMMAND = "vdroppath quickstart; python scripts/write_zoo_weights.py"
CARD = """---
library_name: keras
license: apache-2.0
pipeline_tag: video-classification
tags: [video, 3d-cnn, supernet, variational-droppath, known-answer-task]
metrics: [accuracy]
model-index:
- name: template_{network}-{name}
  results:
  - task: {{type: video-classification}}
    dataset: {{name: "{name} (drawn clips)", type: synthetic}}
    metrics:
    - {{type: accuracy, value: {top1:.4f}, name: "top-1 of the mode, {clips:,} test clips"}}
---
# `zoo.template_{network}(weights="{name}")`

<!-- written by scripts/write_zoo_weights.py -->

A small trained template network (a supernet) for the known-answer task `{name}`, for first
experiments.

{task}

| | |
| --- | --- |
| network | `{network}`, a ResNet with {layers} fusion layers; {kilobytes:.0f} kB |
| input | clips of {frames} frames of {size} x {size} pixels, RGB 0..255, every frame of the video |
| classes | {classes}: {shown} |
| training | {training} |
| top-1 of the mode | {top1:.3f} on {clips:,} test clips; chance is {chance:.3f} |
| mode | `{mode}` |
| written by | `{command}` |

{diagnosis}

In a draw from its space, a path is on with a probability of {spatial:.2f} (S) and
{temporal:.2f} (ST), on average over the layers.

The network is **not** meant for real videos. Its clips show shapes drawn on noise, so that the
right answer is known. The moving statistics of its batch normalisation were collected with random
gates and fit no single strategy: pass `train_clips=` to `evaluate_strategies`, or call
`recalibrate`, before you use a strategy.

```python
from vdroppath_tf import zoo

template = zoo.template_{network}(weights="{name}")
print(zoo.trained_weights("{name}").labels)
```
"""


def record(name: str, folder: Path, model: Any, recipe: Any, labels: tuple[str, ...]) -> dict:
    """Returns the record of one task's template."""
    from vdroppath_tf import spaces
    from vdroppath_tf.data import open_manifest
    from vdroppath_tf.experiments.quickstart import DESCRIPTIONS, TASKS
    from vdroppath_tf.experiments.scorer import Scorer
    from vdroppath_tf.experiments.task_run import BATCH
    from vdroppath_tf.training import RecipeClips

    clips = folder.parent / "clips" / folder.name
    test = open_manifest(clips / "test.txt", labels=labels)
    train = open_manifest(clips / "train.txt", labels=labels)
    mode = spaces.ProbabilitySpace.from_model(model).mode()
    scorer = Scorer(model, RecipeClips(recipe), train, batch_size=BATCH)
    score = scorer.scores([mode], test).best
    phases = " + ".join(phase.description for phase in recipe.template_phases())
    sampling = {"frames": recipe.sampling.frames}
    return {
        "network": recipe.network,
        "task": DESCRIPTIONS[name],
        "labels": list(labels),
        "sampling": sampling,
        "size": TASKS[name].difficulty.size,
        "top1": round(score.top1, 4),
        "clips": score.clips,
        "mode": str(mode),
        "training": f"on {len(train)} clips: {phases}, seed {recipe.seed}",
        "command": COMMAND,
        "pushes": model.kept_pushes(),
    }


def card(name: str, model: Any) -> str:
    """Returns the card of one task's weights, in the format of the Hugging Face Hub."""
    from vdroppath_tf import spaces, zoo

    about = zoo.trained_weights(name)
    space = spaces.ProbabilitySpace.from_model(model)
    on = space.path_on("sampling")
    values = dataclasses.asdict(about) | {
        "task": textwrap.fill(about.task, 100),
        "diagnosis": textwrap.fill(str(spaces.diagnose(space)), 100),
        "layers": len(about.mode.split()),
        "kilobytes": about.path.stat().st_size / 1e3,
        "frames": about.sampling.frames,
        "classes": len(about.labels),
        "shown": ", ".join(about.labels),
        "chance": 1 / len(about.labels),
        "spatial": on["S"].mean(),
        "temporal": on["ST"].mean(),
    }
    return CARD.format(**values)


def main(_: list[str]) -> None:
    """Reads the templates of the quickstart, and writes weights, records and cards."""
    import safetensors.numpy

    from vdroppath_tf import training
    from vdroppath_tf.experiments.quickstart import TASKS
    from vdroppath_tf.files import write_bytes, write_json, write_text
    from vdroppath_tf.zoo import trained

    records, models = {}, {}
    for name in TASKS:
        folder = Path(QUICKSTART.value) / f"{name}-0"
        model, recipe, labels = training.load_model(folder / "template.keras")
        arrays = {path: w.numpy() for path, w in trained.saved_weights(model).items()}
        write_bytes(trained.FOLDER / f"{name}.safetensors", safetensors.numpy.save(arrays))
        records[name], models[name] = record(name, folder, model, recipe, labels), model
    write_json(trained.RECORD, {"weights": records})
    trained.records.cache_clear()
    for name, model in models.items():
        write_text(CARDS / f"{name}.md", card(name, model))
        print(f"{name}: top-1 of the mode {records[name]['top1']:.3f}")


if __name__ == "__main__":
    app.run(main)
