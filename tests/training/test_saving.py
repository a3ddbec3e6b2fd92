"""A run that is stopped within an epoch, by whatever, ends with the bits it would have had."""

from __future__ import annotations

import dataclasses
import errno
import itertools
import json
import os
import shutil
import signal
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
import tiny
from event_files import events_of, scalars
from killed_run import started

from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.data.sources.container import VideoError
from vdroppath_tf.training import Clips, RunFolder
from vdroppath_tf.training import checkpoint as checkpoints
from vdroppath_tf.training.event_files import drop_later_points
from vdroppath_tf.training.interval import Interval
from vdroppath_tf.training.lock import is_locked, run_lock
from vdroppath_tf.training.signals import TERMINATED, StopSignals

STEPS = tiny.COUNTS[0] // tiny.BATCH  # an epoch


def points(folder: Path) -> dict[str, dict[int, float]]:
    """The points of a run; of its speed, which no run has twice, where they are."""
    events = events_of(folder / "tensorboard")
    found = {n: scalars(events, n) for n in events.Tags()["tensors"] if n != "marginals"}
    speed = ("speed/memory_host_gb",)
    return {
        name: dict.fromkeys(values, 0.0) if name in speed else values
        for name, values in found.items()
        if name in speed or not name.startswith("speed/")
    }


def stopping(step: int, what: Any) -> Any:
    steps = itertools.count(1)
    return lambda: what() if next(steps) == step else None


def goes_on(whole_run: tiny.Run, kept: RunFolder, *, steps: int) -> None:
    """The rest of a run that was stopped, which ends as the one that was not."""
    done: list[int] = []
    resumed = tiny.run_template(
        whole_run.clips, whole_run.recipe, kept, on_step=lambda: done.append(1)
    )
    assert len(done) == steps
    assert tiny.state(resumed.model) == tiny.state(whole_run.model)
    assert resumed.history == whole_run.history
    assert points(kept.path) == points(whole_run.folder)


