"""Writes the records in zoo/: cards of published spaces and recipes, and named strategies as JSON.

    python scripts/write_zoo_records.py

A test compares the folder with the output of this script. The installed package never reads it:
`vdroppath_tf.zoo` has everything that users need at run time.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import recipe_cards
from absl import app

from vdroppath_tf.analysis.observations import higher_layers_want_time, lower_layers_fuse
from vdroppath_tf.files import write_text
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.training import RECIPES
from vdroppath_tf.zoo import DATASETS, published_space, published_strategy, published_top1
from vdroppath_tf.zoo.published import published_source
from vdroppath_tf.zoo.strategies import ARCHITECTURES, observed, observed_kinetics

RECORDS = Path(__file__).parent.parent / "zoo"

CARD = """---
library_name: keras
license: apache-2.0
pipeline_tag: video-classification
tags: [video, 3d-cnn, supernet, variational-droppath, probability-space]
---
# Published space: {dataset}

<!-- written by scripts/write_zoo_records.py -->

| | |
| --- | --- |
| network | the paper's DenseNet-121, {dense} dense layers and {transitions} transitions |
| learned on | {dataset} |
| origin | {origin} |
| resolution of the marginals | about {resolution:g} |
| load with | `vdroppath_tf.zoo.published_space("{dataset}")` |

## Contents

* Drop probabilities p of the paths S and ST in each of the {layers} fusion layers, solved from the
  figure's marginals (Eq. 7: a path is on with probability q = 1 - sqrt(p)). `marginals()`
  reproduces the figure to 1e-3. Before the training, p was {initial:g} everywhere.
* Which layers have a shortcut. Every dense layer has one, because its input is concatenated to its
  output. The transitions have none, so a draw never leaves a transition empty.

## Not included

* Weights: the figure is the only source, so the network of a strategy drawn from this space has to
  be trained.
* Gates on whole layers (D1 of Fig. 3): the figure shows none.
* Measurements of this package: the numbers below are the paper's.

## Results in the paper (Table 2, top-1 in percent)

| S | ST | S+ST | best strategy |
| --- | --- | --- | --- |
| {S} | {ST} | {S+ST} | {strategy} |

The best strategy was chosen among 100 draws on the same validation set on which it is reported. It
is in `zoo/strategies/published-{dataset}.json`. A draw from this space is that strategy with
probability exp({log_prob:.1f}), and the space's mode with probability exp({log_mode:.1f}).

## The paper's observations

* {first}
* {second}
"""

INDEX = """# Records

<!-- written by scripts/write_zoo_records.py -->

Cards and data of published results and of recipes. The package never reads this folder:
`vdroppath_tf.zoo` and `vdroppath_tf.training.RECIPES` contain the same values.

[networks.md](networks.md) lists the sizes and costs of all networks of the zoo.
"""
FOLDERS = {
    "recipes": "A card for each named recipe: its commands in order, the paper's numbers, its cost,"
    "\nand the output of a run in reduced size (`runs/` has that text).",
    "spaces": "A card for each space that the paper published (Fig. 4): its contents, what is not"
    "\nincluded, and whether the paper's observations hold.",
    "strategies": "Published and observed strategies, for `FusionStrategy.from_json`.",
}


def card(dataset: str) -> str:
    """Returns the card of one published space as Markdown."""
    space, chosen = published_space(dataset), published_strategy(dataset)
    origin, resolution = published_source()
    return CARD.format(
        dataset=dataset,
        layers=len(space),
        dense=int(space.has_residual.sum()),
        transitions=int((~space.has_residual).sum()),
        origin=origin,
        resolution=resolution,
        initial=space.initial[0][0, 0],
        log_prob=space.log_prob(chosen),
        log_mode=space.log_prob(space.mode()),
        first=str(lower_layers_fuse(space)),
        second=str(higher_layers_want_time(space)),
        **published_top1(dataset),
    )


def strategies() -> dict[str, FusionStrategy]:
    """Returns the named strategies by the names of their files, without the ending."""
    found = {f"published-{dataset}": published_strategy(dataset) for dataset in DATASETS}
    for architecture in ARCHITECTURES:
        found[f"observed-{architecture}"] = observed(architecture)
        found[f"observed-{architecture}-kinetics400"] = observed_kinetics(architecture)
    return found


def index(files: Iterable[str]) -> str:
    """Returns Markdown that lists the records, a line each, below a description of their folder."""
    parts = [INDEX]
    for folder, about in FOLDERS.items():
        inside = [file for file in files if file.startswith(f"{folder}/")]
        links = "\n".join(f"* [{Path(file).stem}]({file})" for file in inside)
        parts.append(f"## {folder.capitalize()}\n\n{about}\n\n{links}\n")
    return "\n".join(parts)


def records() -> dict[str, str]:
    """Returns the text of every record by its path below zoo/."""
    spaces = {f"spaces/{dataset}.md": card(dataset) for dataset in DATASETS}
    recipes = {f"recipes/{name}.md": recipe_cards.card(name) for name in RECIPES}
    named = {f"strategies/{name}.json": s.to_json() + "\n" for name, s in strategies().items()}
    found = spaces | recipes | named
    return {"README.md": index(found), **found}


def main(_: list[str]) -> None:
    """Writes all records, and prints their paths."""
    for name, text in records().items():
        path = RECORDS / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_text(path, text)
        print(path)


if __name__ == "__main__":
    app.run(main)
