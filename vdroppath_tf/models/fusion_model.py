"""FusionModel: a functional keras.Model that knows its architecture, its N and what a clip is."""

from __future__ import annotations

import functools
import math
import warnings
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.layers.drop_path import VariationalDropPath
from vdroppath_tf.layers.fusion import FusionConv
from vdroppath_tf.layers.gates import describe_gates, gates_of
from vdroppath_tf.layers.losses import add_replica_loss
from vdroppath_tf.layers.running_fit import count_examples
from vdroppath_tf.layers.sizes import size_of
from vdroppath_tf.layers.together import draw, handed_out
from vdroppath_tf.models.changes import FIRST, change, changes_in, of_layers, policy
from vdroppath_tf.models.clones import name_network, network_of
from vdroppath_tf.models.common import KINDS
from vdroppath_tf.models.gated_training import GatedTraining
from vdroppath_tf.models.least_size import Sizes, check_sizes, least_clip
from vdroppath_tf.models.network import completed, functional
from vdroppath_tf.models.objectives import SEVERAL, check_labels, default_compile
from vdroppath_tf.models.remat import remat_wanted, run_in_blocks
from vdroppath_tf.models.weights_file import check_file, check_mark, strategy_mark
from vdroppath_tf.spaces.layer_gates import gated_layers, read_gates
from vdroppath_tf.spaces.strategy import FusionStrategy
from vdroppath_tf.startup import check_may_train


