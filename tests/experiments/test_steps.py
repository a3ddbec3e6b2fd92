"""The steps that runs and commands share: what they refuse before any work is done."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny

from vdroppath_tf.experiments.steps import candidates, derive_network
from vdroppath_tf.spaces.space import ProbabilitySpace
from vdroppath_tf.training import Clips, RecipeClips


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
