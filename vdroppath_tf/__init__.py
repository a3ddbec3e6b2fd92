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
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

__version__ = "0.1.0"

from . import cost, zoo
from .analysis.evaluate import evaluate_strategies, recalibrate
from .derive import derive, replace_classifier
from .export import export_saved_model
from .layers.gates import freeze_gates, set_strategy
from .space import ProbabilitySpace
from .strategy import FusionStrategy, FusionUnit

__all__ = [
    "FusionStrategy",
    "FusionUnit",
    "ProbabilitySpace",
    "cost",
    "derive",
    "evaluate_strategies",
    "export_saved_model",
    "freeze_gates",
    "recalibrate",
    "replace_classifier",
    "set_strategy",
    "zoo",
]
