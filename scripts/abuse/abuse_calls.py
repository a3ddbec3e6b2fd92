"""The commands that are abused, and the files that each of them reads."""

from __future__ import annotations

import shlex

SIZE = "--frames=4 --batch_size=4 --warmup_epochs=1 --search_epochs=1 --finetune_epochs=1"
_TRAIN, _VALIDATION = "{home}/clips/train.txt", "{home}/clips/validation.txt"
_LISTS = ("clips/train.txt", "clips/validation.txt", "clips/labels.txt", "clips/train/000000.mp4")
_MODEL = ("run/template.keras", "run/recipe.json", "run/labels.txt")
_DERIVED = ("run/derived.keras", "run/recipe.json", "run/labels.txt")
_SERVED = (
    *("served/1/saved_model.pb", "served/1/variables/variables.index"),
    *("served/1/variables/variables.data-00000-of-00001", "served/1/assets.extra/clip.json"),
)

_LINES = {
    "catalog": f"catalog --data={_TRAIN} --validation={_VALIDATION} --frames",
    "catalog of a manifest": "catalog --data={home}/clips/train.jsonl --frames",
    "catalog of records": "catalog --data={home}/records --frames",
    "doctor": f"doctor --data={_TRAIN} --validation={_VALIDATION} --out={{out}}/bad.json",
    "doctor again": f"doctor --data={_TRAIN} --out={{home}}/bad.json",
    "convert": f"convert --data={_TRAIN} --quarantine={{home}}/bad.json --out={{out}}/records"
    " --max_bad_fraction=0",
    "train": f"train --network={{home}}/row.json {SIZE} --data={_TRAIN} --validation={_VALIDATION}"
    " --quarantine={home}/bad.json --max_bad_fraction=0 --out={out}/run",
    "train on": f"train --network={{home}}/row.json {SIZE} --data={_TRAIN}"
    f" --validation={_VALIDATION} --out={{home}}/run",
    "train from": f"train --network={{home}}/row.json {SIZE} --data={_TRAIN}"
    " --init_from={home}/run/template.keras --out={out}/run",
    "space": "space --model={home}/run/template.keras --latency={home}/latency.json"
    " --clip_shape=4,32,32 --max_latency=1000 --out={out}/space.json --pareto={out}/front.csv",
    "compare": "compare a={home}/space.json b={home}/run/space.json --out={out}/a.json"
    " --figure={out}/a.png",
    "stability": "stability {home}/space.json {home}/run/space.json --out={out}/a.json"
    " --figure={out}/a.svg",
    "evaluate": "evaluate --model={home}/run/template.keras --data={home}/clips/validation.txt"
    f" --train_data={_TRAIN} --quarantine={{home}}/bad.json --space={{home}}/space.json --draws=2"
    " --uniform_draws=0 --max_bad_fraction=0 --out={out}/scores.json",
    "worth": "worth --model={home}/run/template.keras --scores={home}/scores.json"
    f" --data={_VALIDATION} --train_data={_TRAIN} --quarantine={{home}}/bad.json"
    " --max_bad_fraction=0 --out={out}/worth.json --figure={out}/worth.png",
    "derive": "derive --model={home}/run/template.keras --scores={home}/scores.json"
    f" --train_data={_TRAIN} --quarantine={{home}}/bad.json --max_bad_fraction=0"
    " --out={out}/derived.keras",
    "test": "test --model={home}/run/derived.keras --data={home}/clips/validation.txt"
    " --quarantine={home}/bad.json --max_bad_fraction=0 --out={out}/a.json --scores={out}/a.npz",
    "test a SavedModel": "test --model={home}/served/1 --data={home}/clips/validation.txt"
    " --protocol=paper-1clip --max_bad_fraction=0 --out={out}/a.json",
    "report": "report --run={home}/run --scores={home}/scores.json --result={home}/result.json"
    " --other={home}/space.json --out={out}/a.html --figures={out}/figures",
    "export": "export --model={home}/run/derived.keras --labels={home}/clips/labels.txt"
    " --out={out}/served/1",
    "predict": "predict --model={home}/served/1 {home}/clips/train/000000.mp4",
    "explain": "explain --model={home}/run/derived.keras --out={out}/explained"
    " {home}/clips/train/000000.mp4",
    "models": "models --name={home}/row.json",
}
CALLS = {name: tuple(shlex.split(line)) for name, line in _LINES.items()}
"""The arguments of each call by its name."""

READS: dict[str, tuple[str, ...]] = {
    "catalog": _LISTS,
    "catalog of a manifest": ("clips/train.jsonl",),
    "catalog of records": ("records/index.json", "records/records-00000-of-00002.tfrecord"),
    "doctor": _LISTS,
    "doctor again": ("bad.json.journal", "bad.json"),
    "convert": ("bad.json", *_LISTS[:1], *_LISTS[2:]),
    "train": ("row.json", "bad.json", *_LISTS),
    "train on": (
        *("run/run.json", "run/checkpoint-1-00001/state.json"),
        *("run/checkpoint-1-00001/weights.index", "run/recipe.json", "run/labels.txt"),
        "run/checkpoint-1-00001/weights.data-00000-of-00001",
    ),
    "train from": ("run/template.keras", "run/labels.txt"),
    "space": ("run/template.keras", "latency.json", "run/labels.txt"),
    "compare": ("space.json", "run/space.json"),
    "stability": ("space.json", "run/space.json"),
    "evaluate": (*_MODEL, "space.json", "bad.json", *_LISTS[:2]),
    "worth": (*_MODEL, "scores.json", "bad.json", *_LISTS[:2]),
    "derive": (*_MODEL, "scores.json", "bad.json", "clips/train.txt"),
    "test": (*_DERIVED, "bad.json", "clips/validation.txt"),
    "test a SavedModel": (*_SERVED, "clips/validation.txt"),
    "report": (
        *("run/space.json", "run/recipe.json", "run/labels.txt", "run/history.json"),
        *("run/run.json", "run/template.keras", "scores.json", "result.json", "space.json"),
    ),
    "export": (*_DERIVED, "clips/labels.txt"),
    "predict": (*_SERVED, "clips/train/000000.mp4"),
    "explain": (*_DERIVED, "clips/train/000000.mp4"),
    "models": ("row.json",),
}
"""The files below the home folder that each call reads, by the call's name."""

OPTIONAL = {
    *("clips/labels.txt", "run/labels.txt", "run/history.json", "run/run.json"),
    *("bad.json.journal", "served/1/assets.extra/clip.json"),
    *("run/template.keras", "run/recipe.json"),
}
"""Files without which some command still works."""
