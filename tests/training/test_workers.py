"""Several processes of one run: who they are, what they agree on, and one that is lost."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import tiny
import worker_fit

from vdroppath_tf.cli import main
from vdroppath_tf.data.faults.fault_log import FaultLog
from vdroppath_tf.models.families import row_of_values
from vdroppath_tf.training import Cluster, Workers, cluster_of_environment, strategy_for
from vdroppath_tf.zoo import save_row

TWO = {"cluster": {"worker": ["a:1", "b:1"]}, "task": {"type": "worker", "index": 1}}
SLURM = {"SLURM_PROCID": "3", "SLURM_STEP_NODELIST": "gpu[08-10],n1", "SLURM_JOB_ID": "7"}


def test_clusters_of_schedulers() -> None:
    cluster = cluster_of_environment({"TF_CONFIG": json.dumps(TWO)})
    assert cluster == Cluster(("a:1", "b:1"), 1)
    assert not cluster.chief
    assert cluster_of_environment({"TF_CONFIG": cluster.tf_config()}) == cluster
    kubeflow = {"cluster": {"chief": ["c:1"], "worker": ["a:1"]}, "task": {"type": "worker"}}
    kubeflow["task"]["index"] = 0  # type: ignore[index]
    assert cluster_of_environment({"TF_CONFIG": json.dumps(kubeflow)}).index == 1
    tasks = {**SLURM, "SLURM_STEP_TASKS_PER_NODE": "2(x2),1,1"}
    cluster = cluster_of_environment(tasks)
    hosts = [worker.split(":")[0] for worker in cluster.workers]
    assert hosts == ["gpu08", "gpu08", "gpu09", "gpu09", "gpu10", "n1"]
    assert len(set(cluster.workers)) == 6
    assert cluster.index == 3


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "neither TF_CONFIG nor a SLURM job step"),
        ({"TF_CONFIG": "{"}, "TF_CONFIG is not as expected"),
        ({"TF_CONFIG": '{"cluster": {}, "task": 3}'}, "TF_CONFIG is not as expected"),
        ({"TF_CONFIG": json.dumps({**TWO, "task": {"type": "ps", "index": 0}})}, "a 'ps'"),
        ({"TF_CONFIG": json.dumps({**TWO, "task": {"type": "worker", "index": 2}})}, "worker 2"),
        (
            {"TF_CONFIG": json.dumps({**TWO, "cluster": {"worker": "a:1"}})},
            "TF_CONFIG is not as expected .*hosts and ports are expected, not",
        ),
        (
            {**SLURM, "SLURM_PROCID": "5", "SLURM_STEP_TASKS_PER_NODE": "1(x4)"},
            "SLURM_PROCID is 5, and the step has 4 tasks",
        ),
        ({**SLURM, "SLURM_STEP_TASKS_PER_NODE": "1"}, "1 numbers of tasks for 4 nodes"),
        ({**SLURM, "SLURM_STEP_NODELIST": "gpu[1-", "SLURM_STEP_TASKS_PER_NODE": "1"}, "of nodes"),
    ],
)
def test_no_cluster(environment: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        cluster_of_environment(environment)


@pytest.mark.parametrize(
    ("devices", "message"),
    [
        ("3", "needs 3 devices, but this machine has 2 CPU"),
        ("tpu", "Expected 1, all, a number of devices, or multiworker"),
        ("0", "Expected 1, all, a number"),
        ("-1", "Expected 1, all, a number"),
        ("1.5", "Expected 1, all, a number"),
    ],
)
def test_devices_that_are_not_there(devices: str, message: str, two_devices: list[str]) -> None:
    with pytest.raises(ValueError, match=message):
        strategy_for(devices)


def test_a_number_of_devices(two_devices: list[str]) -> None:
    assert strategy_for("2", batch_size=8).num_replicas_in_sync == len(two_devices)


def test_a_batch_that_cannot_be_shared(
    two_devices: list[str], motion: Any, mirrored: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TF_CONFIG", json.dumps(TWO))
    with pytest.raises(ValueError, match="2 workers cannot share a batch of 7 clips evenly"):
        strategy_for("multiworker", batch_size=7)
    assert strategy_for(1, batch_size=7).num_replicas_in_sync == 1
    recipe = tiny.recipe().replace(batch_size=6, accumulate=6)
    with pytest.raises(ValueError, match="batch_size=6 cannot be shared evenly by 2 devices in"):
        tiny.run_template(tiny.clips_of(motion), recipe, scope=mirrored.scope)


def test_one_process_agrees_with_itself() -> None:
    workers = Workers(tf.distribute.get_strategy())
    assert (workers.count, workers.index, workers.chief) == (1, 0, True)
    assert workers.any(True, False) == (True, False)
    assert workers.gather({"a": 1}) == [{"a": 1}]
    assert workers.from_chief(b"abc") == b"abc"
    assert workers.chief_first(lambda: 3) == 3


def test_bad_videos_of_another_process_are_known(motion: Any) -> None:
    from vdroppath_tf.data.sources.container import VideoError

    manifest = motion.manifest("train")
    videos = list(manifest)
    one, other = FaultLog(1.0), FaultLog(1.0)
    for log, number in ((one, 0), (other, 1)):
        log.expect("train", manifest)
        log.good("train", videos[2])
        log.bad("train", videos[number], VideoError("broken"), clip=(0, number))
    for _ in range(2):  # told twice, it is counted once
        one.join(json.loads(json.dumps(other.fields())))
    assert {fault.path for fault in one.faults()} == {videos[0].path, videos[1].path}
    assert one.replaced(0) == 2
    assert one.scored(manifest, "train") == len(videos) - 2


ROOT = Path(__file__).parents[2]
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")]),
    "TF_NUM_INTRAOP_THREADS": "1",
}
NAMES = ("loss", "task_loss", "kl", "top1", "val_loss", "val_top1")


@pytest.fixture
def clusters() -> list[str]:
    """``TF_CONFIG`` of two processes of this machine."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(2)]
        places = tuple(f"127.0.0.1:{one.getsockname()[1]}" for one in sockets)
    return [Cluster(places, index).tf_config() for index in range(2)]


