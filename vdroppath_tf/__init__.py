"""Spatiotemporal fusion in 3D CNNs seen as probability, on Keras and TensorFlow.

Importing the package switches TensorFlow's oneDNN kernels on (``TF_ENABLE_ONEDNN_OPTS=1``) where
TensorFlow has not been imported yet and the variable is not set: CPUs train 3D convolutions two to
three times faster with them, and TensorFlow leaves them off on many. Set the variable to 0 to keep
them off.
"""

import os
import sys

if "tensorflow" not in sys.modules:
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
_backend = os.environ.setdefault("KERAS_BACKEND", "tensorflow")
if "keras" in sys.modules:  # then it is too late to choose
    _backend = sys.modules["keras"].config.backend()
if _backend != "tensorflow":
    raise ImportError(
        f"vdroppath_tf needs Keras with the TensorFlow backend, and Keras is set to {_backend!r}. "
        "Set the environment variable KERAS_BACKEND=tensorflow before Keras is imported."
    )

__version__ = "0.1.0"

from vdroppath_tf import cost, zoo  # noqa: E402
from vdroppath_tf.budget.latency import LatencyTable  # noqa: E402
from vdroppath_tf.budget.search import most_probable, pareto  # noqa: E402
from vdroppath_tf.budget.stopwatch import measure_latency  # noqa: E402
from vdroppath_tf.derivation import derive, replace_classifier  # noqa: E402
from vdroppath_tf.layers.gates import freeze_gates, set_strategy  # noqa: E402
from vdroppath_tf.models.inflation.inflate import inflate  # noqa: E402
from vdroppath_tf.scoring.evaluate import evaluate_strategies, race_strategies, recalibrate  # noqa: E402
from vdroppath_tf.serving.export import export_saved_model  # noqa: E402
from vdroppath_tf.spaces.space import ProbabilitySpace  # noqa: E402
from vdroppath_tf.spaces.strategy import FusionStrategy, FusionUnit  # noqa: E402

__all__ = [
    "FusionStrategy",
    "FusionUnit",
    "LatencyTable",
    "ProbabilitySpace",
    "cost",
    "derive",
    "evaluate_strategies",
    "export_saved_model",
    "freeze_gates",
    "inflate",
    "measure_latency",
    "most_probable",
    "pareto",
    "race_strategies",
    "recalibrate",
    "replace_classifier",
    "set_strategy",
    "zoo",
]
