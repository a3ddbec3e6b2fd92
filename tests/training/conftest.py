from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture(scope="session")
def run_of_two(motion: Any, mirrored: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two epochs with gates under two replicas, in one go. Change nothing of it."""
    import tiny

    folder = tmp_path_factory.mktemp("two") / "run"
    clips = tiny.clips_of(motion)
    return tiny.run_template(clips, tiny.recipe(0, 2), folder, scope=mirrored.scope)