@keras.saving.register_keras_serializable(package="vdroppath_tf")
class FusionModel(GatedTraining):
    """A functional ``keras.Model`` with four additions.

    * ``architecture``: all it was built from, as JSON-able data. Files hold that and what has
      changed since; the network is built anew from it.
    * ``fit`` gives the gates N of Eq. 5 where ``num_train_examples`` was left out, compiles the
      paper's optimizer where ``compile`` was not called, and shows the loss in parts:
      ``task_loss`` and ``kl``, see ``LossInParts``.
    * ``derived``: whether ``derive`` made it of a template; None if that is unknown, as for a file
      of an older version. Files hold it for networks of one strategy.
    * a clip of the wrong rank, channels or dtype is refused by name.

    With ``remat = True``, or built within ``keras.RematScope()``, training keeps the inputs of its
    blocks only and computes the rest again for the gradient: less memory, more time.

    Example:
    ```python
    template = build_network("micro", num_classes=4)
    logits = template(np.zeros((1, 8, 32, 32, 3), "uint8"))
    template.summary()  # its layers, then its gates
    ```
    """

    architecture: dict[str, Any] | None = None
    derived = False  # whether `derive` built it; False as well if that is not known
    remat = False
    _traced_with: Any = None  # N of each gate, in the function that ``fit`` traced

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.architecture = network_of(self)  # if Keras has made a clone of a network

    @classmethod
    def built(
        cls,
        architecture: dict[str, Any],
        strategy: FusionStrategy | None = None,
        name: str | None = None,
    ) -> FusionModel:
        """The network that a description stands for, new; see ``network.describe``."""
        remat = remat_wanted()
        with keras.RematScope(mode=None):  # else each layer would be computed again by itself
            parts = functional(architecture, strategy)
            model = cls(**{**parts, "name": name or parts["name"]})
        model.architecture, model.remat = architecture, remat
        name_network(model, architecture)
        return model._tracking_kl()

    @property
    def multi_label(self) -> bool:
        """Whether a clip has any number of classes, each with a probability of its own."""
        return bool((self.architecture or {}).get("multi_label"))

    @functools.cached_property
    def least_clip(self) -> Sizes:
        """Frames, height and width of the smallest clip that the network takes."""
        return least_clip(self)

    @property
    def _takes_clips(self) -> bool:
        """Whether the one input are clips; a model made of a template may have any inputs."""
        return isinstance(self.input_shape, tuple) and len(self.input_shape) == 5

    def _tracking_kl(self) -> FusionModel:
        self._track_parts(bool(self.gates))
        return self

    def call(self, inputs: Any, training: Any = None, mask: Any = None, **kwargs: Any) -> Any:
        if self._takes_clips:
            check_clips(inputs, self.input_shape[-1], self.least_clip)
        fusion = (layer for layer in self.layers if isinstance(layer, FusionConv))
        learning = [one for one in fusion if one.drop_path and one.drop_path.random(training)]
        drawn: Any = {}
        if learning:
            drawn, kl = draw(learning, size_of(keras.tree.flatten(inputs)[0], 0))
            add_replica_loss(learning[0].drop_path, kl)  # a model has no losses of its own
        if self.remat and training:
            return run_in_blocks(self, inputs, drawn)
        with handed_out(drawn):
            return super().call(inputs, training=training, mask=mask, **kwargs)

    @property
    def gates(self) -> list[VariationalDropPath]:
        """The gates of a template's fusion layers, in order; empty for a derived network."""
        return [found.layer.drop_path for found in gated_layers(self)]

    def read_gates(self) -> dict[str, Any]:
        """The gates as the arguments of ``ProbabilitySpace``; see ``spaces.layer_gates``."""
        return {**read_gates(self), "pushes": self._record and self._record.of(self)}

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        *,
        num_train_examples: float | None = None,
        **kwargs: Any,
    ) -> Any:
        """``keras.Model.fit``; see the class for what is filled in where it was left out.

        ``num_train_examples`` is N of Eq. 5 of these data, where their size is not known; gates
        that were given an N of their own keep it.
        """
        check_may_train()
        spec = clip_spec(x)
        if (
            spec is not None and self._takes_clips
        ):  # before Keras: a fit that stops while tracing spoils the next one
            check_clips(spec, self.input_shape[-1], self.least_clip)
        if not self.compiled and isinstance(self.output_shape, tuple):
            classes, several = self.output_shape[-1], self.multi_label
            soft = check_labels(x, y, classes, multi_label=several)
            with self.distribute_strategy.scope():
                self.compile(**default_compile(classes, soft=soft, multi_label=several))
        self._count(x, kwargs.get("validation_split") or 0.0, num_train_examples)
        try:
            return super().fit(x, y, **kwargs)
        except tf.errors.InvalidArgumentError as error:
            if SEVERAL not in error.message:
                raise
            raise ValueError(SEVERAL) from None

    def evaluate(self, x: Any = None, *args: Any, **kwargs: Any) -> Any:
        """``keras.Model.evaluate``; the loss is the task's."""
        self._notice(x)
        return super().evaluate(x, *args, **kwargs)

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """``keras.Model.predict``; of floats between 0 and 1 it says that they are no clips."""
        self._notice(x)
        return super().predict(x, *args, **kwargs)

    def _notice(self, x: Any) -> None:
        if self._takes_clips and isinstance(x, (np.ndarray, tf.Tensor)):
            notice_range(x, keras.backend.standardize_dtype(x.dtype))

    def _count(self, x: Any, held_out: float, examples: float | None) -> None:
        """Gives N of these data to the gates that were given none; every ``fit`` anew."""
        gates = gates_of(self)
        waiting = [gate for gate in gates if gate.given_examples is None]
        if any(gate.trainable for gate in waiting):
            if examples is None:
                examples = math.floor(count_examples(x) * (1.0 - held_out))  # as Keras splits
            for gate in waiting:
                gate.counted_examples = examples
        counts = [gate.num_train_examples for gate in gates]
        if counts != self._traced_with:
            self.train_function = None  # a function traced with another N must not be used
        self._traced_with = counts

    def save_own_variables(self, store: Any) -> None:
        for name, value in strategy_mark(self.architecture).items():
            store[name] = value

    def load_own_variables(self, store: Any) -> None:
        check_mark(store, self.architecture)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """``keras.Model.load_weights``; a file of another strategy's network is refused."""
        check_file(filepath, self.architecture)
        self.derived = False  # a file of weights carries no information about their origin
        super().load_weights(filepath, skip_mismatch=skip_mismatch, **kwargs)

    def summary(self, *args: Any, **kwargs: Any) -> None:
        """``keras.Model.summary``, then the gates: what each drops, with which probability."""
        super().summary(*args, **kwargs)
        lines = describe_gates(self)
        show = kwargs.get("print_fn") or print
        if lines:
            show("\n".join(lines))

    def get_config(self) -> dict[str, Any]:
        if self.architecture is None:  # layers and their calls are all that is known of it
            return super().get_config()
        pushes, of_one = self.kept_pushes(), self.architecture.get("strategy") is not None
        return {
            "name": self.name,
            "trainable": self.trainable,
            "architecture": self.architecture,
            "policy": keras.dtype_policies.serialize(self.get_layer(FIRST).dtype_policy),
            "changed": changes_in(self),
            **({} if pushes is None else {"pushes": pushes}),
            **({"derived": self.derived} if of_one else {}),
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> FusionModel:
        if config.get("architecture") is None:
            config = {key: value for key, value in config.items() if key != "architecture"}
            return super().from_config(config, custom_objects=custom_objects)._tracking_kl()
        if "changed" not in config:  # a file of layers and their calls, as version 0.1.0 wrote them
            config = {**config, **of_layers(config["layers"])}
        with policy(config["policy"]):
            model = cls.built(completed(config["architecture"]), name=config["name"])
        model.derived = config.get("derived") is True
        if not config["trainable"]:
            model.trainable = False
        change(model, config["changed"])
        model.restore_pushes(config.get("pushes"))
        return model


def check_clips(clips: Any, channels: int = 3, least: Sizes = (1, 1, 1)) -> None:
    """ValueError unless clips are ``(batch, time, height, width, channels)``, uint8 or float.

    Nor may they be smaller than the ``least``, as far as their sizes are known.
    """
    shape, dtype = tuple(clips.shape), keras.backend.standardize_dtype(clips.dtype)
    if len(shape) != 5 or shape[-1] not in (channels, None):
        kind = KINDS.get(channels, "")
        raise ValueError(
            f"Clips must be {kind} (batch, time, height, width, {channels}). "
            f"Received: shape {shape}"
        )
    if dtype != "uint8" and not dtype.startswith(("float", "bfloat")):
        raise ValueError(
            f"Clips must hold values 0..255 as uint8 or floats. Received: dtype {dtype}"
        )
    check_sizes(shape[1:4], least)
    notice_range(clips, dtype)


def notice_range(clips: Any, dtype: str) -> None:
    """Warns of float clips whose values are at hand and lie between 0 and 1."""
    if not dtype.startswith("float") or isinstance(clips, tf.TypeSpec):
        return
    graph = isinstance(clips, tf.Tensor) and not hasattr(clips, "numpy")
    if graph or not hasattr(clips, "__array__"):
        return
    some = np.asarray(clips[:4], "float32")
    if some.size and 0.0 < some.max() <= 1.0 and some.min() >= 0.0:
        warnings.warn(
            "Clips are floats between 0 and 1, and a network takes 0 to 255: it normalises them "
            "itself, so these clips are almost black to it. Multiply them by 255, or pass uint8.",
            stacklevel=5,
        )


def clip_spec(x: Any) -> Any:
    """Shape and dtype of the clips in what ``fit`` was given; None where they are not known."""
    if isinstance(x, tf.data.Dataset):
        spec = tf.nest.flatten(x.element_spec)[0]
        return None if spec.shape.rank is None else spec
    return x if isinstance(x, (np.ndarray, tf.Tensor)) else None