@pytest.fixture
def default_handlers() -> Any:
    """As a process has them that nobody started in the background."""
    defaults: dict[int, Any] = {
        signal.SIGTERM: signal.SIG_DFL,
        signal.SIGINT: signal.default_int_handler,
    }
    before = {number: signal.signal(number, handler) for number, handler in defaults.items()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.slow
def test_terminated_in_every_part_of_an_epoch(
    motion: Any, whole_run: tiny.Run, tmp_path: Path
) -> None:
    """At the last step, in the validation behind it, and in the middle of another phase.

    A signal is honoured where the step ends that it falls into; here it comes between two.
    """
    kept = RunFolder(tmp_path / "run")
    stops = [
        (STEPS - 1, f"0-00000-{STEPS:08d}"),
        (STEPS, f"0-00001-{STEPS:08d}"),
        (1, "1-00000-00000002"),
    ]
    steps = [steps for steps, _ in stops]
    code, printed, errors = started(motion.folder, kept.path, signal.SIGTERM, *steps)
    assert code == 0, errors
    assert TERMINATED == 143
    assert printed.splitlines() == [f"143 checkpoint-{name} True True" for _, name in stops]
    goes_on(whole_run, kept, steps=3 * STEPS - 2)


class CrashError(Exception):
    """As a process dies: nothing is saved any more."""


def crash() -> None:
    raise CrashError


@pytest.mark.slow
def test_saved_every_second_step(whole_run: tiny.Run, tmp_path: Path) -> None:
    """It dies one step after a save; what is lost is that step, and no epoch's points."""
    kept = RunFolder(tmp_path / "run", save_every=2)
    with pytest.raises(CrashError):
        tiny.run_template(
            whole_run.clips, whole_run.recipe, kept, on_step=stopping(2 * STEPS + 3, crash)
        )
    assert (kept.path / "checkpoint-1-00000-00000002").is_dir()
    goes_on(whole_run, kept, steps=3 * STEPS - 2)
    assert len(list(kept.path.glob("checkpoint-*"))) == 2


def test_a_second_run_in_a_folder_is_refused(whole_run: tiny.Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole_run.folder, folder)
    with run_lock(folder), pytest.raises(ValueError, match=rf"in use by process {os.getpid()} on"):
        tiny.run_template(whole_run.clips, whole_run.recipe, folder)
    with run_lock(folder):  # it was given back
        pass


def relabelled(clips: Clips) -> Clips:
    entries = list(clips.train.entries)
    entries[0], entries[1] = (
        dataclasses.replace(entries[0], label=entries[1].label),
        dataclasses.replace(entries[1], label=entries[0].label),
    )
    return Clips(dataclasses.replace(clips.train, entries=tuple(entries)), clips.validation)


def renamed(clips: Clips) -> Clips:
    names = (*clips.train.labels[1:], clips.train.labels[0])
    return Clips(dataclasses.replace(clips.train, labels=names), clips.validation)


@pytest.mark.parametrize("mark", ["there", "gone", "of the other run"])
@pytest.mark.parametrize("change", [relabelled, renamed])
def test_other_labels_are_another_run(
    whole_run: tiny.Run, tmp_path: Path, change: Any, mark: str
) -> None:
    """Whatever became of run.json: each checkpoint knows its run."""
    folder = tmp_path / "run"
    shutil.copytree(whole_run.folder, folder)
    clips = change(whole_run.clips)
    if mark == "gone":
        (folder / "run.json").unlink()
    elif mark == "of the other run":
        fields = json.loads((folder / "run.json").read_text())
        fields["training videos"]["digest"] = clips.train.digest()
        (folder / "run.json").write_text(json.dumps(fields, indent=1))
    with pytest.raises(ValueError, match=r"checkpoint-.*: .*another run.*differs: training videos"):
        tiny.run_template(clips, whole_run.recipe, folder)


@pytest.mark.parametrize("text", [None, "", "[]", '{"format": "vdroppath_tf.run/7"}', "\udcff"])
def test_a_run_whose_mark_is_damaged_goes_on(
    whole_run: tiny.Run, tmp_path: Path, text: str | None
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole_run.folder, folder)
    if text is None:
        (folder / "run.json").unlink()
    else:
        (folder / "run.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    again = tiny.run_template(whole_run.clips, whole_run.recipe, folder)
    assert again.history == whole_run.history
    assert (folder / "run.json").read_bytes() == (whole_run.folder / "run.json").read_bytes()


def test_videos_that_were_moved_are_the_same_run(whole_run: tiny.Run, tmp_path: Path) -> None:
    shutil.copytree(Path(whole_run.clips.train.source).parent, tmp_path / "elsewhere")
    shutil.copytree(whole_run.folder, tmp_path / "run")
    clips = tiny.clips_of(tiny.write(tmp_path / "elsewhere"))
    assert tiny.run_template(clips, whole_run.recipe, tmp_path / "run").history == whole_run.history


def test_a_full_disk_leaves_the_checkpoints(
    whole_run: tiny.Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole_run.folder, folder)
    before = tiny.tree(folder)
    store = checkpoints.CheckpointStore(folder, (folder / "run.json").read_text())
    usage = shutil.disk_usage(folder)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OSError, match=r"a checkpoint needs [\d.]+ MB, and 0\.0 MB .*are free"):
        store.save(whole_run.model, store.position())
    assert tiny.tree(folder) == before


def test_what_a_killed_save_left_is_cleared_away(whole_run: tiny.Run, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole_run.folder, folder)
    half = folder / ".checkpoint-1-00003.tmp" / "checkpoint-1-00003"
    half.mkdir(parents=True)
    checkpoints.CheckpointStore(folder, (folder / "run.json").read_text())
    assert not half.parent.exists()


def test_points_of_later_steps_are_dropped_and_half_ones(tmp_path: Path) -> None:
    with tf.summary.create_file_writer(str(tmp_path)).as_default():
        for step in range(1, 6):
            tf.summary.scalar("loss", 0.5 * step, step=step)
        tf.summary.flush()
    (file,) = tmp_path.glob("events*")
    whole = file.read_bytes()
    drop_later_points(tmp_path, 5)
    assert file.read_bytes() == whole  # nothing is later
    file.write_bytes(whole[:-7])
    drop_later_points(tmp_path, 5)
    assert scalars(events_of(tmp_path), "loss") == {1: 0.5, 2: 1.0, 3: 1.5, 4: 2.0}
    drop_later_points(tmp_path, 2)
    assert scalars(events_of(tmp_path), "loss") == {1: 0.5, 2: 1.0}
    drop_later_points(tmp_path / "nothing", 2)


@pytest.mark.parametrize(
    ("every", "steps", "seconds"),
    [
        *((500, 500, np.inf), ("500", 500, np.inf), (None, np.inf, np.inf)),
        *(("10min", np.inf, 600), ("1.5h", np.inf, 5400), ("90s", np.inf, 90)),
    ],
)
def test_intervals(every: Any, steps: float, seconds: float) -> None:
    interval = Interval(every)
    assert (interval.steps, interval.seconds) == (steps, seconds)


@pytest.mark.parametrize("every", [0, -1, 1.5, "0min", "min", "10 days", "1e3", "nan", True, ""])
def test_what_is_no_interval(every: Any) -> None:
    with pytest.raises(ValueError, match=r"save_every must be .*Received: "):
        RunFolder("run", save_every=every)


def test_clips_made_ahead_are_not_counted_yet(motion: Any) -> None:
    faults, entry = FaultLog(1.0), motion.manifest("train").entries[0]
    faults.expect("train", motion.manifest("train"))
    for place in (0, 3, 4, 9):
        faults.bad("train", entry, VideoError("it is bad"), clip=(2, place))
    assert [faults.replaced(2, before=place) for place in (0, 1, 4, 5, 100)] == [0, 1, 2, 3, 4]
    assert (faults.replaced(2), faults.replaced(1)) == (4, 0)


def test_signals_stop_at_once_where_nothing_is_unsaved(default_handlers: None) -> None:
    with StopSignals() as signals:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        signals.unsaved = True
        signal.raise_signal(signal.SIGINT)
        assert signals.pending == signal.SIGINT
        with pytest.raises(SystemExit, match="143"):  # a second one does not wait
            signal.raise_signal(signal.SIGTERM)


def test_a_thread_leaves_signals_to_the_main_one(default_handlers: None) -> None:
    """Python lets no other thread set a handler."""
    found: list[Any] = []

    def inside() -> None:
        with StopSignals() as signals:
            found.append((signal.getsignal(signal.SIGTERM), signals.pending))

    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert found == [(signal.SIG_DFL, None)]


def test_a_file_system_without_locks_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def unlockable(*_: Any) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", unlockable)
    with run_lock(tmp_path):
        assert not is_locked(tmp_path)
    assert "has no locks (No locks available), so nothing prevents a second run" in caplog.text


def test_handlers_of_others_stay() -> None:
    called: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: called.append(number))
    try:
        with StopSignals() as signals:
            signals.unsaved = True
            signal.raise_signal(signal.SIGTERM)
        assert called == [signal.SIGTERM]
        assert signals.pending is None
    finally:
        signal.signal(signal.SIGTERM, before)
