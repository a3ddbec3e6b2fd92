"""Models a training step on a GPU, without one: kernels, bytes, multiply-adds and lower bounds.

    python scripts/benchmarks/launches.py
    python scripts/benchmarks/launches.py --networks resnet50 --card H100 --launch_us 3

The step that ``fit`` runs is traced as on a GPU (with TensorFlow's gradient of temporal kernels and
its grouped convolutions), before TensorFlow optimises the graph. Each operation that runs and
launches a kernel is assumed to read its inputs and write its outputs once. Three times are lower
bounds of the step if only the launches, the memory or the arithmetic took time; the step is bound
by the largest of them. The last number is the sum over operations of the largest of the three.

Each network and precision is traced in a separate process, one at a time, since TensorFlow keeps
what it has traced: the largest network needs about 3 GB.

This is a model of a card from its data sheet, not a measurement. The kernels of a real card reach
neither its bandwidth nor its peak, and XLA fuses several operations into one kernel.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import multiprocessing
import re
import time
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any
from unittest import mock

import numpy as np
from step_graph import launches, needed, train_graph

BATCHES = (1, 8, 32)
HEAD = (
    "| template | precision | batch | kernels | GB | GMACs | launches, ms | memory, ms | "
    "arithmetic, ms | bound by | at least, ms |"
)
PRECISIONS = {"float32": 4, "mixed_bfloat16": 2}
"""The dtype policies, and the bytes per factor of their products."""
# The bytes that a write to a variable moves besides the operation's inputs, in sizes of the value.
_WRITES = {"AssignVariableOp": 1, "ResourceApplyKerasMomentum": 4}


@dataclasses.dataclass(frozen=True)
class Card:
    """The figures of a card's data sheet.

    Attributes:
        bandwidth: float, the bandwidth of its memory in bytes per second.
        peaks: tuple, dense operations per second: in float32 as TensorFlow multiplies it on the
            card (TF32), and in bfloat16.
        launch: float, the seconds that the launch of one kernel takes. Defaults to 5e-6.
    """

    bandwidth: float
    peaks: tuple[float, float]
    launch: float = 5e-6

    def peak(self, size: int) -> float:
        """Returns the operations per second for factors of ``size`` bytes."""
        return self.peaks[0 if size == 4 else 1]


CARDS = {
    "L4": Card(300e9, (60e12, 121e12)),
    "A100": Card(2039e9, (156e12, 312e12)),
    "H100": Card(3350e9, (494e12, 989e12)),
}
"""Cards of NVIDIA, with 24, 80 (SXM) and 80 GB (SXM) of memory."""


@dataclasses.dataclass(frozen=True)
class Work:
    """The work of a step's kernels, one item per kernel.

    Attributes:
        moved: array, the bytes that each kernel reads and writes.
        macs: array, the multiply-adds of each kernel.
        size: int, the bytes per factor of a product.
    """

    moved: np.ndarray
    macs: np.ndarray
    size: int

    def times(self, card: Card) -> dict[str, float]:
        """Returns a step's lower bounds in seconds for its launches, memory and arithmetic."""
        launch, memory, arithmetic = self._each(card).sum(1)
        return {"launches": launch, "memory": memory, "arithmetic": arithmetic}

    def least(self, card: Card) -> float:
        """Returns a step's lower bound in seconds if each kernel is bound separately."""
        return float(self._each(card).max(0).sum())

    def _each(self, card: Card) -> np.ndarray:
        launch = np.full(len(self.moved), card.launch)
        arithmetic = 2 * self.macs / card.peak(self.size)
        return np.stack([launch, self.moved / card.bandwidth, arithmetic])


def work_of(graph: Any, size: int = 4) -> Work:
    """Returns the work of a traced graph, all of whose shapes must be known."""
    kernels = [op for op in needed(graph) if launches(op)]
    moved = np.array([_moved(op) for op in kernels], float)
    return Work(moved, np.array([_macs(op) for op in kernels], float), size)


def _bytes(tensor: Any) -> int:
    if tensor.dtype.name in ("resource", "variant"):
        return 0
    if tensor.shape.rank is None and tensor.op.type == "FusedBatchNormV3":
        return 0  # scratch space that NVIDIA's kernel reserves for its gradient
    return _numbers(tensor) * tensor.dtype.size


def _numbers(tensor: Any) -> int:
    if not tensor.shape.is_fully_defined():
        raise ValueError(f"{tensor.op.name} ({tensor.op.type}) has the open shape {tensor.shape}.")
    return int(tensor.shape.num_elements())


def _moved(op: Any) -> int:
    through = sum(map(_bytes, (*op.inputs, *op.outputs)))
    if op.type not in _WRITES:
        return through
    return through + _WRITES[op.type] * max(map(_bytes, op.inputs))


