"""MkDocs hook: what the code knows better than a page does, put where a page asks for it.

A line `<!-- made by the code: NAME -->` becomes the table or section of that name. So does the line
below it, which says to those who read the page where nothing is filled in, as on GitHub, where else
the same can be read.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

MARK = re.compile(
    r"^<!-- made by the code: (\w+) -->\n\*(.+)`make docs` builds (.+)\*$", re.MULTILINE
)


def commands() -> str:
    """A section for each command of `vdroppath`: summary, example, flags."""
    from vdroppath_tf.cli import COMMANDS, flags_of

    sections = []
    for name, command in COMMANDS.items():
        values = flags_of(name)
        rows = [_flag(values[flag]) for flag in sorted(values)]
        example = command.EXAMPLE.replace(" --", " \\\n    --")
        parts = (f"## vdroppath {name}", str(command.__doc__).strip(), f"```bash\n{example}\n```")
        sections.append("\n\n".join((*parts, _table(("flag", "meaning", "default"), rows))))
    return "\n\n".join(sections)


def _flag(flag: Any) -> tuple[str, str, str]:
    # absl adds a line about repeating to the help of flags that may be repeated
    text = flag.help.split(";\n")[0]
    switch = isinstance(flag.default, bool) or type(flag).__name__ == "BooleanFlag"
    shown = f"`--{flag.name}`" + (" (switch)" if switch else "")
    default = "" if flag.default in (None, "", []) else f"`{flag.default}`"
    return shown, text, default


def recipes() -> str:
    """A column for each recipe."""
    from vdroppath_tf.training import RECIPES

    rows = [
        (name, *(describe(recipe) for recipe in RECIPES.values()))
        for name, describe in _RECIPE_ROWS.items()
    ]
    return _table(("", *(f"`{name}`" for name in RECIPES)), rows)


def _phase(phase: Any) -> str:
    if phase is None:
        return "none"
    steps = f", a tenth from {', '.join(map(str, phase.drops))} on" if phase.drops else ""
    steps = ", cosine" if phase.cosine else steps
    decay = f", weight decay {phase.weight_decay:g}" if phase.weight_decay else ""
    return f"{phase.epochs} epochs at {phase.learning_rate:g}{steps}{decay}"


def _pixels(sampling: Any) -> str:
    edge, crop = sampling.short_edge, sampling.crop
    if crop is None:
        return "as in the file"
    edges = " or ".join(map(str, edge)) if isinstance(edge, tuple) else edge
    return f"short edge {edges}, crop {crop}"


def _prior(recipe: Any) -> str:
    from vdroppath_tf.spaces.prior import acting_strength, two_digits
    from vdroppath_tf.training import RECIPES, TRAINING_VIDEOS

    if recipe.weight_reg is None:
        return f"{two_digits(recipe.prior_strength)}, any N"
    name = next(name for name, other in RECIPES.items() if other is recipe)
    n = TRAINING_VIDEOS[name]
    acting = acting_strength(weight_reg=recipe.weight_reg, num_examples=n, form=recipe.kl)
    return f"{two_digits(acting)} (`weight_reg` {recipe.weight_reg:g} / N {n:,})"


_RECIPE_ROWS: dict[str, Callable[[Any], str]] = {
    "network": lambda r: r.network,
    "frames, stride": lambda r: f"{r.sampling.frames}, {r.sampling.stride}",
    "training clips": lambda r: _pixels(r.sampling),
    "evaluation clips": lambda r: _pixels(r.evaluation),
    "tested with": lambda r: f"`{r.protocol}`",
    "flip": lambda r: "yes" if r.sampling.flip else "no",
    "batch": lambda r: str(r.batch_size),
    "warm-up": lambda r: _phase(r.warmup),
    "search": lambda r: _phase(r.search),
    "rate of the gates": lambda r: f"{r.gate_learning_rate:g}",
    "fine-tuning (ours)": lambda r: _phase(r.finetune),
    "dropout in fine-tuning": lambda r: f"{r.finetune_dropout:g}",
    "strength of the prior": _prior,
}


def difficulty() -> str:
    """The fields of `Difficulty`, as its docstring says them."""
    from vdroppath_tf.experiments.tasks.shapes import Difficulty

    text = re.split(r"\n\s*Attributes:\n", Difficulty.__doc__ or "")[1]
    said = dict(re.findall(r"^\s*(\w+): (.*)$", text, re.MULTILINE))
    rows = [
        (f"`{field.name}`", said[field.name].rstrip("."), f"{field.default:g}")
        for field in dataclasses.fields(Difficulty)
    ]
    return _table(("", "meaning", "default"), rows)


# Which data sets have complex scenes: a reading of the paper, not of numbers.
SCENES = ("ucf101", "kinetics400")


def observations() -> str:
    """Observations I and II of each published space, and III of them together."""
    from vdroppath_tf import zoo
    from vdroppath_tf.analysis import observations as said

    spaces = {name: zoo.published_space(name) for name in zoo.DATASETS}
    parts = [
        f"**{name}**\n\n* {said.lower_layers_fuse(space)}\n* {said.higher_layers_want_time(space)}"
        for name, space in spaces.items()
    ]
    return "\n\n".join((*parts, f"**all of them**\n\n* {said.scenes_want_space(spaces, SCENES)}"))


def published_results() -> str:
    """The paper's Table 2."""
    from vdroppath_tf import zoo

    top1 = {name: zoo.published_top1(name) for name in zoo.DATASETS}
    rows = [(name, *(f"{value:.1f}" for value in found.values())) for name, found in top1.items()]
    return _table(("data set", "S", "ST", "S+ST", "`published_strategy`"), rows)


def observed() -> str:
    """Run lengths of `observed` and `observed_kinetics`; the authors' own are marked."""
    from vdroppath_tf import zoo
    from vdroppath_tf.zoo.strategies import ARCHITECTURES, AUTHORS

    rows = [
        (
            f"`{name}`" + (" (the authors')" if name in AUTHORS else ""),
            _runs(zoo.observed(name)),
            _runs(zoo.observed_kinetics(name)),
        )
        for name in ARCHITECTURES
    ]
    return _table(("", "`observed`", "`observed_kinetics`"), rows)


def _runs(strategy: Any) -> str:
    """`7 S+ST, 6 ST`; where S+ST and S take turns, that in words."""
    turns = "{} S+ST and S in turn, "
    return _TURNS.sub(lambda found: turns.format(found[0].count("1 ")), strategy.runs())


_TURNS = re.compile(r"(?:\b1 S\+ST, 1 S, ){2,}(?:1 S\+ST, )?")


def networks() -> str:
    """The table that `scripts/write_network_table.py` has written."""
    text = (Path(__file__).parent.parent / "zoo" / "networks.md").read_text(encoding="utf-8")
    return text[text.index("| network |") :].strip()


def _table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    heads = tuple(heads)
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in r)} |" for r in lines)


MAKERS: dict[str, Callable[[], str]] = {
    "networks": networks,
    "commands": commands,
    "recipes": recipes,
    "difficulty": difficulty,
    "observations": observations,
    "observed": observed,
    "published_results": published_results,
}


def fill(markdown: str) -> str:
    """A page with its marks replaced; an unknown mark is a KeyError, which fails the build."""
    return MARK.sub(lambda match: MAKERS[match[1]](), markdown)


def on_page_markdown(markdown: str, **_: Any) -> str:
    """MkDocs' event."""
    return fill(markdown)
