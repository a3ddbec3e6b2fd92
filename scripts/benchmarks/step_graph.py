"""Traces the graph of a training step, and finds the operations that launch a kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

FREE = {
    *("Const", "Identity", "IdentityN", "NoOp", "Placeholder", "PlaceholderWithDefault"),
    *("ReadVariableOp", "Reshape", "ExpandDims", "Squeeze", "StopGradient", "PreventGradient"),
    *("StatefulPartitionedCall", "PartitionedCall", "IteratorGetNext"),
}


def train_graph(model: Any, shape: tuple[int, ...], batch: int, classes: int) -> Any:
    """Returns the graph of the step that ``fit`` traces for batches of one size."""
    import tensorflow as tf

    from vdroppath_tf.models.objectives import accuracy_metrics, cross_entropy
    from vdroppath_tf.training.optimizer import GateSGD

    model.compile(GateSGD(0.01, momentum=0.9), cross_entropy(), metrics=accuracy_metrics(classes))
    model.optimizer.build(model.trainable_variables)
    clips = tf.TensorSpec((batch, *shape, 3), tf.float32)
    labels = tf.TensorSpec((batch,), tf.int64)
    return tf.function(model.train_step).get_concrete_function((clips, labels)).graph


def operations(graph: Any) -> Iterator[Any]:
    """Yields the operations of a graph, and of the functions that it calls."""
    graphs = [graph, *(f.graph for f in graph._functions.values() if hasattr(f, "graph"))]
    for one in graphs:
        yield from one.get_operations()


def needed(graph: Any) -> list[Any]:
    """Returns the operations that run: those that a graph's outputs or writes depend on."""
    every = graph.get_operations()
    writes = [op for op in every if op.op_def.is_stateful or op.type.startswith("Assign")]
    waiting = [*writes, *(tensor.op for tensor in graph.outputs)]
    found = set()
    while waiting:
        op = waiting.pop()
        if op not in found:
            found.add(op)
            waiting += [*(tensor.op for tensor in op.inputs), *op.control_inputs]
    return [op for op in every if op in found]


def launches(operation: Any) -> bool:
    """Returns whether an operation computes floats, or writes a variable, on the device."""
    floats = any(output.dtype.is_floating for output in operation.outputs)
    writes = operation.type.startswith(("Assign", "ResourceApply"))
    return (floats or writes) and operation.type not in FREE