def _macs(op: Any) -> int:
    """Returns the multiply-adds of a product, a convolution, or a gradient of one; otherwise 0."""
    if op.type in ("MatMul", "BatchMatMulV2"):
        turned = op.get_attr("transpose_a" if op.type == "MatMul" else "adj_x")
        return _numbers(op.outputs[0]) * op.inputs[0].shape[-2 if turned else -1]
    if not op.type.startswith(("Conv", "DepthwiseConv")):
        return 0
    if "BackpropFilter" in op.type:
        kernel, given = op.outputs[0], op.inputs[2]
    elif "BackpropInput" in op.type:
        kernel, given = op.inputs[1], op.inputs[2]
    else:
        kernel, given = op.inputs[1], op.outputs[0]
    filters = int(np.prod(kernel.shape[-2 if op.type.startswith("Depth") else -1 :]))
    return _numbers(given) * (_numbers(kernel) // filters)


def traced(pair: tuple[str, str], shape: tuple[int, ...]) -> list[Work]:
    """Returns the work of a template's step at each of the batch sizes.

    Args:
        pair: tuple, the name of the network and the dtype policy.
        shape: tuple, the frames, height and width of a clip.
    """
    import keras
    import tensorflow as tf

    from vdroppath_tf.zoo.constructors import constructors

    name, precision = pair
    keras.config.set_dtype_policy(precision)
    model = constructors(name)[0](174, clip_shape=shape, num_train_examples=1000)
    with mock.patch.object(tf.config, "list_logical_devices", return_value=["GPU:0"]):
        graphs = (train_graph(model, shape, batch, 174) for batch in BATCHES)
        return [work_of(graph, PRECISIONS[precision]) for graph in graphs]


def row(name: str, precision: str, batch: int, work: Work, card: Card) -> str:
    """Returns a line of the table."""
    times = work.times(card)
    numbers = [f"{len(work.moved):,}", f"{work.moved.sum() / 1e9:.2f}"]
    numbers.append(f"{work.macs.sum() / 1e9:.1f}")
    cells = [f"{1e3 * seconds:.2f}" for seconds in times.values()]
    last = [max(times, key=times.__getitem__), f"{1e3 * work.least(card):.2f}"]
    shown = precision.removeprefix("mixed_")
    return " | ".join(["", name, shown, str(batch), *numbers, *cells, *last, ""]).strip()


def main(given: Sequence[str] | None = None) -> None:
    """Prints the table; see the top of the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    text = "names of networks of the zoo (default: all)"
    parser.add_argument("--networks", nargs="+", metavar="NAME", help=text)
    text = "number of frames of a clip, and its height and width in pixels (default: 8 112 112)"
    parser.add_argument("--clip_shape", type=int, nargs=3, default=(8, 112, 112), help=text)
    text = "graphics card whose data sheet is used (default: %(default)s)"
    parser.add_argument("--card", choices=CARDS, default="A100", help=text)
    parser.add_argument(
        "--launch_us", type=float, help="microseconds per launch (default: the card's)"
    )
    parser.add_argument(
        "--bandwidth", type=float, help="memory bandwidth in GB/s (default: the card's)"
    )
    text = "10^12 operations per second in float32 and bfloat16 (default: the card's)"
    parser.add_argument("--peaks", type=float, nargs=2, help=text)
    asked = parser.parse_args(given)

    from vdroppath_tf.zoo import list_networks  # TensorFlow, which --help does not need

    card = CARDS[asked.card]
    if asked.launch_us is not None:
        card = dataclasses.replace(card, launch=1e-6 * asked.launch_us)
    if asked.bandwidth is not None:
        card = dataclasses.replace(card, bandwidth=1e9 * asked.bandwidth)
    if asked.peaks is not None:
        card = dataclasses.replace(card, peaks=tuple(1e12 * peak for peak in asked.peaks))
    versions = f"TensorFlow {version('tensorflow')}, Keras {version('keras')}"
    print(f"{time.strftime('%Y-%m-%d')}, {versions}")
    peaks = " and ".join(f"{peak / 1e12:g}" for peak in card.peaks)
    print(
        f"{asked.card}: {1e6 * card.launch:g} us per launch, {card.bandwidth / 1e9:g} GB/s, {peaks}"
    )
    print("T operations/s in float32 (TF32) and bfloat16; a model, not a measurement")
    print(f"a training step on clips of {'x'.join(map(str, asked.clip_shape))}, 174 classes\n")
    print(HEAD)
    print(re.sub(r"[^|]+", " --- ", HEAD))
    pairs = [
        (name, precision) for name in asked.networks or list_networks() for precision in PRECISIONS
    ]
    work = functools.partial(traced, shape=tuple(asked.clip_shape))
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        for (name, precision), works in zip(pairs, pool.imap(work, pairs), strict=True):
            for batch, one in zip(BATCHES, works, strict=True):
                print(row(name, precision, batch, one, card), flush=True)


if __name__ == "__main__":
    main()
