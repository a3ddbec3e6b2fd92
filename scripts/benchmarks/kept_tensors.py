"""Counts what a training step keeps from its forward to its backward pass, by kind of operation.

    python scripts/benchmarks/kept_tensors.py --network=densenet121 --shape=1,16,112,112

The forward and the backward pass are traced, before TensorFlow optimises the graph. A tensor is
kept if an operation of the forward pass makes it and an operation of the backward pass reads it. A
tensor that only renames another one counts as that one. Reads of weights are left out, since
weights are in memory anyway. This is a count, not a measurement: the buffers of operations and the
gradients in flight are needed in addition.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from absl import app, flags
from step_graph import FREE, needed

NETWORK = flags.DEFINE_string("network", "densenet121", "name of a network of the zoo")
SHAPE = flags.DEFINE_list("shape", ["1", "16", "112", "112"], "batch, frames, height, width")
LARGEST = flags.DEFINE_integer("largest", 10, "number of the largest tensors to list")
CLASSES = 174


def traced(model: Any, shape: list[int]) -> tuple[Any, set[Any]]:
    """Returns the graph of both passes, and the operations of the forward pass."""
    import keras
    import tensorflow as tf

    loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    forward: list[Any] = []

    def step(clips: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(labels, model(clips, training=True)) + sum(model.losses)
        forward.extend(loss.graph.get_operations())
        return tape.gradient(loss, [weight.value for weight in model.trainable_weights])

    specs = tf.TensorSpec((*shape, 3), tf.float32), tf.TensorSpec(shape[:1], tf.int64)
    graph = tf.function(step, autograph=False).get_concrete_function(*specs).graph
    return graph, set(forward)


def kept(graph: Any, forward: set[Any]) -> dict[str, Any]:
    """Returns the tensors that are kept, by name."""
    found = {}
    for op in needed(graph):
        if op not in forward and op.type not in FREE:
            for tensor in map(_original, op.inputs):
                if tensor.op in forward and tensor.dtype.is_floating and tensor.op.type not in FREE:
                    found[tensor.name] = tensor
    return found


def _original(tensor: Any) -> Any:
    """Returns the tensor that this one renames, or itself."""
    while tensor.op.type in FREE and len(tensor.op.inputs):
        place = tensor.value_index if tensor.op.type == "IdentityN" else 0
        tensor = tensor.op.inputs[place]
    return tensor


def size_of(tensor: Any) -> float:
    """Returns its size in MB, or 0 if its shape is unknown (the scratch space of batch norms)."""
    known = tensor.shape.is_fully_defined()
    return tensor.shape.num_elements() * tensor.dtype.size / 1e6 if known else 0.0


def main(_: Any) -> None:
    """Prints the sums by kind of operation, and the largest tensors."""
    from vdroppath_tf.zoo.constructors import constructors

    shape = [int(size) for size in SHAPE.value]
    model = constructors(NETWORK.value)[0](CLASSES, clip_shape=shape[1:], num_train_examples=1000)
    tensors = kept(*traced(model, shape))
    sizes: Counter[str] = Counter()
    for tensor in tensors.values():
        sizes[tensor.op.type] += size_of(tensor)
    print(f"{NETWORK.value}, clips {shape}: {sizes.total():.0f} MB in {len(tensors)} tensors")
    for kind, size in sizes.most_common():
        if size >= 0.1:
            print(f"    {kind}: {size:.1f} MB")
    for tensor in sorted(tensors.values(), key=size_of, reverse=True)[: LARGEST.value]:
        print(f"    {size_of(tensor):.1f} MB: {tensor.name}, {tensor.shape}")


if __name__ == "__main__":
    app.run(main)
