"""VariationalDropPath: the layer that holds the trainable drop probabilities."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from vdroppath_tf.layers import noise as gate_noise
from vdroppath_tf.layers.hard_masks import drawn_mask, mode_mask
from vdroppath_tf.layers.losses import add_replica_loss
from vdroppath_tf.layers.relaxation import (
    KL_FORMS,
    gate_entropy,
    relaxed_drop,
    weight_prior,
)
from vdroppath_tf.layers.running_fit import find_examples, metrics_of
from vdroppath_tf.names import named
from vdroppath_tf.spaces.prior import acting_strength, one_strength

NOISE = ("sample", "batch")
RESIDUAL_GATES = ("hard", "relaxed")
RUN_MODE, RUN_RANDOM = -1.0, -2.0  # values of a mask that is no strategy: the mode, or a fresh draw


@keras.saving.register_keras_serializable(package="vdroppath_tf")
@named
class VariationalDropPath(keras.layers.Layer):
    """The trainable drop probabilities of parallel paths, and their KL (Sec. 3.3).

    In training each path is multiplied by ``keep = 1 - relaxed_drop``, without rescaling by
    1/(1-p). At inference, and in training while ``trainable`` is False, the paths are switched by a
    hard mask: the mode of the learned probabilities, or the one that ``set_mask`` was given. The KL
    (Eq. 5) joins the loss through ``add_loss`` while the gates train. Logits, noise and KL are
    float32 under any dtype policy.

    Example:
    ```python
    gate = vdroppath_tf.layers.VariationalDropPath(2, initial_drop=0.2, num_train_examples=100)
    one, other = np.ones((4, 8)), np.ones((4, 8))
    gate([one, other], training=True).shape  # (4, 8)
    gate.set_mask([1, 0])  # the first path alone, at inference
    ```

    Args:
        paths: int, how many parallel paths. Defaults to 2.
        drop_layer: bool, whether there is D1, one more gate that drops all paths together and what
            follows them. Defaults to ``False``.
        initial_drop: float, the starting drop probability. Defaults to 0.1.
        temperature: float, temperature of the relaxation. Defaults to 0.2.
        noise: str, ``"sample"`` for a draw for each sample (the authors'), or ``"batch"`` for one
            draw for the batch. Defaults to ``"sample"``.
        kl: str, ``"code"`` (the published k are its ``weight_reg``) or ``"paper"`` (Eq. 5).
            Defaults to ``"code"``.
        weight_reg: float, k, which the KL divides by N: the fewer the examples, the stronger the
            prior. Defaults to ``None``, and ``prior_strength`` holds.
        prior_strength: float, what multiplies ``(1-p) ||w||^2``, whatever N is; instead of
            ``weight_reg``. Defaults to ``None``: ``weight_reg`` if that is given, else
            ``PRIOR_STRENGTH`` of ``vdroppath_tf.spaces.prior``.
        num_train_examples: float, N of Eq. 5; it is saved with the layer. Defaults to ``None``:
            every ``fit`` of a template counts its own data, and what it counted is not saved.
        has_residual: bool, whether the layer sits on a residual branch, so that no path at all may
            be drawn. Defaults to ``True``.
        residual_gate: str, whether what the paths of a ``FusionConv`` feed is multiplied by "some
            path is on" as well. It always is where paths are switched by a hard mask, which makes
            an empty layer its shortcut. While gates are relaxed: ``"hard"`` leaves it out, as the
            paper and the authors' code do; ``"relaxed"`` multiplies by ``1 - prod(1 - keep)``.
            Defaults to ``"hard"``.
        seed: int, seed of the noise; with the layer's name it makes every layer's noise its own.
            Defaults to 0.
        name: str, name of the layer. Defaults to a number behind ``variational_drop_path``.
        dtype: Precision of the paths, or its policy. Defaults to the global policy.
        trainable: bool, whether the gates draw and train; ``False`` freezes them. Defaults to
            ``True``.

    Call arguments:
        inputs: list of ``paths`` tensors of one shape, batch first.
        squared_norms: ``(paths,)`` of ``||w||^2`` of each path's weights, for the KL.
        training: bool.

    Output shape:
        The shape of one input: the gated paths, summed.
    """

    def __init__(
        self,
        paths: int = 2,
        *,
        drop_layer: bool = False,
        initial_drop: float = 0.1,
        temperature: float = 0.2,
        noise: str = "sample",
        kl: str = "code",
        weight_reg: float | None = None,
        prior_strength: float | None = None,
        num_train_examples: float | None = None,
        has_residual: bool = True,
        residual_gate: str = "hard",
        seed: int = 0,
        name: str | None = None,
        dtype: Any = None,
        trainable: bool = True,
    ) -> None:
        super().__init__(name=name, dtype=dtype, trainable=trainable)
        _check(paths >= 1, "paths", paths, "1 or more")
        _check(0.0 < initial_drop < 1.0, "initial_drop", initial_drop, "between 0 and 1")
        _check(temperature > 0.0, "temperature", temperature, "above 0")
        _check(noise in NOISE, "noise", noise, f"one of {NOISE}")
        _check(kl in KL_FORMS, "kl", kl, f"one of {KL_FORMS}")
        expected = f"one of {RESIDUAL_GATES}"
        _check(residual_gate in RESIDUAL_GATES, "residual_gate", residual_gate, expected)
        strengths = {"weight_reg": weight_reg, "prior_strength": prior_strength}
        for option, given in strengths.items():
            _check(given is None or given >= 0.0, option, given, "0 or more")
        self.paths, self.drop_layer, self.has_residual = paths, drop_layer, has_residual
        self.initial_drop, self.temperature, self.noise = initial_drop, temperature, noise
        self.weight_reg, self.prior_strength = one_strength(weight_reg, prior_strength)
        self.kl, self.seed, self.residual_gate = kl, seed, residual_gate
        self.num_train_examples = num_train_examples
        self.counted_examples: float | None = None  # of the data of the last ``fit``, never saved

    @property
    def num_train_examples(self) -> float | None:
        """N of Eq. 5: the one that was given or, without it, what the last ``fit`` counted."""
        return self.counted_examples if self.given_examples is None else self.given_examples

    @num_train_examples.setter
    def num_train_examples(self, given: float | None) -> None:
        _check(given is None or given >= 1, "num_train_examples", given, "1 or more")
        self.given_examples = given

    def build(self, input_shape: Any = None) -> None:
        start = math.log(self.initial_drop / (1.0 - self.initial_drop))
        float32 = {"dtype": "float32", "autocast": False}
        initial = keras.initializers.Constant(start)
        self.logit = self.add_weight(
            name="logit", shape=(self.paths,), initializer=initial, **float32
        )
        self.layer_logit = None
        if self.drop_layer:
            self.layer_logit = self.add_weight(
                name="layer_logit", shape=(), initializer=initial, **float32
            )
        self.mask = self.add_weight(
            name="mask",
            shape=(self.paths,),
            initializer=keras.initializers.Constant(RUN_MODE),
            trainable=False,
            **float32,
        )
        self.noise_step = self.add_weight(
            name="noise_step",
            shape=(),
            initializer="zeros",
            trainable=False,
            dtype="int64",
            autocast=False,
            aggregation="only_first_replica",
        )

    def call(
        self, inputs: Sequence[tf.Tensor], squared_norms: Any = None, training: bool = False
    ) -> tf.Tensor:
        if len(inputs) != self.paths:
            raise ValueError(f"{self.path}: expected {self.paths} inputs. Received: {len(inputs)}")
        keep = self.keep(tf.shape(inputs[0])[0], training=training)
        if squared_norms is not None:
            self.add_kl(squared_norms, training=training)
        keep = keep[:, : self.paths] * tf.reduce_prod(keep[:, self.paths :], 1, keepdims=True)
        return tf.add_n([x * gate_like(keep[:, i], x) for i, x in enumerate(inputs)])

    def compute_output_spec(
        self, inputs: Any, squared_norms: Any = None, training: bool = False
    ) -> Any:
        return keras.KerasTensor(inputs[0].shape, inputs[0].dtype)

    @property
    def metrics(self) -> list[Any]:
        """The metrics of the layer; in a model that knows no gates, the ``kl`` of its ``fit``."""
        return [*super().metrics, *metrics_of(self)]

    def random(self, training: bool) -> bool:
        """Whether this call draws its gates (training, and not frozen)."""
        return bool(training) and self.trainable

    def hard_mask(self) -> tf.Tensor:
        """``(paths,)`` of 0 and 1: what runs at inference."""
        gates = tf.convert_to_tensor(self.logit), self.layer_logit, self.has_residual
        wanted = self._wants_draw()
        uniform = self._shared_uniform(1 + self.paths, wanted)
        named = tf.where(wanted, drawn_mask(*gates, uniform), mode_mask(*gates))
        return tf.where(self.mask >= 0.0, self.mask, named)

    def _wants_draw(self) -> tf.Tensor:
        return tf.reduce_all(tf.equal(self.mask, RUN_RANDOM))

    def feature_keep(self, batch: Any, features: int, training: bool = False) -> tf.Tensor:
        """``(batch, features)`` factors of the features that the one gate of this layer covers.

        Each feature has noise of its own. At inference all are on, or, where the mask asks for a
        draw, each is drawn, the same for the whole batch.
        """
        if self.random(training):
            rows = batch if self.noise == "sample" else 1
            keep = tf.reshape(self._relaxed_keep(rows * features), [rows, features])
        else:
            wanted = self._wants_draw()
            drawn = self._shared_uniform(features, wanted)[None] >= tf.sigmoid(self.logit)
            keep = tf.where(wanted, tf.cast(drawn, tf.float32), tf.ones((1, features)))
        return tf.broadcast_to(keep, [batch, features])

    def per_sample(self, training: bool) -> bool:
        """Whether the samples of this call have factors of their own."""
        return self.random(training) and self.noise == "sample"

    def keep(self, batch: Any, training: bool = False) -> tf.Tensor:
        """``(batch, paths + drop_layer)`` factors of the paths (and of the whole layer, last)."""
        if self.per_sample(training):
            return self._relaxed_keep(batch)
        return tf.repeat(self.shared_keep(training)[None], batch, 0)

    def shared_keep(self, training: bool = False) -> tf.Tensor:
        """``(paths + drop_layer,)`` factors of ``keep`` where all samples share them."""
        if self.random(training):
            return self._relaxed_keep(1)[0]
        mask = self.hard_mask()
        return tf.concat([mask, tf.ones(1)], 0) if self.drop_layer else mask

    def _relaxed_keep(self, rows: Any) -> tf.Tensor:
        logits = self.logits()
        r1, r2 = self._noise(rows, logits.shape[0], shared=self.noise == "batch")
        return tf.transpose(1.0 - relaxed_drop(logits[:, None], r1, r2, self.temperature))

    def _shared_uniform(self, width: int, wanted: tf.Tensor) -> tf.Tensor:
        """``(width,)`` that all replicas share; the step goes on where a draw is wanted."""
        advance = tf.cast(wanted, tf.int64)
        return self._noise(1, width, shared=True, advance=advance)[0][:, 0]

    def _noise(
        self, rows: Any, width: int, *, shared: bool, advance: Any = 1
    ) -> tuple[tf.Tensor, tf.Tensor]:
        """``(width, rows)`` of this step's noise; ``shared`` by all replicas, or each one's own."""
        step = tf.convert_to_tensor(self.noise_step)
        places = gate_noise.places(rows, shared=shared)
        drawn = gate_noise.two_uniforms(self.streams(width), step, places)
        self.noise_step.assign(step + advance)
        return drawn

    def streams(self, width: int) -> np.ndarray:
        """What tells the columns of this gate's noise apart; see ``layers.noise``."""
        # the layer's name, not the order layers were made in
        return gate_noise.streams(self.seed, [self.path], width)

    @property
    def acting_strength(self) -> float | None:
        """What multiplies ``(1-p) ||w||^2`` (Eq. 5); None where it hangs on an unknown N."""
        return acting_strength(**self.strength)

    @property
    def strength(self) -> dict[str, Any]:
        """The strength of the prior as the arguments of the functions in ``spaces.prior``."""
        return {
            "weight_reg": self.weight_reg,
            "prior_strength": self.prior_strength,
            "num_examples": self.num_train_examples,
            "form": self.kl,
        }

    def logits(self) -> tf.Tensor:
        """``(paths + drop_layer,)`` logits of the drop probabilities, D1 last."""
        if self.layer_logit is None:
            return tf.convert_to_tensor(self.logit)
        return tf.concat([self.logit, self.layer_logit[None]], 0)

    def priors(self) -> tf.Tensor:
        """``(paths + drop_layer,)`` coefficients of ``||w||^2`` in the KL."""
        return self.priors_of(self.logits())

    def priors_of(self, logits: tf.Tensor) -> tf.Tensor:
        """The coefficients that belong to logits, of this gate or of others with its settings."""
        if self.num_train_examples is None:
            raise ValueError(
                f"{self.path}: the KL needs N, the number of training examples (Eq. 5), and it is "
                "not known. Pass num_train_examples= to the template, as train_on_batch and a loop "
                "of one's own need it, or call fit with a data set of known size. In a model of "
                "your own on several replicas, make it a vdroppath_tf.models.FusionModel, or pass "
                "num_train_examples=."
            )
        return weight_prior(logits, **self.strength)

    @property
    def settings(self) -> tuple[Any, ...]:
        """What gates must have in common to be computed as one; see ``layers.together``."""
        own = (self.noise, self.kl, self.temperature, self.residual_gate)
        return (*own, *self.strength.values())

    def add_kl(self, squared_norms: tf.Tensor, training: bool = False, features: int = 1) -> None:
        """Adds the KL of the paths to the loss, in training and while the gates are not frozen.

        Args:
            squared_norms: ``(paths,)`` of ``||w||^2``.
            training: bool.
            features: how many things share the logits with noise of their own: the entropy counts
                once for each.
        """
        if not self.random(training):
            return
        find_examples([self])
        norms = tf.cast(squared_norms, "float32")
        kl = self.kl_of(self.logits(), self.priors()[: self.paths], norms, features)
        add_replica_loss(self, kl)

    def kl_of(
        self, logits: tf.Tensor, priors: tf.Tensor, squared_norms: tf.Tensor, features: int = 1
    ) -> tf.Tensor:
        """The KL (Eq. 5) that belongs to logits, of this gate or of others with its settings.

        Args:
            logits: ``(columns,)`` of paths and of D1.
            priors: ``(paths,)``, those of ``priors_of`` that are of paths.
            squared_norms: ``(paths,)`` of ``||w||^2``, float32.
            features: as for ``add_kl``.
        """
        # D1 has its entropy here; its weights are a later convolution's, which adds their part
        weights = tf.reduce_sum(priors * squared_norms)
        entropy = features * tf.reduce_sum(gate_entropy(logits, self.kl))
        return weights + entropy / self.num_train_examples

    def set_mask(self, mask: Sequence[float] | str) -> None:
        """``(paths,)`` of 0 and 1, ``"mode"``, or ``"random"`` (a fresh draw each batch)."""
        named = {"mode": RUN_MODE, "random": RUN_RANDOM}
        values = [named[mask]] * self.paths if isinstance(mask, str) else list(mask)
        self.mask.assign(values)

    def updated(self, options: dict[str, Any]) -> dict[str, Any]:
        """The options this gate was made with, and what may have changed since."""
        changing = ("trainable", "num_train_examples")
        kept = {k: v for k, v in options.items() if k not in changing}
        if self.given_examples is not None:
            kept["num_train_examples"] = self.given_examples
        return kept if self.trainable else {**kept, "trainable": False}

    def get_config(self) -> dict[str, Any]:
        names = (
            "paths drop_layer initial_drop temperature noise kl weight_reg prior_strength "
            "has_residual residual_gate seed"
        ).split()
        own = {name: getattr(self, name) for name in names}
        return {**super().get_config(), **own, "num_train_examples": self.given_examples}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> VariationalDropPath:
        return cls(**with_residual_gate(config))


def with_residual_gate(options: Mapping[str, Any]) -> dict[str, Any]:
    """Options of a gate as a file has them: those older than the choice had the relaxed one."""
    return {"residual_gate": "relaxed", **options}


def probability(logit: Any) -> np.ndarray:
    """The drop probability that a gate's logit stands for, in float64."""
    return np.exp(-np.logaddexp(0.0, -logit.numpy().astype("float64")))  # never overflows


def gate_like(gate: tf.Tensor, x: tf.Tensor) -> tf.Tensor:
    """``(batch,)`` as ``(batch, 1, ...)`` of the rank and dtype of ``x``."""
    ones = [1] * (len(x.shape) - 1)
    return tf.cast(tf.reshape(gate, [tf.shape(gate)[0], *ones]), x.dtype)


def _check(ok: bool, name: str, value: Any, expected: str) -> None:
    if not ok:
        raise ValueError(f"{name} must be {expected}. Received: {value!r}")
