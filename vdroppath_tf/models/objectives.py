"""What networks are trained to do: a loss and metrics for each kind of labels."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.models.sgd import FusedSGD
from vdroppath_tf.names import named

_NEAR = 1e-2  # that a sum of shares may be from 1
SEVERAL = (
    "Labels (batch, classes) hold several classes, or none, for some clips: rows whose sum is not "
    "1. For several classes a clip build the network with multi_label=True; for shares of classes "
    "divide each row by its sum."
)


@keras.saving.register_keras_serializable(package="vdroppath_tf")
@named
class MeanAveragePrecision(keras.metrics.Metric):
    """The mean average precision over classes, for clips with several classes.

    Classes without a positive clip are left out. Probabilities are told apart to one ``bins``-th,
    so that a state of fixed size holds any number of clips.

    Example:
    ```python
    metric = vdroppath_tf.models.MeanAveragePrecision(3)
    metric.update_state([[1, 0, 1]], [[2.0, -1.0, 0.5]])
    float(metric.result())  # 1.0
    ```

    Args:
        num_classes: int, how many classes there are.
        bins: int, how finely probabilities are told apart. Defaults to 1000.
        name: str, name of the metric. Defaults to ``"map"``.
        dtype: Precision. Defaults to float32.
    """

    def __init__(
        self, num_classes: int, *, bins: int = 1000, name: str = "map", dtype: Any = None
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_classes, self.bins = num_classes, bins
        shape: dict[str, Any] = {"shape": (num_classes, bins), "initializer": "zeros"}
        self.positives = self.add_variable(name="positives", **shape)
        self.negatives = self.add_variable(name="negatives", **shape)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Counts clips: labels of 0 and 1, and logits, both ``(batch, classes)``."""
        labels = tf.cast(y_true, tf.float32)
        chance = tf.sigmoid(tf.cast(y_pred, tf.float32))
        places = tf.minimum(tf.cast(chance * self.bins, tf.int32), self.bins - 1)
        one_hot = tf.one_hot(places, self.bins)
        hits = tf.cast(labels > 0.5, tf.float32)
        if sample_weight is not None:
            one_hot *= tf.reshape(tf.cast(sample_weight, tf.float32), [-1, 1, 1])
        self.positives.assign_add(tf.reduce_sum(one_hot * hits[..., None], 0))
        self.negatives.assign_add(tf.reduce_sum(one_hot * (1.0 - hits)[..., None], 0))

    def result(self) -> tf.Tensor:
        """The mean average precision of what was counted; 0 if no clip was positive."""
        found = tf.cumsum(tf.convert_to_tensor(self.positives), 1, reverse=True)
        wrong = tf.cumsum(tf.convert_to_tensor(self.negatives), 1, reverse=True)
        precision = tf.math.divide_no_nan(found, found + wrong)
        total = found[:, 0]
        gained = tf.convert_to_tensor(self.positives)
        average = tf.math.divide_no_nan(tf.reduce_sum(gained * precision, 1), total)
        return tf.math.divide_no_nan(
            tf.reduce_sum(average), tf.reduce_sum(tf.cast(total > 0, tf.float32))
        )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "num_classes": self.num_classes, "bins": self.bins}


@keras.saving.register_keras_serializable(package="vdroppath_tf")
@named
class SharesCrossentropy(keras.losses.CategoricalCrossentropy):
    """The cross-entropy of logits with shares of classes; the shares of a row must sum to 1.

    Args:
        name: str, name of the loss. Defaults to ``"shares_crossentropy"``.
        reduction: str, as of ``keras.losses.CategoricalCrossentropy``. Defaults to the mean.
        dtype: Precision. Defaults to float32.

    Example:
    ```python
    loss = SharesCrossentropy()
    float(loss(np.array([[0.7, 0.3, 0.0]]), np.array([[2.0, 1.0, -1.0]])))
    ```
    """

    def __init__(
        self,
        *,
        name: str = "shares_crossentropy",
        reduction: str = "sum_over_batch_size",
        dtype: Any = None,
    ) -> None:
        super().__init__(from_logits=True, name=name, reduction=reduction, dtype=dtype)

    def call(self, y_true: Any, y_pred: Any) -> tf.Tensor:
        sums = tf.reduce_sum(tf.cast(y_true, tf.float32), -1)
        shares = tf.reduce_all(tf.abs(sums - 1.0) < _NEAR)
        with tf.control_dependencies([tf.debugging.Assert(shares, [SEVERAL])]):
            y_true = tf.identity(y_true)
        return super().call(y_true, y_pred)

    def get_config(self) -> dict[str, Any]:
        kept = ("name", "reduction", "dtype")
        return {key: value for key, value in super().get_config().items() if key in kept}


