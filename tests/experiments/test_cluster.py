"""Jobs on a Ray cluster: a local one of two workers. Skipped where Ray is not installed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from process_jobs import fail, job, killed_once, pids

from vdroppath_tf.experiments.processes import in_processes


def test_without_ray_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(
        ValueError, match=r"cluster='local': .* pip install 'vdroppath_tf\[cluster\]'"
    ):
        in_processes(job, [("a", 1)], 2, cluster="local")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_a_local_ray_of_two_workers(tmp_path: Path) -> None:
    """Results in order; a killed worker costs its one job; none begins after a failure."""
    pytest.importorskip("ray", reason="needs Ray: pip install 'vdroppath_tf[cluster]'")
    done: list[int] = []
    jobs = [("a", 2), ("b", 3), ("c", 4)]
    found = in_processes(job, jobs, 2, cluster="local", on_done=lambda: done.append(1))
    assert [one[:2] for one in found] == [("a", 4), ("b", 9), ("c", 16)]
    assert len(done) == 3
    assert os.getpid() not in {pid for *_, pid in found}
    names = ["killed", "long", "next", "last"]
    calls = [(name, tmp_path) for name in names]
    assert in_processes(killed_once, calls, 2, cluster="local") == names
    assert [len(pids(tmp_path / name)) for name in names] == [2, 1, 1, 1]
    begun = tmp_path / "begun"
    begun.mkdir()
    with pytest.raises(ValueError, match="this one fails"):
        in_processes(
            fail, [("bad", begun), *[(f"waits {k}", begun) for k in range(10)]], 2, cluster="local"
        )
    assert len(list(begun.iterdir())) < 6
