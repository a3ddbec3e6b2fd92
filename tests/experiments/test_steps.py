"""The steps that runs and commands share: what they refuse before any work is done."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny

from vdroppath_tf import zoo
from vdroppath_tf.experiments import quickstart_recipe, write_clips
from vdroppath_tf.experiments.steps import FineTuning, candidates, derive_network
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import Clips, Phase, RecipeClips


def test_candidates_are_the_mode_then_draws_without_repeats() -> None:
    space = ProbabilitySpace(np.full((3, 2), 0.4))
    found = candidates(space, 50, 7)
    assert found[0] == space.mode()
    assert len(set(found)) == len(found) <= 51
    assert set(found) == {space.mode(), *space.sample(50, seed=7)}


@pytest.mark.parametrize("phase", [True, False])
def test_fine_tuning_needs_videos_and_a_phase(motion: Any, tmp_path: Path, phase: bool) -> None:
    recipe = tiny.recipe() if phase else tiny.recipe().replace(finetune=None)
    videos = None if phase else Clips(motion.manifest("train"))
    template: Any = None  # not looked at
    strategy: Any = None
    with pytest.raises(ValueError, match="needs training videos, and a recipe with that phase"):
        derive_network(template, strategy, RecipeClips(recipe), videos, finetune_in=tmp_path)


def test_fine_tuning_that_costs_accuracy_is_undone(tmp_path: Path) -> None:
    """Trained on for wrong labels, on the way down; for the right ones, kept."""
    task = write_clips(tmp_path / "clips", "motion", 3, clips=(64, 32, 8))
    template = zoo.template_micro(weights="motion")
    mode = ProbabilitySpace.from_model(template).mode()
    phase = Phase("finetune", 2, 0.05)
    recipe = quickstart_recipe(0).replace(batch_size=16, finetune=phase)
    clips = RecipeClips(recipe)
    turned = [dataclasses.replace(each, label=(each.label + 1) % 4) for each in task.train.entries]
    wrong = dataclasses.replace(task.train, entries=tuple(turned))
    said: list[FineTuning] = []
    for name, videos in (("wrong", wrong), ("right", task.train)):
        network = derive_network(
            template,
            mode,
            clips,
            Clips(videos),
            finetune_in=tmp_path / name,
            validation=task.validation,
            on_tuned=said.append,
        )
        plain = derive_network(template, mode, clips, Clips(videos))
        pairs = zip(network.get_weights(), plain.get_weights(), strict=True)
        assert all(np.array_equal(*pair) for pair in pairs) == (not said[-1].kept)
    undone, kept = said
    assert undone.before > 0.9 > undone.after
    assert (undone.kept, kept.kept) == (False, True)
    assert "undone" in str(undone)
    assert (kept.before, kept.clips) == (undone.before, 32)