def cross_entropy(*, soft: bool = False, multi_label: bool = False) -> keras.losses.Loss:
    """Of logits, for class numbers ``(batch,)``, or ``soft`` shares ``(batch, classes)``.

    With ``multi_label``, the binary one of each class, for labels ``(batch, classes)`` of 0 and 1.
    """
    kinds = keras.losses
    if multi_label:
        return kinds.BinaryCrossentropy(from_logits=True)
    return SharesCrossentropy() if soft else kinds.SparseCategoricalCrossentropy(from_logits=True)


def accuracy_metrics(
    num_classes: int, *, soft: bool = False, multi_label: bool = False
) -> list[keras.metrics.Metric]:
    """Top-1 and, where there are more than 5 classes, top-5 accuracy; or the mAP.

    Args:
        num_classes: how many classes there are.
        soft: whether labels are shares ``(batch, classes)``; the largest is the one to find.
        multi_label: whether a clip has several classes: the mean average precision then.
    """
    kinds = keras.metrics
    if multi_label:
        return [MeanAveragePrecision(num_classes)]
    top1 = kinds.CategoricalAccuracy if soft else kinds.SparseCategoricalAccuracy
    top5 = kinds.TopKCategoricalAccuracy if soft else kinds.SparseTopKCategoricalAccuracy
    return [top1(name="top1"), top5(5, name="top5")][: 1 if num_classes <= 5 else 2]


def default_compile(
    num_classes: int, *, soft: bool = False, multi_label: bool = False
) -> dict[str, Any]:
    """The paper's optimizer (SGD .005, momentum .9), cross-entropy, top-1 and top-5 accuracy."""
    return {
        "optimizer": FusedSGD(0.005, momentum=0.9),
        "loss": cross_entropy(soft=soft, multi_label=multi_label),
        "metrics": accuracy_metrics(num_classes, soft=soft, multi_label=multi_label),
    }


def check_labels(x: Any, y: Any, classes: int, *, multi_label: bool) -> bool:
    """Whether the labels that ``fit`` was given are shares of classes.

    Raises:
        ValueError: They are several classes a clip and the network is of one, or the reverse.
    """
    columns = _columns(x, y)
    if columns is None:  # not known before the data are read
        return False
    if multi_label:
        if columns != classes:
            raise ValueError(
                "The network is one of several classes a clip (multi_label=True). Labels must be "
                f"(batch, {classes}) of 0 and 1, 1 for each class of a clip. Received: "
                f"{'class numbers' if columns <= 1 else f'{columns} columns'}"
            )
        return False
    if columns != classes or classes == 1:
        return False
    if not isinstance(x, tf.data.Dataset) and not _are_shares(np.asarray(y)):
        raise ValueError(SEVERAL)  # of a data set the loss finds it, batch by batch
    return True


def _columns(x: Any, y: Any) -> int | None:
    """Columns of the labels; 0 for class numbers."""
    if isinstance(x, tf.data.Dataset):
        spec = tf.nest.flatten(x.element_spec)
        shape = spec[1].shape if len(spec) > 1 else tf.TensorShape(None)
    elif isinstance(y, (np.ndarray, tf.Tensor)):
        shape = tf.TensorShape(y.shape)
    else:
        return None
    if shape.rank is None:
        return None
    return 0 if shape.rank < 2 else shape[-1]


def _are_shares(labels: np.ndarray) -> bool:
    return bool((np.abs(labels.sum(-1) - 1.0) < _NEAR).all())
