"""What every test stands on: TensorFlow set up before it starts, two CPU devices, fixed seeds."""

from __future__ import annotations

import gc
import os
import random
import sys
from collections.abc import Iterator
from typing import Any

# Read once, when TensorFlow is imported, so they come before any test module is.
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "1"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # the known answers are those of a CPU
if "PYTEST_XDIST_WORKER" in os.environ:  # as many processes as cores: threads would only wait
    for _pool in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(_pool, "1")
os.environ.setdefault("MPLBACKEND", "Agg")

import hypothesis
import numpy as np
import pytest

SEED = 0
# How long an example takes says how busy the machine is: no test is about it.
hypothesis.settings.register_profile(
    "busy machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("busy machine")


def _split_cpu_in_two() -> None:
    """Give TensorFlow two logical CPU devices, for the tests of replicas.

    This is possible only before TensorFlow's first operation, hence for the whole session. Both
    devices share one thread pool: single-device tests give the same bits in the same time.
    """
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    if tf.config.get_logical_device_configuration(cpu) is None:
        two = [tf.config.LogicalDeviceConfiguration()] * 2
        tf.config.set_logical_device_configuration(cpu, two)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Tests that need no TensorFlow do not pay for importing it.

    Tracing makes objects by the million, and few of them are garbage. Python looks through them
    after every 700; that alone is a fifth of the time in which a ResNet-50 is built.
    """
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    if "tensorflow" in sys.modules:
        _split_cpu_in_two()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Folders that are shared out whole and files with slow tests come first.

    A long file that begins last has one process at work, and the other one waiting.
    """
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: not (item.path in slow or _scope(item.nodeid) in TOGETHER))


# Their files share what is costly to make once a process: a chain of commands, and trainings.
TOGETHER = ("tests/commands", "tests/training")


def _scope(nodeid: str) -> str:
    """What one process runs whole: a file, or a folder of ``TOGETHER``."""
    file = nodeid.split("::", 1)[0]
    return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """``--dist loadfile``, but for folders of ``TOGETHER``."""
    from xdist.scheduler import LoadFileScheduling

    class Scheduling(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _scope(nodeid)

    return Scheduling(config, log) if config.getvalue("dist") == "loadfile" else None


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: Any) -> None:
    """A process of tests that dies says no word; its exit code says which signal ended it."""
    process = getattr(getattr(node.gateway, "_io", None), "popen", None)
    if error is not None and process is not None:
        print(f"\n{node.gateway.id} ended with exit code {process.wait(timeout=60)}", flush=True)


@pytest.fixture
def two_devices() -> list[str]:
    """Names of the two logical CPU devices, for `tf.distribute.MirroredStrategy(two_devices)`."""
    _split_cpu_in_two()
    import tensorflow as tf

    names = [device.name for device in tf.config.list_logical_devices("CPU")]
    assert len(names) == 2, f"expected two logical CPU devices, found {names}"
    return names


@pytest.fixture(scope="session")
def mirrored() -> Any:
    """A MirroredStrategy of two replicas, the one of the session.

    A second one would number its collective operations from the start again, and TensorFlow would
    take them for those of the first.
    """
    _split_cpu_in_two()
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(["/cpu:0", "/cpu:1"])


@pytest.fixture(scope="session")
def tiny_row() -> Any:
    """A ResNet with two blocks: tracing is what takes the time in most tests."""
    import rows

    return rows.TINY


@pytest.fixture(autouse=True)
def _seeds() -> Iterator[None]:
    """Every test starts from the same seeds, whatever ran before it."""
    random.seed(SEED)
    np.random.seed(SEED)  # noqa: NPY002  Keras' and other people's code draws from it
    if "keras" in sys.modules:
        import keras

        # keras.random's own generator and the numbers in layers' names outlive a test.
        keras.utils.clear_session(free_memory=False)
        keras.utils.set_random_seed(SEED)
    yield
    if "keras" in sys.modules:
        import keras

        # A policy left behind by a failed test would fail all the tests after it.
        keras.config.set_dtype_policy("float32")


@pytest.fixture
def zero_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    """For what is only counted: drawing its kernels is half of building a large network."""
    import keras

    def zeros(self: Any, shape: Any, dtype: Any = None) -> Any:
        return keras.ops.zeros(shape, dtype)

    monkeypatch.setattr(keras.initializers.VarianceScaling, "__call__", zeros)


@pytest.fixture(scope="session")
def motion(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The files of a small `motion` task."""
    import tiny

    return tiny.write(tmp_path_factory.mktemp("motion") / "task")


@pytest.fixture(scope="session")
def whole_run(motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A small template, trained in one go with checkpoints. Change nothing of it: copy it."""
    import tiny

    folder = tmp_path_factory.mktemp("whole") / "run"
    return tiny.run_template(tiny.clips_of(motion), tiny.recipe(), folder)


@pytest.fixture(scope="session")
def kinds_run(motion: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A folder of `vdroppath train`: every kind of gate in one template. Change nothing of it."""
    import tiny

    from vdroppath_tf.cli import main

    folder = tmp_path_factory.mktemp("kinds") / "run"
    assert main(tiny.train_kinds(motion, folder)) == 0
    return folder