def same_weights(found: Any, expected: Any) -> None:
    for weight in expected.weights:
        np.testing.assert_allclose(found[weight.path], weight, atol=1e-5, err_msg=weight.path)


@pytest.mark.slow
def test_fit_of_keras_on_two_workers(clusters: list[str], tmp_path: Path) -> None:
    """Without ``train``: a template in the strategy's scope, and ``fit`` (keras #20585)."""
    command = [sys.executable, str(Path(worker_fit.__file__)), str(tmp_path / "fitted")]
    environments = [{**ENVIRONMENT, "TF_CONFIG": cluster} for cluster in clusters]
    files = [(tmp_path / f"log-{index}").open("w+b") for index in range(2)]
    processes = [
        subprocess.Popen(command, env=environment, stdout=file, stderr=file)
        for environment, file in zip(environments, files, strict=True)
    ]
    try:
        model, history = worker_fit.fitted(contextlib.nullcontext)  # meanwhile
        codes = [process.wait(300) for process in processes]
    finally:
        for process, file in zip(processes, files, strict=True):
            process.kill()
            file.close()
    assert codes == [0, 0], [Path(file.name).read_text()[-3000:] for file in files]
    for index in range(2):
        with np.load(tmp_path / f"fitted-{index}.npz") as found:
            same_weights(found, model)
            shared = json.loads(str(found["history"]))
        assert set(shared) == set(history) > set(NAMES)
        for name, values in history.items():
            np.testing.assert_allclose(shared[name], values, atol=1e-5, err_msg=name)


def train_arguments(task: Path, out: Path, row: Path, *more: str) -> list[str]:
    sizes = [f"--network={row}", "--frames=4", "--batch_size=8", "--picture_every=0"]
    data = [f"--data={task}/train.txt", f"--validation={task}/validation.txt", f"--out={out}"]
    phases = ["--warmup_epochs=0", "--search_epochs=2", "--save_every=1"]
    return ["train", *sizes, *data, *phases, *more]


def worker_of(process: int, index: int) -> int | None:
    """The number of the process that is a worker of a supervisor."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = re.search(r"PPid:\s+(\d+)", (folder / "status").read_text())
            own = (folder / "environ").read_bytes()
        except OSError:
            continue
        if parent and int(parent[1]) == process and f'"index": {index}'.encode() in own:
            return int(folder.name)
    return None


@pytest.mark.slow
def test_two_workers_one_killed(motion: Any, tmp_path: Path) -> None:
    """The training begins again by itself, and ends as it does on one device."""
    row, two, one, log = (tmp_path / name for name in ("row.json", "two", "one", "log"))
    architecture = tiny.template(row=tiny.ONE_LAYER).architecture
    save_row(row_of_values("resnet", {**architecture["row"], "name": "mine"}), row)
    with log.open("wb") as file:
        line = train_arguments(motion.folder, two, row, "--workers=2", "--restarts=1")
        command = [sys.executable, "-m", "vdroppath_tf", *line]
        process = subprocess.Popen(command, env=ENVIRONMENT, stdout=file, stderr=file)
        try:
            while not list(two.glob("checkpoint-0-00001*")) and process.poll() is None:
                time.sleep(0.05)
            killed = worker_of(process.pid, 1)
            assert killed is not None, log.read_text()
            os.kill(killed, signal.SIGKILL)
            assert main(train_arguments(motion.folder, one, row)) == 0  # meanwhile
            assert process.wait(500) == 0, log.read_text()
        finally:
            process.kill()
    assert "A process of the training was lost (by SIGKILL); it restarts from" in log.read_text()
    histories = [json.loads((folder / "history.json").read_text()) for folder in (one, two)]
    for alone, shared in zip(*histories, strict=True):
        assert alone.keys() == shared.keys()
        for name in (*NAMES, "drop"):
            np.testing.assert_allclose(shared[name], alone[name], atol=1e-5, err_msg=name)
    models = [keras.saving.load_model(folder / "template.keras") for folder in (one, two)]
    same_weights({weight.path: weight for weight in models[1].weights}, models[0])
