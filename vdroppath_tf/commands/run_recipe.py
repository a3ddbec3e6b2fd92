"""Fits the recipe of ``vdroppath run`` to the videos, unless flags set it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from absl import flags, logging

from vdroppath_tf import data, training
from vdroppath_tf.commands.train import sized
from vdroppath_tf.names import named

_MORE = "with small, run takes more for few videos, as its plan shows"
_SIZE = "run crops videos that differ in size or are large, as its plan shows"
FITTED = {
    **dict.fromkeys(("warmup_epochs", "search_epochs", "finetune_epochs"), _MORE),
    "batch_size": "with small, run takes at most a quarter of the training videos",
    "stride": "with small, run takes more for long videos, as its plan shows",
    **dict.fromkeys(("short_edge", "crop"), _SIZE),
}
"""Flags for which ``fitted`` chooses another value than the recipe's, and what it chooses."""
_STRIDE = 8  # the largest stride that is chosen


@named
def fitted(
    values: flags.FlagValues,
    recipe: training.Recipe,
    videos: int,
    sizes: Callable[[], data.FrameSizes | None],
) -> training.Recipe:
    """Returns the recipe with clips, batch size and epochs that fit; flags have precedence.

    If videos differ in size or are large, clips of one size are cropped. The recipe ``small`` is
    not made for particular videos: for it the stride lets a clip span half a video, a batch has at
    most a quarter of the training videos, and more epochs compensate for few videos.

    Args:
        values: The flags of the command.
        recipe: The recipe of the flags.
        videos: The number of training videos.
        sizes: Returns the sizes of all videos, which must be opened for that.
    """
    recipe = sized(recipe, sizes, always=True)
    if values.recipe != "small":
        return recipe
    given = {name for name in values if values[name].present}
    given |= {change.partition("=")[0].strip() for change in values["set"].value}
    if not given & {"stride", "frames", "sampling.stride", "sampling.frames", "sampler", "fps"}:
        recipe = _spread(recipe, sizes)
    if "batch_size" not in given and 4 * recipe.batch_size > videos:
        batch = max(2, videos // 4)
        logging.info("%d training videos: a batch is %d clips.", videos, batch)
        recipe = recipe.replace(batch_size=min(batch, videos))
    for name, epochs in training.enough_epochs(recipe, "small", videos).items():
        if not given & {f"{name}_epochs", f"{name}.epochs"}:
            phase = dataclasses.replace(getattr(recipe, name), epochs=epochs)
            logging.info("%d training videos: %s takes %d epochs.", videos, name, epochs)
            recipe = recipe.replace(**{name: phase})
    return recipe


def _spread(
    recipe: training.Recipe, sizes: Callable[[], data.FrameSizes | None]
) -> training.Recipe:
    if (found := sizes()) is None:  # no video can be read, which is an error of the next step
        return recipe
    stride = max(1, min(_STRIDE, found.frames // (2 * recipe.sampling.frames)))
    if stride > 1:
        logging.info(
            "Half of the videos have %d frames or fewer: clips take every %s of them (--stride).",
            found.frames,
            "second" if stride == 2 else f"{stride}th",
        )
    return recipe.replace(sampling=dataclasses.replace(recipe.sampling, stride=stride))
