"""The shares of a step: kinds of operations, and the rows of a recorded job."""

from __future__ import annotations

import step_shares
import tensorflow as tf


def test_kinds_of_operations() -> None:
    kinds = {
        "_MklMatMul": "products and convolutions",
        "_MklNativeConv2DBackpropFilter": "products and convolutions",
        "FusedBatchNormGradV3": "batch norm",
        "_MklNativeAvgPool3DGrad": "pools",
        "ResourceApplyKerasMomentum": "optimizer",
        "PadV2": "copies",
        "_MklTranspose": "copies",
        "AddN": "element by element",
    }
    assert {operation: step_shares.kind_of(operation) for operation in kinds} == kinds


def test_a_recorded_product_is_found() -> None:
    run = tf.function(lambda a: tf.nn.relu(a @ a))
    square = tf.ones((64, 64))
    run(square)
    seconds = step_shares.recorded(lambda: run(square).numpy())
    products = [time for operation, time in seconds.items() if "MatMul" in operation]
    assert len(products) == 1
    assert 0 < products[0] < 1
    assert all(operation[:1].isupper() or operation.startswith("_Mkl") for operation in seconds)
    assert not {"Run", "Process"} & set(seconds)  # what runs the operations, and holds their time


def test_the_rows_of_a_job_add_up() -> None:
    each = {"Conv2D": 0.2, "MatMul": 0.1, "FusedBatchNormV3": 0.25}
    found = {"job": "step", "seconds": 0.6, "ceiling": 0.4, "each": each}
    assert step_shares.table(found, each=False) == [
        "| step | products and convolutions | 300 ms | 50% | 0.75 |",
        "| step | batch norm | 250 ms | 42% | 0.62 |",
        "| step | all that was recorded | 550 ms | 92% | 1.38 |",
        "| step | the whole job, without the profiler | 600 ms | 100% | 1.50 |",
    ]
    assert "| step | Conv2D | 200 ms | 33% | 0.50 |" in step_shares.table(found, each=True)
